"""Make a staging file of quarantined records again.

They are parsed as the contract says now, and keep their own numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from catalog.contract import Contract
from expectations.typed_frame import RECORD, ROW
from lake.hops.raw import recorded_header
from lake.parsing.formats import Header, format_of
from lake.parsing.staging_file import read_staging
from lake.session import Session
from lakegate.errors import IntegrityError

if TYPE_CHECKING:
    import pyarrow as pa


def stage_records(session: Session, contract: Contract, drop: str, rows: pa.Table, folder: Path) -> Path:
    """A staging file in `folder` of a drop's records.

    Args:
        session: The open lake.
        contract: Says how a file is read.
        drop: Whose raw version knows the columns, in the file's order.
        rows: `_row` and `_record` of each, by number.
        folder: Scratch folder.

    Raises:
        IntegrityError: The columns are not known, or the records are no longer as many.
    """
    import pyarrow.compute as pc
    from pyarrow import parquet

    header = recorded_header(session, contract, drop)
    if not header:
        what = f"the raw version of drop {drop[:12]} tells no columns"
        raise IntegrityError(what, fix="`lakegate verify --all` tells what is missing")
    records = rows.column(RECORD).to_pylist()
    parsed = format_of(contract.file).restage(records, _present(header, contract), folder=folder)
    if parsed.staging is None or parsed.records != rows.num_rows:
        what = f"{rows.num_rows} quarantined rows read as {parsed.records} records"
        raise IntegrityError(what, where=f"drop {drop[:12]}", fix="restore the file format in its contract")
    table = read_staging(parsed.staging)
    places = pc.subtract(table.column(ROW), 1).combine_chunks()
    numbers = rows.column(ROW).combine_chunks().take(places)
    staging = folder / "staging.parquet"
    parquet.write_table(table.set_column(table.schema.get_field_index(ROW), ROW, numbers), staging)
    return staging


def _present(header: Header, contract: Contract) -> list[tuple[str, str]]:
    """A recorded header: each text, and the one that brings its column now, or one that brings none."""
    now: dict[str | None, str] = {column.name: column.header for column in contract.columns}
    used = {now[name] for _, name in header if name in now}
    return [(text, now.get(name, f"{text} " if text in used else text)) for text, name in header]
