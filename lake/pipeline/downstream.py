"""The feature tables that follow a version of a table; and the isolation of what fails on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from catalog.contract import Contract
from expectations.verdict import STOPPED, Verdict
from lake.hops.features import carry_features
from lake.hops.job import HopResult
from lake.ledger.receipts import Drop
from lake.runtime.disk_errors import disk_errors
from lake.session import Session
from lakegate.errors import LakegateError, Transient, unforeseen

OnError = Callable[[str, LakegateError], None]
"""Gets the dataset that stopped and the error, so that the others go on; without one the error is raised."""


@contextlib.contextmanager
def isolate_failures(
    session: Session,
    dataset: str,
    on_error: OnError | None,
    drop: Drop | None = None,
    later: list[Drop] | None = None,
) -> Iterator[list[LakegateError]]:
    """Let a failure stop nothing but itself; the list that this yields holds the error afterwards.

    Args:
        session: The open lake.
        dataset: The dataset or feature table that may fail.
        on_error: Gets each error but those of drops that are tried again.
        drop: The drop that may fail.
        later: Gets the drop where its error is transient; None: it is not tried again.
    """
    met: list[LakegateError] = []
    try:
        with disk_errors(session.settings.home.root):
            yield met
    except LakegateError as error:
        met.append(error)
        error.file = error.file or (drop.name if drop is not None else "")
        if isinstance(error, Transient) and drop is not None and later is not None:
            later.append(drop)
        elif on_error is None:
            raise
        else:
            on_error(dataset, error)
    except Exception as error:  # any other error stops nothing else either
        if on_error is None:
            raise
        met.append(unforeseen(error))
        on_error(dataset, met[0])


def followers(session: Session, table: str) -> list[Contract]:
    """The feature tables whose SQL reads a table."""
    contracts = session.catalog.contracts.values()
    return [contract for contract in contracts if contract.kind == "feature" and table in contract.inputs]


def carry_followers(
    session: Session, table: str, *, on_error: OnError | None = None, done: set[str] | None = None
) -> Iterator[HopResult]:
    """Every missing version of the feature tables that read `table`, and of those that read these.

    Args:
        session: The open lake.
        table: The table.
        on_error: Gets each error that stops a feature table; without it the first one is raised.
        done: Tables that had no missing version since a table that they read got one; gets more.
    """
    done = set() if done is None else done
    for contract in followers(session, table):
        if contract.name not in done:
            yield from carry_features_from(session, contract, on_error=on_error, done=done)


def carry_features_from(
    session: Session, contract: Contract, *, on_error: OnError | None = None, done: set[str] | None = None
) -> Iterator[HopResult]:
    """Every missing version of a feature table, and of those that read it; takes what `carry_followers` does.

    An interrupted process may have left versions of those missing.
    """
    done = set() if done is None else done
    made: HopResult | None = None
    while made is None or made.verdict not in STOPPED:
        made = None
        with isolate_failures(session, contract.name, on_error):
            made = carry_features(session, contract)
        if made is None or made.verdict is Verdict.UNCHANGED:
            break
        yield made
        if made.verdict not in STOPPED:
            done.difference_update(item.name for item in followers(session, contract.name))
            yield from carry_followers(session, contract.name, on_error=on_error, done=done)
    done.add(contract.name)
    yield from carry_followers(session, contract.name, on_error=on_error, done=done)
