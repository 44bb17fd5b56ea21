"""Write what a reprocess found: table, quarantine and resolutions, each of them anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from expectations.suite import Suite
from expectations.typed_frame import DROP, ROW
from expectations.verdict import Outcome
from lake import paths
from lake.decisions.decision import Decision
from lake.drift.version_histograms import keep_of_decision
from lake.hops.evaluate import Evaluated
from lake.hops.job import HopOutput
from lake.hops.no_rows_taken import made_again
from lake.hops.published import JUDGED, REBUILT
from lake.ledger.receipts import Drop
from lake.parsing.source_records import COLUMNS, Originals, marks_aside, rows_aside
from lake.runtime.step_timer import StepTimer
from lake.tables.change import Change, write_change, written
from lake.tables.data_files import table_files
from lake.tables.quarantine import IDENTITY, SETTLEMENTS, STATE, read_rows
from lake.tables.writer import restore_files, write_rows
from lake.versions.publish import Candidate
from lakegate.errors import IntegrityError

if TYPE_CHECKING:
    import pyarrow as pa

ATTEMPT: Final = "_attempt"
RESOLUTION: Final = [*IDENTITY, STATE, "_version", ATTEMPT, "_reason", "_by", "_at"]
"""Columns of the table of resolved rows."""


@dataclass(frozen=True)
class Rebuilt:
    """A rebuilt table: the change, its outcomes, and the files of quarantined rows."""

    change: Change
    outcomes: tuple[Outcome, ...]
    quarantined: tuple[Path, ...]
    """See `write_quarantined`."""
    untouched: frozenset[str]
    """The drops whose rows stay as they are."""
    results: dict[str, dict[str, int]]
    """What came of each drop that was judged, as `lakegate ingest --json` names its rows."""


def write_quarantined(
    found: Evaluated, originals: Originals | None, drop: Drop, suite: Suite, folder: Path
) -> Path:
    """Write the quarantined rows of a drop into a file, while its original records are at hand.

    Args:
        found: The drop's labelled rows.
        originals: Its records, as they were delivered.
        drop: The drop.
        suite: The rules that quarantined the rows.
        folder: Where the file lies.
    """
    from pyarrow import parquet

    alike = {DROP: drop.sha256, "_file": drop.name, "_suite": suite.hash, ATTEMPT: ""}
    rows = rows_aside(found.plan, marks_aside(found.plan, found.kept), originals, alike)
    path = folder / "quarantined.parquet"
    with parquet.ParquetWriter(path, rows.schema) as writer:
        for batch in rows:
            writer.write_batch(batch)
    return path


def write_rebuilt(decision: Decision, rebuilt: Rebuilt, candidate: Candidate, steps: StepTimer) -> HopOutput:
    """Write a rebuilt table onto a candidate, and describe what was written.

    Args:
        decision: The reprocess.
        rebuilt: What it found.
        candidate: The new version.
        steps: Reports the steps.

    Raises:
        Conflict: Another version was published since.
        IntegrityError: Other rows can be read than were meant to be written.
    """
    session, contract, parent, change = decision.session, decision.contract, decision.parent, rebuilt.change
    candidate.demand_parent(parent, fix="run it again: it then begins with what is published now")
    steps.report("write.table")
    added = write_change(session, contract, change, candidate)
    steps.report("write.quarantine")
    count = _write_quarantine(decision, rebuilt, candidate)
    steps.report("write.settled")
    resolutions = _write_resolutions(decision, rebuilt, candidate)
    tables = written(session, contract, change, candidate, added=added, fresh=True)
    quarantine = table_files(session, candidate.branch, paths.quarantine_table(contract.name), known=[])
    resolved = table_files(session, candidate.branch, paths.settled_table(contract.name), known=[])
    found = sum(item.rows for item in quarantine), sum(item.rows for item in resolved)
    if found != (meant := (count, resolutions.num_rows)):
        what = f"{meant} quarantined and resolved rows were to be written, {found} were"
        raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
    states = Counter(resolutions.column(STATE).to_pylist())
    notes: dict[str, Any] = {REBUILT: [*parent.notes.get(REBUILT, []), candidate.number]}
    notes |= keep_of_decision(session, contract, decision.suite, candidate, parent=None, rows=change.rows)
    by_drop = Counter(resolutions.column(DROP).to_pylist())
    notes |= made_again(parent, candidate.number, rebuilt.results, by_drop)
    return HopOutput(
        rebuilt.outcomes,
        change.counts,
        tables.files,
        quarantine,
        tables.content,
        notes=notes,
        evidence={JUDGED: rebuilt.results},
        settled=resolved,
        aside={
            "set_aside": count,
            "open": count - resolutions.num_rows,
            **{state: states[state] for state in SETTLEMENTS},
        },
        tombstones=tables.tombstones,
    )


def _write_quarantine(decision: Decision, rebuilt: Rebuilt, candidate: Candidate) -> int:
    """Write the quarantine anew; how many rows it holds."""
    import pyarrow as pa
    from pyarrow import parquet

    session, parent = decision.session, decision.parent
    untouched = _rows_of(read_rows(session, parent, parent.quarantine, list(COLUMNS)), rebuilt.untouched)
    count: int = untouched.num_rows
    count += sum(parquet.read_metadata(file).num_rows for file in rebuilt.quarantined)
    if not count and not parent.quarantine:
        return 0

    def batches() -> Iterator[pa.RecordBatch]:
        yield from untouched.to_batches()
        for file in rebuilt.quarantined:
            for batch in parquet.ParquetFile(file).iter_batches():
                attempt = pa.repeat(candidate.attempt, batch.num_rows)
                yield batch.set_column(COLUMNS.index(ATTEMPT), ATTEMPT, attempt)

    write_rows(
        session,
        pa.RecordBatchReader.from_batches(untouched.schema, batches()),
        ref=candidate.branch,
        path=paths.quarantine_table(decision.contract.name),
        mode="overwrite",
        statistics=[DROP, ROW],
    )
    return count


def _write_resolutions(decision: Decision, rebuilt: Rebuilt, candidate: Candidate) -> pa.Table:
    """Write the resolutions anew, and return them.

    Those of untouched drops stay. Of the drops that were judged again those stay by which a person discarded
    a row that is quarantined again.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet

    session, parent, path = decision.session, decision.parent, paths.settled_table(decision.contract.name)
    before = read_rows(session, parent, parent.settled, RESOLUTION)
    if not parent.settled:
        return before
    quarantined = pa.concat_tables(
        [parquet.read_table(file, columns=IDENTITY) for file in rebuilt.quarantined]
    )
    discarded = before.filter(pc.equal(before.column(STATE), "discarded"))
    again = discarded.join(quarantined, keys=IDENTITY, join_type="left semi").select(before.schema.names)
    remaining = pa.concat_tables([_rows_of(before, rebuilt.untouched), again.cast(before.schema)])
    restore_files(session, ref=candidate.branch, path=path, files=[], tag=candidate.base)
    if remaining.num_rows:
        write_rows(
            session,
            remaining.to_reader(),
            ref=candidate.branch,
            path=path,
            mode="append",
            statistics=[DROP, ROW],
        )
    return remaining


def _rows_of(rows: pa.Table, drops: frozenset[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    return rows.filter(pc.is_in(rows.column(DROP), pa.array(sorted(drops), pa.string())))
