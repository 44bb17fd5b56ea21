"""Writing what a reprocess found: the table anew, the quarantine anew, and what people decided of rows that are set aside again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from catalog.contract import Contract
from expectations.suite import Suite
from expectations.typed_frame import DROP, ROW
from expectations.verdict import Outcome
from lake import paths
from lake.drift.version_histograms import keep_rebuilt
from lake.hops.evaluate import Evaluated
from lake.hops.job import HopOutput
from lake.hops.no_rows_taken import made_again
from lake.hops.published import JUDGED, REBUILT
from lake.lakefs.repository import MAIN
from lake.ledger.receipts import Drop, received
from lake.parsing.source_records import COLUMNS, Originals, marks_aside, rows_aside
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.change import Change, write_change, written
from lake.tables.data_files import table_files
from lake.tables.quarantine import IDENTITY, RESOLUTIONS, STATE, read_rows
from lake.tables.writer import restore_files, write_rows
from lake.versions import publish
from lake.versions.publish import Candidate
from lakegate.errors import IntegrityError, UsageError
from lakegate.manifest import Manifest
from lakegate.names import VersionName

if TYPE_CHECKING:
    import pyarrow as pa

ATTEMPT: Final = "_attempt"
SETTLED: Final = (*IDENTITY, STATE, "_version", ATTEMPT, "_reason", "_by", "_at")


@dataclass(frozen=True)
class Rebuilt:
    """A table as it is to be: the change, its outcomes, what `keep_aside` wrote of each drop, and the drops that stay as they were."""

    parent: Manifest
    suite: Suite
    change: Change
    outcomes: tuple[Outcome, ...]
    aside: tuple[Path, ...]
    kept: frozenset[str]
    drops: dict[str, dict[str, int]]
    """What came of each drop that was judged, as `lakegate ingest --json` names its rows."""


def standing_drops(session: Session, contract: Contract, parent: Manifest) -> list[Drop]:
    """The drops whose publishes stand, in the order of these; of a replace table the latest alone."""
    found = []
    for number in range(1, parent.version + 1):
        made = publish.manifest_at(session.repository, MAIN, VersionName(contract.name, number))
        done = publish.publication(
            session.repository, dataset=contract.name, cause=made.drop, table=contract.name
        )
        if "delivered_name" in made.source and done is not None and int(done["version"]) == number:
            found.append(received(session, contract.name, made.drop))
    return found[-1:] if contract.write_mode == "replace" else found


def first_of(contract: Contract, drops: list[Drop], since: str | None) -> int:
    """The place of the first drop that is judged again, by the beginning of its SHA-256."""
    if since is None:
        return 0
    if contract.write_mode != "append":
        what = f"{contract.name} has writeMode {contract.write_mode}: its rows are not those of one drop after the other"
        raise UsageError(what, fix="leave --from out")
    found = [index for index, drop in enumerate(drops) if drop.sha256.startswith(since.lower())]
    if len(found) != 1:
        what = f"{len(found)} drops of {contract.name} begin with {since!r}"
        raise UsageError(what, fix=f"name one of {', '.join(drop.sha256[:12] for drop in drops)}")
    return found[0]


def keep_aside(found: Evaluated, originals: Originals | None, drop: Drop, suite: Suite, folder: Path) -> Path:
    """Write the rows of a drop that are set aside into a file in `folder`, while its original records are at hand."""
    from pyarrow import parquet

    told = {DROP: drop.sha256, "_file": drop.name, "_suite": suite.hash, ATTEMPT: ""}
    rows, path = (
        rows_aside(found.plan, marks_aside(found.plan, found.kept), originals, told),
        folder / "aside.parquet",
    )
    with parquet.ParquetWriter(path, rows.schema) as writer:
        for batch in rows:
            writer.write_batch(batch)
    return path


def write_rebuilt(
    session: Session, contract: Contract, rebuilt: Rebuilt, candidate: Candidate, steps: StepTimer
) -> HopOutput:
    """Write it onto a candidate, and describe what was written.

    Raises:
        Conflict: Another version was published since.
        IntegrityError: The rows that can be read are not those that were meant to be.
    """
    parent, change = rebuilt.parent, rebuilt.change
    candidate.demand_parent(parent, fix="run it again: it then begins with what is published now")
    steps.report("write.table")
    added = write_change(session, contract, change, candidate)
    steps.report("write.quarantine")
    aside = _write_aside(session, contract, rebuilt, candidate)
    steps.report("write.settled")
    settled = _write_settled(session, contract, rebuilt, candidate)
    tables = written(session, contract, change, candidate, added=added, fresh=True)
    lie = paths.quarantine_table(contract.name), paths.resolutions_table(contract.name)
    quarantine = table_files(session, candidate.branch, lie[0], known=[])
    decided = table_files(session, candidate.branch, lie[1], known=[])
    there = sum(item.rows for item in quarantine), sum(item.rows for item in decided)
    if there != (aside, settled.num_rows):
        what = f"{aside} quarantined rows and {settled.num_rows} decisions were to be written, there are {there[0]} and {there[1]}"
        raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
    states = Counter(settled.column(STATE).to_pylist())
    balance = {"set_aside": aside, "open": aside - settled.num_rows} | {
        str(name): states[name] for name in RESOLUTIONS
    }
    notes: dict[str, Any] = {REBUILT: [*parent.notes.get(REBUILT, []), candidate.number]}
    notes |= keep_rebuilt(session, contract, rebuilt.suite, candidate, change.rows)
    notes |= made_again(parent, candidate.number, rebuilt.drops, Counter(settled.column(DROP).to_pylist()))
    return HopOutput(
        rebuilt.outcomes,
        change.counts,
        tables.files,
        quarantine,
        tables.content,
        notes=notes,
        evidence={JUDGED: rebuilt.drops},
        settled=decided,
        aside=balance,
        tombstones=tables.tombstones,
    )


def _write_aside(session: Session, contract: Contract, rebuilt: Rebuilt, candidate: Candidate) -> int:
    """Write the quarantine anew; how many rows it holds."""
    import pyarrow as pa
    from pyarrow import parquet

    parent, path = rebuilt.parent, paths.quarantine_table(contract.name)
    before = _of(read_rows(session, parent, parent.quarantine, list(COLUMNS)), rebuilt.kept)
    count: int = before.num_rows + sum(parquet.read_metadata(file).num_rows for file in rebuilt.aside)
    if not count and not parent.quarantine:
        return 0

    def batches() -> Iterator[pa.RecordBatch]:
        yield from before.to_batches()
        for file in rebuilt.aside:
            for batch in parquet.ParquetFile(file).iter_batches():
                yield batch.set_column(
                    COLUMNS.index(ATTEMPT), ATTEMPT, pa.repeat(candidate.attempt, batch.num_rows)
                )

    rows = pa.RecordBatchReader.from_batches(before.schema, batches())
    write_rows(session, rows, ref=candidate.branch, path=path, mode="overwrite", statistics=[DROP, ROW])
    return count


def _write_settled(session: Session, contract: Contract, rebuilt: Rebuilt, candidate: Candidate) -> pa.Table:
    """Write anew, and return, what was decided of rows: of the drops that stay, all of it; of the others, what was discarded and is set aside again."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet

    parent, path = rebuilt.parent, paths.resolutions_table(contract.name)
    before = read_rows(session, parent, parent.settled, list(SETTLED))
    if not parent.settled:
        return before
    again = [parquet.read_table(file, columns=list(IDENTITY)) for file in rebuilt.aside]
    discarded = before.filter(pc.equal(before.column(STATE), "discarded"))
    still = (
        discarded.join(pa.concat_tables(again), keys=IDENTITY, join_type="left semi")
        if again
        else discarded.slice(0, 0)
    )
    kept = pa.concat_tables(
        [_of(before, rebuilt.kept), still.select(before.schema.names).cast(before.schema)]
    )
    restore_files(session, ref=candidate.branch, path=path, files=[], tag=candidate.base)
    if kept.num_rows:
        write_rows(
            session, kept.to_reader(), ref=candidate.branch, path=path, mode="append", statistics=[DROP, ROW]
        )
    return kept


def _of(rows: pa.Table, drops: frozenset[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    return rows.filter(pc.is_in(rows.column(DROP), pa.array(sorted(drops), pa.string())))
