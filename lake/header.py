"""The header of a delimited file: its column names, or what the file looks like instead."""

from __future__ import annotations

from catalog.contract import FileFormat
from lake.grammar import Grammar
from lake.splitter import Buffer
from lakegate.errors import DataRejected

MAX_HEADER = 1024**2
"""Bytes of a header; 2,000 columns of 500 characters."""
FIRST_PRINTABLE = 0x20

_LOOKS = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF-", "a PDF document"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"Obj\x01", "an Avro file"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document"),
    (b"\x1f\x8b", "a gzip inside the delivered one"),
    (b"PK\x03\x04", "a zip, or an Excel workbook"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
)
"""First bytes of what gets delivered by mistake under the name of a CSV."""


def read_header(data: Buffer, span: tuple[int, int], format: FileFormat, *, where: str) -> tuple[str, ...]:  # noqa: A002
    """The column names, as delivered.

    Raises:
        DataRejected: The header is too large, binary, not UTF-8, or its quotes don't balance; its text is never shown, since
            a file without a header has a person's data there.
    """
    start, end = span
    if end - start > MAX_HEADER:
        what = f"the header is {end - start:,} bytes long, which no table's is; {_guess(data, start)}"
        raise DataRejected(what, where=where, fix=f"deliver delimited text with a header of at most {MAX_HEADER:,} bytes")
    raw = data[start:end]
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        what = f"the header is not UTF-8 text; {_guess(data, start)}"
        raise DataRejected(what, where=where, fix="deliver delimited text in UTF-8") from error
    if any(ord(character) < FIRST_PRINTABLE and character not in "\t\r\n" for character in text):
        what = f"the header holds control characters; {_guess(data, start)}"
        raise DataRejected(what, where=where, fix="deliver delimited text in UTF-8")
    fields = Grammar(format.delimiter).fields(raw)
    if fields is None:
        raise DataRejected("the header's quotes don't balance", where=where, fix="quote names as RFC 4180 says, or not at all")
    if len(fields) > format.max_columns:
        what = f"the header has {len(fields):,} columns, at most {format.max_columns:,} are allowed"
        raise DataRejected(what, where=where, fix="check delimiter and line ends, or raise the limit in the contract")
    return tuple(_name(name.decode()) for name in fields)


def _name(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _guess(data: Buffer, start: int) -> str:
    first = data[start : start + 64]
    for magic, looks in _LOOKS:
        if first.startswith(magic):
            return f"it looks like {looks}"
    return "it looks like binary data" if b"\0" in first else "it looks like no delimited text"
