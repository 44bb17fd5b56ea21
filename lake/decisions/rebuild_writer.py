"""Write what a reprocess found: table, quarantine and resolutions, each of them anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from expectations.typed_frame import DROP, ROW
from lake import paths
from lake.decisions.reprocess_judging import ATTEMPT, Rejudging
from lake.drift.version_histograms import keep_of_decision
from lake.hops.gate.no_rows_taken import made_again
from lake.hops.job import HopOutput
from lake.hops.published import JUDGED, REBUILT
from lake.parsing.source_records import COLUMNS
from lake.runtime.step_timer import StepTimer
from lake.tables.change import Change, write_change, written
from lake.tables.data_files import table_files
from lake.tables.quarantine import IDENTITY, RESOLUTIONS, STATE, read_rows
from lake.tables.writer import restore_files, write_arrow
from lake.versions.publish import Candidate
from lakegate.errors import IntegrityError

if TYPE_CHECKING:
    import pyarrow as pa

RESOLUTION: Final = [*IDENTITY, STATE, "_version", ATTEMPT, "_reason", "_by", "_at"]
"""Columns of the table of resolved rows."""


def write_rebuilt(judged: Rejudging, change: Change, candidate: Candidate, steps: StepTimer) -> HopOutput:
    """Write a rebuilt table onto a candidate, and describe what was written.

    Args:
        judged: What the reprocess found.
        change: The table.
        candidate: The new version.
        steps: Reports the steps.

    Raises:
        Conflict: Another version was published since.
        IntegrityError: Other rows can be read than were meant to be written.
    """
    decision = judged.decision
    session, contract, parent = decision.session, decision.contract, decision.parent
    candidate.demand_parent(parent, fix="run it again: it then begins with what is published now")
    steps.report("write.table")
    added = write_change(session, contract, change, candidate)
    steps.report("write.quarantine")
    count = _write_quarantine(judged, candidate)
    steps.report("write.settled")
    resolutions = _write_resolutions(judged, candidate)
    tables = written(session, contract, change, candidate, added=added, fresh=True)
    quarantine = table_files(session, candidate.branch, paths.quarantine_table(contract.name), known=[])
    resolved = table_files(session, candidate.branch, paths.resolutions_table(contract.name), known=[])
    found = sum(item.rows for item in quarantine), sum(item.rows for item in resolved)
    if found != (meant := (count, resolutions.num_rows)):
        what = f"{meant} quarantined and resolved rows were to be written, {found} were"
        raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
    states = Counter(resolutions.column(STATE).to_pylist())
    notes: dict[str, Any] = {REBUILT: [*parent.notes.get(REBUILT, []), candidate.number]}
    notes |= keep_of_decision(session, contract, decision.suite, candidate, parent=None, rows=change.rows)
    by_drop = Counter(resolutions.column(DROP).to_pylist())
    notes |= made_again(parent, candidate.number, judged.results, by_drop)
    return HopOutput(
        judged.outcomes,
        change.counts,
        tables.files,
        quarantine,
        tables.content,
        notes=notes,
        evidence={JUDGED: judged.results},
        resolved=resolved,
        balance={
            "set_aside": count,
            "open": count - resolutions.num_rows,
            **{state: states[state] for state in RESOLUTIONS},
        },
        tombstones=tables.tombstones,
    )


def _write_quarantine(judged: Rejudging, candidate: Candidate) -> int:
    """Write the quarantine anew; how many rows it holds."""
    import pyarrow as pa
    from pyarrow import parquet

    session, parent = judged.decision.session, judged.decision.parent
    untouched = _untouched(judged, read_rows(session, parent, parent.quarantine, list(COLUMNS)))
    count: int = untouched.num_rows
    count += sum(parquet.read_metadata(file).num_rows for file in judged.quarantined)
    if not count and not parent.quarantine:
        return 0

    def batches() -> Iterator[pa.RecordBatch]:
        yield from untouched.to_batches()
        for file in judged.quarantined:
            for batch in parquet.ParquetFile(file).iter_batches():
                attempt = pa.repeat(candidate.attempt, batch.num_rows)
                yield batch.set_column(COLUMNS.index(ATTEMPT), ATTEMPT, attempt)

    write_arrow(
        session,
        pa.RecordBatchReader.from_batches(untouched.schema, batches()),
        ref=candidate.branch,
        path=paths.quarantine_table(parent.table),
        mode="overwrite",
        statistics=[DROP, ROW],
    )
    return count


def _write_resolutions(judged: Rejudging, candidate: Candidate) -> pa.Table:
    """Write the resolutions anew, and return them.

    Those of untouched drops stay. Of a drop that was judged again, the discards of rows that are quarantined
    again stay.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet

    session, parent = judged.decision.session, judged.decision.parent
    path = paths.resolutions_table(parent.table)
    before = read_rows(session, parent, parent.resolved, RESOLUTION)
    if not parent.resolved:
        return before
    quarantined = pa.concat_tables(
        [parquet.read_table(file, columns=IDENTITY) for file in judged.quarantined]
    )
    discarded = before.filter(pc.equal(before.column(STATE), "discarded"))
    again = discarded.join(quarantined, keys=IDENTITY, join_type="left semi").select(before.schema.names)
    remaining = pa.concat_tables([_untouched(judged, before), again.cast(before.schema)])
    restore_files(session, ref=candidate.branch, path=path, files=[], tag=candidate.base)
    if remaining.num_rows:
        write_arrow(
            session,
            remaining.to_reader(),
            ref=candidate.branch,
            path=path,
            mode="append",
            statistics=[DROP, ROW],
        )
    return remaining


def _untouched(judged: Rejudging, rows: pa.Table) -> pa.Table:
    """The rows of the drops that stay as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    drops = [drop.sha256 for drop in judged.untouched]
    return rows.filter(pc.is_in(rows.column(DROP), pa.array(drops, pa.string())))
