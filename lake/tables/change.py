"""How a drop's rows change the table: they join its rows, replace them, or are merged into them by key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from catalog.contract import Contract, Upsert
from expectations.typed_frame import DROP, ROW
from lake import paths
from lake.session import Session
from lake.tables.content_hash import content_after
from lake.tables.data_files import Added, list_table, table_files
from lake.tables.proved_files import demand_sound
from lake.tables.reader import read_files, uri_of
from lake.tables.upsert import (
    KEY_EXISTS,
    LATER,
    MERGE_ACTION,
    MERGE_ACTIONS,
    classify_rows,
    deleted_keys,
    rows_after,
)
from lake.tables.writer import write_table
from lake.versions.publish import Candidate
from lakegate.errors import IntegrityError
from lakegate.manifest import Counts, DataFile, Manifest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Passed:
    """Rows that pass the gate (the contract's columns, DROP and ROW), and their `count`.

    `quarantined` counts the rows that the gate quarantined, `records` the delivered records.
    """

    rows: DataFrame
    count: int
    quarantined: int
    records: int


@dataclass(frozen=True)
class Change:
    """Rows to be written onto the table, and the equations that hold afterwards."""

    rows: DataFrame
    count: int
    mode: Literal["append", "overwrite"]
    counts: Counts
    tombstones: DataFrame | None = None
    """All deleted keys after the change; None: the change leaves them as they are."""
    outdated: DataFrame | None = None
    """DROP and ROW of the rows that newer ones outdate; None where there are none."""


@dataclass(frozen=True)
class Tables:
    """The processed table as it lies on a candidate: files, those of its tombstones, and the content hash."""

    files: list[DataFile]
    tombstones: list[DataFile]
    content: str


def change_of(
    session: Session,
    contract: Contract,
    passed: Passed,
    candidate: Candidate,
    *,
    folder: Path,
    instead_of: str | None = None,
    gives_back: bool = False,
) -> Change:
    """How rows change the candidate's table.

    Args:
        session: The open lake.
        contract: Says how the table is written.
        passed: The rows.
        candidate: The branch that they are written to.
        folder: Scratch folder.
        instead_of: The drop whose rows they replace.
        gives_back: Whether a replay adds them, also to a table that each delivery replaces.
    """
    parent, replaces = candidate.parent, contract.write_mode == "replace" and not gives_back
    if contract.upsert is not None:
        return _merged(session, contract, contract.upsert, passed, candidate, folder=folder)
    if instead_of is not None and parent is not None:
        return _corrected(session, contract, passed, candidate, parent, drop=instead_of)
    counts = plain_counts(passed.count, passed.quarantined, passed.records, parent, replaces=replaces)
    return Change(passed.rows, passed.count, "overwrite" if replaces else "append", counts)


def plain_counts(
    valid: int, quarantined: int, records: int, parent: Manifest | None, *, replaces: bool
) -> Counts:
    """The equations of rows that join the table's or replace them; of an upsert, before keys are compared.

    Args:
        valid: Rows that pass.
        quarantined: Rows that are quarantined.
        records: Delivered records.
        parent: The table's version before.
        replaces: Whether the rows replace the table's.
    """
    before = parent.counts.after if parent else 0
    deleted = before if replaces else 0
    after = before + valid - deleted
    return Counts(records, valid, quarantined, 0, before=before, inserted=valid, deleted=deleted, after=after)


def statistics_of(contract: Contract) -> list[str]:
    """The columns of a table whose least and greatest values its log may hold (P6)."""
    return [*contract.with_statistics, ROW, DROP]


def write_change(session: Session, contract: Contract, change: Change, candidate: Candidate) -> Added | None:
    """Write a change onto its candidate; see `write_table` for what it returns."""
    path, statistics = paths.processed_table(contract.name), statistics_of(contract)
    write = partial(write_table, session, ref=candidate.branch)
    added = write(change.rows, path=path, mode=change.mode, statistics=statistics)
    if change.tombstones is not None:
        path = paths.tombstones_table(contract.name)
        write(change.tombstones, path=path, mode="overwrite", statistics=[ROW, DROP])
    return added


def written(
    session: Session,
    contract: Contract,
    change: Change,
    candidate: Candidate,
    *,
    added: Added | None,
    fresh: bool,
) -> Tables:
    """What lies on the candidate, hashed.

    Args:
        session: The open lake.
        contract: The table's contract.
        change: What was written.
        candidate: The branch that it was written to.
        added: What `write_change` returned.
        fresh: Whether the deleted keys of earlier versions are forgotten.

    Raises:
        IntegrityError: The rows that can be read are not those of the change.
    """
    parent, branch, path = candidate.parent, candidate.branch, paths.processed_table(contract.name)
    known, tombstones = (parent.files, [] if fresh else parent.tombstones) if parent else ([], [])
    listed = list_table(session, branch, path, known=known, added=added)
    joined = parent if change.mode == "append" else None
    with ThreadPoolExecutor(1) as pool:  # the engine reads the rows while the files' bytes are hashed
        uri = partial(uri_of, session, branch)
        read = pool.submit(content_after, session.engine, contract, listed, joined, uri=uri)
        files = table_files(session, branch, path, known=known, listed=listed)
        content, rows = read.result()
    if change.tombstones is not None:
        tombstones = table_files(session, branch, paths.tombstones_table(contract.name), known=tombstones)
    found = {"rows written": rows, "rows of the table": sum(item.rows for item in files)}
    meant = {"rows written": change.count, "rows of the table": change.counts.after}
    if found != meant:
        what = f"what was written is not what was meant: {found}, meant {meant}"
        raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
    return Tables(files, tombstones, content)


def _corrected(
    session: Session, contract: Contract, passed: Passed, candidate: Candidate, parent: Manifest, *, drop: str
) -> Change:
    """The rows replace those of one drop."""
    from pyspark.sql import functions as F  # noqa: N812

    demand_sound(session, candidate.branch, parent.files, version=parent.name)
    table = read_files(session, parent.files, candidate.branch)
    counts = plain_counts(passed.count, passed.quarantined, passed.records, parent, replaces=False)
    if table is None:
        return Change(passed.rows, passed.count, "append", counts)
    others = table.where(F.col(DROP) != drop).select(*[column.name for column in contract.columns], DROP, ROW)
    ((count,),) = session.engine.rows(others.groupBy().count())
    after = int(count) + passed.count
    counts = replace(counts, deleted=counts.before - int(count), after=after)
    return Change(others.unionByName(passed.rows), after, "overwrite", counts)


def _merged(
    session: Session,
    contract: Contract,
    upsert: Upsert,
    passed: Passed,
    candidate: Candidate,
    *,
    folder: Path,
) -> Change:
    """The rows are merged into the table by key."""
    from pyspark.sql import functions as F  # noqa: N812

    engine, parent, table, gone = session.engine, candidate.parent, None, None
    if parent is not None:  # all columns of all rows are read, and most are written again
        demand_sound(session, candidate.branch, [*parent.files, *parent.tombstones], version=parent.name)
        table = read_files(session, parent.files, candidate.branch)
        gone = read_files(session, parent.tombstones, candidate.branch)
    rows = engine.write_scratch(classify_rows(contract, upsert, passed.rows, table, gone), folder / "fates")
    sums = [F.sum(F.col(name).cast("bigint")) for name in (KEY_EXISTS, LATER)]
    counted = engine.rows(rows.groupBy(MERGE_ACTION).agg(F.count(F.lit(1)), *sums))
    number = dict.fromkeys(MERGE_ACTIONS, 0) | {str(action): int(count) for action, count, *_ in counted}
    deleted = sum(int(existing) for action, _, existing, _ in counted if action == "tombstone")
    moved = sum(int(later or 0) for *_, later in counted)
    before = parent.counts.after if parent else 0
    counts = Counts(
        passed.records,
        passed.count,
        passed.quarantined,
        0,
        before=before,
        inserted=number["inserted"],
        deleted=deleted,
        after=before + number["inserted"] - deleted,
        updated=number["updated"],
        unchanged=number["unchanged"],
        tombstones=number["tombstone"],
        outdated=number["outdated"],
    )
    remembered = number["tombstone"] or (gone is not None and number["inserted"])
    tombstones = deleted_keys(contract, upsert, rows, gone) if remembered else None
    outdated = rows.where(f"{MERGE_ACTION} = 'outdated'").select(DROP, ROW) if number["outdated"] else None
    if number["updated"] or deleted or moved:
        after = rows_after(contract, rows, table)
        return Change(after, counts.after, "overwrite", counts, tombstones, outdated)
    inserted = rows_after(contract, rows, None)
    return Change(inserted, number["inserted"], "append", counts, tombstones, outdated)
