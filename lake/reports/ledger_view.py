"""The ledger as people read it: where every drop is at every hop, and how each attempt ended."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from lake import paths
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.reports.one_commit import reads_one_commit
from lake.session import Session
from lake.versions.origin import Origin
from lakegate.errors import UsageError

READERS: Final = 8
"""Records read at once: each is a wait."""
ATTEMPTS: Final = ("published", "failed", "blocked", "held")
"""States that an attempt ends in."""
SHORTEST: Final = 4
"""Digits that a run is named by, at least."""


@dataclass(frozen=True)
class Entry:
    """A drop (or another cause of a version) at one table: its newest state, and how it got there.

    `at` is when it changed, `seconds` what the newest attempt took, `step` where it failed. `made_by` and
    `made_from` are those of `lake.versions.origin` where `cause` is a person's decision, else empty.
    """

    dataset: str
    cause: str
    table: str
    state: str
    at: str
    attempts: int
    failures: int
    version: int | None
    seconds: float | None
    step: str
    reason: str
    run: str
    made_by: str = ""
    made_from: str = ""

    @property
    def named(self) -> str:
        """The drop's first digits; or what a person decided, such as `rollback to v6`."""
        return str(Origin(self.made_by, self.made_from)) if self.made_by else self.cause[:12]

    def to_json(self) -> dict[str, Any]:
        """As `lakegate ledger --json` prints it."""
        return asdict(self)


@reads_one_commit
def entries(session: Session, dataset: str | None = None, *, newest: int | None = None) -> list[Entry]:
    """The entries of a dataset or feature table (of all), the one that changed last at the end.

    Args:
        session: The open lake.
        dataset: Its name.
        newest: How many of those that changed last; all where it is None.

    Raises:
        UsageError: No contract has that name, and no record either.
    """
    found = records.find(session, dataset=dataset or "")
    if dataset is not None and not found:
        session.catalog.get(dataset)
    grouped: dict[tuple[str, str, str], list[records.Record]] = {}
    for record in found:
        if record.state != "revealed":
            grouped.setdefault((record.dataset, record.cause, record.table), []).append(record)
    recorded: list[tuple[str, Entry | list[records.Record]]] = [
        (several[-1].at, several) for several in grouped.values()
    ]
    known = sorted([*recorded, *_received(session, dataset, grouped)], key=lambda item: item[0])
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda item: _entry(session, item[1]), known[-newest if newest else None :]))


def trace(session: Session, run: str) -> list[dict[str, Any]]:
    """Everything that a run put on record, oldest first: each record's name and body.

    Raises:
        UsageError: Nothing is on record of it, or too few digits name it.
    """
    digits = run.replace("-", "").lower()
    if len(digits) < SHORTEST:
        raise UsageError(f"{run!r} is too short to name a run", fix=f"give {SHORTEST} digits or more")
    head = run.lower()[: records.RUN_DIGITS]
    found = [record for record in records.find(session) if record.run and record.run.startswith(head)]
    with ThreadPoolExecutor(READERS) as pool:
        bodies = list(pool.map(lambda record: records.read(session, record), found))
    of_run = [
        {"dataset": record.dataset, "cause": record.cause} | body
        for record, body in zip(found, bodies, strict=True)
        if str(body.get("run", "")).startswith(run.lower())
    ]
    if not of_run:
        fix = "`lakegate ledger` names the run of each newest attempt"
        raise UsageError(f"no record is of run {run!r}", fix=fix)
    return of_run


def _received(
    session: Session, dataset: str | None, known: Iterable[tuple[str, str, str]]
) -> list[tuple[str, Entry]]:
    """The drops that were received and have no record yet, each after the time that it is sorted by.

    lakeFS tells whole seconds, so a drop is sorted behind what was recorded in its second.
    """
    recorded, found = {(name, cause) for name, cause, _ in known}, []
    datasets = [contract.name for contract in session.catalog.datasets] if dataset is None else [dataset]
    for name in datasets:
        for item in session.repository.listing(MAIN, paths.pending(name)):
            digest = item.path.removeprefix(paths.pending(name)).removesuffix(".json")
            if (name, digest) not in recorded:
                moment = datetime.fromtimestamp(item.mtime, UTC)
                at, last = records.stamp(moment), records.stamp(moment.replace(microsecond=999_999))
                entry = Entry(name, digest, f"{name}_raw", "received", at, 0, 0, None, None, "", "", "")
                found.append((last, entry))
    return found


def _entry(session: Session, known: Entry | list[records.Record]) -> Entry:
    if isinstance(known, Entry):
        return known
    last, body = known[-1], records.read(session, known[-1])
    durations, version = body.get("durations"), body.get("version")
    states = [record.state for record in known]
    return Entry(
        last.dataset,
        last.cause,
        last.table,
        last.state,
        last.at,
        attempts=sum(state in ATTEMPTS for state in states),
        failures=states.count("failed"),
        version=int(version) if version else None,
        seconds=round(sum(durations.values()), 3) if durations else None,
        step=str(body.get("step", "")),
        reason=str(body.get("reason") or body.get("message") or ""),
        run=str(body.get("run", "")),
        made_by=str(body.get("made_by", "")),
        made_from=str(body.get("made_from", "")),
    )
