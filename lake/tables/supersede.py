"""A corrected file supersedes a published drop, and with it the quarantined rows of that drop."""

from __future__ import annotations

from pathlib import Path

from catalog.contract import Contract
from expectations.typed_frame import DROP, ROW
from lake import paths
from lake.session import Session
from lake.tables.data_files import table_files
from lake.tables.quarantine import IDENTITY, resolution_rows, unresolved_rows
from lake.tables.writer import write_table
from lake.versions import publish
from lake.versions.publish import Candidate
from lakegate.errors import IntegrityError
from lakegate.manifest import DataFile


def resolve_superseded(
    session: Session, contract: Contract, candidate: Candidate, drop: str, folder: Path
) -> tuple[list[DataFile], int]:
    """End a drop's publish on a candidate, and resolve its open rows as superseded.

    Args:
        session: The open lake.
        contract: The table's contract.
        candidate: The corrected file's.
        drop: The superseded drop.
        folder: Scratch folder.

    Returns:
        The files of all resolutions of the table, and how many rows this resolved.

    Raises:
        IntegrityError: Other rows were resolved than were meant to be.
    """
    import pyarrow.compute as pc
    from pyarrow import parquet

    parent, path = candidate.parent, paths.resolutions_table(contract.name)
    if parent is None:
        return [], 0
    publish.mark_ended(session.repository, candidate, drop, "superseded")
    unresolved = unresolved_rows(session, parent)
    mine = unresolved.filter(pc.equal(unresolved.column(DROP), drop)).select(IDENTITY)
    if not mine.num_rows:
        return parent.resolved, 0
    parquet.write_table(mine, folder / "superseded.parquet")
    frame = session.engine.read_parquet([(folder / "superseded.parquet").as_uri()])
    rows = resolution_rows(frame, "superseded", version=candidate.number, attempt=candidate.attempt)
    write_table(session, rows, ref=candidate.branch, path=path, mode="append", statistics=[DROP, ROW])
    files = table_files(session, candidate.branch, path, known=parent.resolved)
    if sum(item.rows for item in files) - sum(item.rows for item in parent.resolved) != mine.num_rows:
        what = f"{mine.num_rows} rows were to be resolved"
        raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
    return files, mine.num_rows
