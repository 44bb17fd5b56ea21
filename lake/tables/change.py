"""What a drop's rows make of the table: they join it, take its place, or are merged into it by key."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from catalog.contract import Contract
from expectations.plan.published_columns import published_columns
from expectations.suite import Suite
from expectations.typed_frame import DROP, ROW
from lake import paths
from lake.session import Session
from lake.tables.content_hash import content_after
from lake.tables.data_files import Added, list_table, table_files
from lake.tables.proved_files import demand_sound, demand_sound_columns
from lake.tables.upsert import (
    KEY_EXISTS,
    LATER,
    MERGE_ACTION,
    MERGE_ACTIONS,
    classify_rows,
    deleted_keys,
    rows_after,
)
from lake.tables.writer import read_version, uri_of, write_table
from lake.versions.publish import Candidate
from lakegate.errors import IntegrityError
from lakegate.manifest import Counts, DataFile, Manifest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Passed:
    """Rows that the gate let pass (the contract's columns, DROP and ROW), how many, how many it set aside, and of how many records."""

    rows: DataFrame
    count: int
    aside: int
    records: int


@dataclass(frozen=True)
class Change:
    """Rows to be written onto the table, and the equations that hold afterwards."""

    rows: DataFrame
    count: int
    mode: Literal["append", "overwrite"]
    counts: Counts
    tombstones: DataFrame | None = None
    """The deleted keys as they are to be from now on; None: as they were."""
    outdated: DataFrame | None = None
    """DROP and ROW of the rows that a newer one kept out; None where none was."""


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
    """The change that rows make of the candidate's table; what it takes to find out lies in `folder`.

    Args:
        session: The open lake.
        contract: Says how the table is written.
        passed: The rows.
        candidate: Where they go.
        folder: Scratch folder.
        instead_of: The drop whose place they take.
        gives_back: Whether a replay gives them back, which adds to a table that each delivery replaces.
    """
    parent, replaces = candidate.parent, contract.write_mode == "replace" and not gives_back
    if contract.upsert is not None:
        return _merged(session, contract, passed, candidate, folder)
    if instead_of is not None and parent is not None:
        return _corrected(session, contract, passed, candidate, instead_of)
    mode: Literal["append", "overwrite"] = "overwrite" if replaces else "append"
    return Change(
        passed.rows,
        passed.count,
        mode,
        plain_counts(passed.count, passed.aside, passed.records, parent, replaces=replaces),
    )


def plain_counts(valid: int, aside: int, records: int, parent: Manifest | None, *, replaces: bool) -> Counts:
    """The equations of rows that join the table or take its place; of an upsert before anybody looked at the table."""
    before = parent.counts.after if parent else 0
    deleted = before if replaces else 0
    after = before + valid - deleted
    return Counts(records, valid, aside, 0, before=before, inserted=valid, deleted=deleted, after=after)


def statistics_of(contract: Contract) -> list[str]:
    """The columns of a table whose least and greatest values its log may tell (P6)."""
    return [*contract.with_statistics, ROW, DROP]


def write_change(session: Session, contract: Contract, change: Change, candidate: Candidate) -> Added | None:
    """Write a change onto its candidate; see `write_table` for what it returns."""
    path = paths.processed_table(contract.name)
    added = write_table(
        session,
        change.rows,
        ref=candidate.branch,
        path=path,
        mode=change.mode,
        statistics=statistics_of(contract),
    )
    if change.tombstones is not None:
        path = paths.tombstones_table(contract.name)
        write_table(
            session,
            change.tombstones,
            ref=candidate.branch,
            path=path,
            mode="overwrite",
            statistics=[ROW, DROP],
        )
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
    """What lies on the candidate, hashed; `added`: what writing it returned; `fresh`: what was deleted before is forgotten.

    Raises:
        IntegrityError: The rows that can be read are not those that were meant to be.
    """
    parent, branch, path = candidate.parent, candidate.branch, paths.processed_table(contract.name)
    known, tombstones = (parent.files, [] if fresh else parent.tombstones) if parent else ([], [])
    listed = list_table(session, branch, path, known=known, added=added)
    joined = parent if change.mode == "append" else None
    with ThreadPoolExecutor(1) as pool:  # bytes are hashed beside their content
        read = pool.submit(
            content_after, session.engine, contract, listed, joined, uri=partial(uri_of, session, branch)
        )
        files = table_files(session, branch, path, known=known, listed=listed)
        content, rows = read.result()
    if change.tombstones is not None:
        tombstones = table_files(session, branch, paths.tombstones_table(contract.name), known=tombstones)
    there = {"rows written": rows, "rows of the table": sum(item.rows for item in files)}
    meant = {"rows written": change.count, "rows of the table": change.counts.after}
    if there != meant:
        what = f"what was written is not what was meant: {there}, meant {meant}"
        raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
    return Tables(files, tombstones, content)


def _corrected(
    session: Session, contract: Contract, passed: Passed, candidate: Candidate, drop: str
) -> Change:
    from pyspark.sql import functions as F  # noqa: N812

    parent, engine = candidate.parent, session.engine
    if parent is not None:
        demand_sound(session, candidate.branch, parent.files, version=parent.name)
    table = read_files(session, parent.files, candidate.branch) if parent else None
    before = parent.counts.after if parent else 0
    if table is None:
        return Change(
            passed.rows,
            passed.count,
            "append",
            plain_counts(passed.count, passed.aside, passed.records, parent, replaces=False),
        )
    kept = table.where(F.col(DROP) != drop).select(*[column.name for column in contract.columns], DROP, ROW)
    ((count,),) = engine.rows(kept.groupBy().count())
    after = int(count) + passed.count
    deleted = before - int(count)
    counts = Counts(
        passed.records,
        passed.count,
        passed.aside,
        0,
        before=before,
        inserted=passed.count,
        deleted=deleted,
        after=after,
    )
    return Change(kept.unionByName(passed.rows), after, "overwrite", counts)


def _merged(
    session: Session, contract: Contract, passed: Passed, candidate: Candidate, folder: Path
) -> Change:
    from pyspark.sql import functions as F  # noqa: N812

    engine, parent, upsert = session.engine, candidate.parent, contract.upsert
    if upsert is None:
        raise ValueError(contract.name)
    if parent is not None:  # all columns of all rows are read, and most are written anew
        demand_sound(session, candidate.branch, [*parent.files, *parent.tombstones], version=parent.name)
    table = read_files(session, parent.files, candidate.branch) if parent else None
    gone = read_files(session, parent.tombstones, candidate.branch) if parent else None
    fates = engine.write_scratch(classify_rows(contract, upsert, passed.rows, table, gone), folder / "fates")
    counted = engine.rows(
        fates.groupBy(MERGE_ACTION).agg(
            F.count(F.lit(1)), *[F.sum(F.col(name).cast("bigint")) for name in (KEY_EXISTS, LATER)]
        )
    )
    by_fate = {str(fate): (int(count), int(there)) for fate, count, there, _ in counted}
    moved = sum(int(later or 0) for *_, later in counted)
    number = {fate: by_fate.get(fate, (0, 0))[0] for fate in MERGE_ACTIONS}
    deleted, before = by_fate.get("tombstone", (0, 0))[1], parent.counts.after if parent else 0
    counts = Counts(
        passed.records,
        passed.count,
        passed.aside,
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
    tombstones = deleted_keys(contract, upsert, fates, gone) if remembered else None
    outdated = fates.where(f"{MERGE_ACTION} = 'outdated'").select(DROP, ROW) if number["outdated"] else None
    if not number["updated"] and not deleted and not moved:  # nothing that stands is touched
        return Change(
            rows_after(contract, fates, None), number["inserted"], "append", counts, tombstones, outdated
        )
    return Change(rows_after(contract, fates, table), counts.after, "overwrite", counts, tombstones, outdated)


def published_rows(
    session: Session, contract: Contract, suite: Suite, manifest: Manifest, ref: str
) -> DataFrame | None:
    """The rows of a version in the tree `ref`, to hold others against: the columns that a suite reads of them are proved first.

    Raises:
        IntegrityError: A file is missing, or one of these columns is not what was published.
    """
    demand_sound_columns(session, ref, manifest, published_columns(suite, contract))
    return read_version(session, manifest, ref) if manifest.counts.after else None


def read_files(session: Session, files: Sequence[DataFile], ref: str) -> DataFrame | None:
    """The rows of a version's files in the tree `ref`, without its Delta log; None where there are none."""
    uris = [uri_of(session, ref, item) for item in files if item.rows]
    return session.engine.read_parquet(uris) if uris else None
