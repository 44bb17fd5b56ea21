"""The write of a drop's judged rows: valid ones to the table, quarantined ones to the quarantine."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from expectations.typed_frame import DROP, ROW
from lake import paths
from lake.hops.file_names import name_path_of
from lake.hops.gate import no_rows_taken
from lake.hops.job import HopOutput
from lake.hops.processed.judge_rows import Delivery, JudgedRows
from lake.parsing.source_records import quarantined_marks, quarantined_rows
from lake.runtime.step_timer import StepTimer
from lake.tables.change import Change, statistics_of, write_change, written
from lake.tables.compaction import compacted, quarantine_fingerprint, table_fingerprint
from lake.tables.data_files import Added, table_files
from lake.tables.quarantine import quarantine_balance
from lake.tables.supersede import resolve_superseded
from lake.tables.writer import restore_files, write_arrow
from lake.versions.publish import Candidate
from lakegate.errors import IntegrityError


def write_drop(delivery: Delivery, judged: JudgedRows, candidate: Candidate, steps: StepTimer) -> HopOutput:
    """Write both tables of what was judged, and describe them; nothing where the gate lets no row pass.

    Raises:
        IntegrityError: The rows that can be read are not those that were meant to be.
    """
    if (change := judged.change) is None:
        return judged.output
    onto = _compacted(delivery, candidate, steps, table=change.mode == "append")
    with ThreadPoolExecutor(2) as pool:  # a write waits for the gateway more than for a core
        tree = pool.submit(_update_tree, delivery, candidate)
        steps.report("write.table")
        valid = pool.submit(write_change, delivery.session, delivery.contract, change, onto)
        steps.report("write.quarantine")
        quarantined = _write_quarantined(delivery, judged, onto)
        added = valid.result()
        tree.result()
    notes = {**judged.output.notes, **_notes(delivery, judged, change, candidate, onto)}
    output = _describe(delivery, judged, change, onto, added=added, quarantined=quarantined)
    return replace(output, notes=notes, evidence=judged.output.notes)


def _compacted(delivery: Delivery, candidate: Candidate, steps: StepTimer, *, table: bool) -> Candidate:
    """The candidate with a parent of fewer files, where many were small.

    One publish merges the files of one table: those of the `table` itself, or else of the quarantine.
    """
    parent, session, contract = candidate.parent, delivery.session, delivery.contract
    if (
        parent is None or delivery.replaces or delivery.instead_of
    ):  # a correction reads the parent's quarantine
        return candidate
    steps.report("write.compact")
    merge = partial(compacted, session, candidate.branch, version=parent.name)
    if table:
        fingerprint = partial(table_fingerprint, session.engine, contract)
        path, statistics = paths.processed_table(contract.name), statistics_of(contract)
        files = merge(path, parent.files, statistics=statistics, fingerprint=fingerprint)
        if files != parent.files:
            return replace(candidate, parent=replace(parent, files=files))
    fingerprint = partial(quarantine_fingerprint, session.engine)
    path = paths.quarantine_table(contract.name)
    quarantine = merge(path, parent.quarantine, statistics=[DROP, ROW], fingerprint=fingerprint)
    return replace(candidate, parent=replace(parent, quarantine=quarantine))


def _update_tree(delivery: Delivery, candidate: Candidate) -> None:
    """Delete the drop's pending marker, and record its name; a full delivery empties the resolved rows."""
    session, name, drop = delivery.session, delivery.contract.name, delivery.drop
    session.repository.delete(candidate.branch, paths.pending(name, drop.sha256))
    if not delivery.replaces:
        body = {"format": paths.FORMAT, "drop": drop.sha256, "attempt": candidate.attempt}
        content = json.dumps(body, sort_keys=True).encode()
        session.repository.put(candidate.branch, name_path_of(name, drop.name), content)
    elif candidate.parent and candidate.parent.resolved:
        path = paths.resolutions_table(name)
        restore_files(session, ref=candidate.branch, path=path, files=[], tag=candidate.base)


def _write_quarantined(delivery: Delivery, judged: JudgedRows, candidate: Candidate) -> Added | None:
    """Write the quarantined rows with their original records; a full delivery replaces earlier ones."""
    found, parent, drop = judged.found, candidate.parent, delivery.drop
    if not found.quarantined and not (delivery.replaces and parent and parent.quarantine):
        return []
    columns = {
        DROP: drop.sha256,
        "_file": drop.name,
        "_suite": delivery.suite.hash,
        "_attempt": candidate.attempt,
    }
    rows = quarantined_rows(found.plan, quarantined_marks(found.plan, found.files), judged.originals, columns)
    return write_arrow(
        delivery.session,
        rows,
        ref=candidate.branch,
        path=paths.quarantine_table(delivery.contract.name),
        mode="overwrite" if delivery.replaces else "append",
        statistics=[DROP, ROW],
    )


def _notes(
    delivery: Delivery, judged: JudgedRows, change: Change, candidate: Candidate, onto: Candidate
) -> dict[str, object]:
    """Notes on the histograms, on a delivery of which no row was taken, and on the files that were merged."""
    found, parent = judged.found, candidate.parent
    histograms = judged.compare.keep(candidate, found.histograms, found.plan.histograms)
    none_taken = no_rows_taken.with_delivery(
        None if delivery.replaces else parent,
        candidate.number,
        delivery.drop.sha256,
        change.counts,
        instead_of=delivery.instead_of,
    )
    notes: dict[str, object] = {**histograms, **none_taken}
    if parent and onto.parent and (merged := len(parent.files) - len(onto.parent.files)):
        notes["files_merged"] = merged
    return notes


def _describe(
    delivery: Delivery,
    judged: JudgedRows,
    change: Change,
    candidate: Candidate,
    *,
    added: Added | None,
    quarantined: Added | None,
) -> HopOutput:
    """The tables' files on the candidate, whose rows must be those that were meant to be.

    Args:
        delivery: The drop.
        judged: What was judged of it.
        change: What was written onto the table.
        candidate: Where, with the compacted parent.
        added: What `write_change` returned.
        quarantined: What `write_arrow` returned of the quarantine.
    """
    session, contract, found, parent = delivery.session, delivery.contract, judged.found, candidate.parent
    path, known = paths.quarantine_table(contract.name), parent.quarantine if parent else []
    with ThreadPoolExecutor(1) as pool:  # their bytes are hashed beside the table's
        listed = pool.submit(table_files, session, candidate.branch, path, known=known, added=quarantined)
        tables = written(session, contract, change, candidate, added=added, fresh=delivery.replaces)
        quarantine = listed.result()
    before = None if delivery.replaces else parent
    fresh = sum(item.rows for item in quarantine) - sum(
        item.rows for item in (before.quarantine if before else ())
    )
    if fresh != found.quarantined:
        what = f"{found.quarantined} rows were to be quarantined, {fresh} were written"
        raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
    resolved, superseded = before.resolved if before else [], 0
    if before is not None and delivery.instead_of is not None:
        resolved, superseded = resolve_superseded(
            session, contract, candidate, delivery.instead_of, delivery.folder
        )
    return HopOutput(
        found.outcomes,
        change.counts,
        tables.files,
        quarantine,
        tables.content,
        resolved=resolved,
        balance=quarantine_balance(parent, quarantine, {"superseded": superseded}, fresh=delivery.replaces),
        tombstones=tables.tombstones,
    )
