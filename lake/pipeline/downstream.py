"""The features that follow a version of a table; and how what fails on the way of one drop or table stops nothing else."""

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
"""Told which dataset stopped and why, so that the others go on; where there is none the error is raised."""


@contextlib.contextmanager
def isolate_failures(
    session: Session,
    dataset: str,
    on_error: OnError | None,
    drop: Drop | None = None,
    later: list[Drop] | None = None,
) -> Iterator[list[LakegateError]]:
    """What fails stops itself: a drop whose failure may go away by itself is left for `later`, of all else `on_error` is told.

    The list that it gives holds the error afterwards.
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
    except Exception as error:  # whatever it is, others go on
        if on_error is None:
            raise
        met.append(told := unforeseen(error))
        on_error(dataset, told)


def followers(session: Session, table: str) -> list[Contract]:
    """The feature tables whose SQL reads a table."""
    return [
        contract
        for contract in session.catalog.contracts.values()
        if contract.kind == "feature" and table in contract.inputs
    ]


def carry_followers(session: Session, table: str, *, on_error: OnError | None = None) -> Iterator[HopResult]:
    """Every missing version of the feature tables that read `table`, and of those that read these."""
    return _follow(session, table, on_error, set())


def carry_features_from(
    session: Session, contract: Contract, *, on_error: OnError | None = None
) -> Iterator[HopResult]:
    """Every missing version of a feature table, and of those that read it, which one who died before them may have left."""
    return _carry(session, contract, on_error, set())


def _follow(session: Session, table: str, on_error: OnError | None, asked: set[str]) -> Iterator[HopResult]:
    for contract in followers(session, table):
        if contract.name not in asked:
            yield from _carry(session, contract, on_error, asked)


def _carry(
    session: Session, contract: Contract, on_error: OnError | None, asked: set[str]
) -> Iterator[HopResult]:
    """The versions of a feature table and of its followers; `asked`: those that were asked since a table that they read got a version."""
    made: HopResult | None = None
    while made is None or made.verdict not in STOPPED:
        made = None
        with isolate_failures(session, contract.name, on_error):
            made = carry_features(session, contract)
        if made is None or made.verdict is Verdict.UNCHANGED:
            break
        yield made
        if made.verdict not in STOPPED:
            asked.difference_update(item.name for item in followers(session, contract.name))
            yield from _follow(session, contract.name, on_error, asked)
    asked.add(contract.name)
    yield from _follow(session, contract.name, on_error, asked)
