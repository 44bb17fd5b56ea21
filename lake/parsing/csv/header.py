"""The header of a delimited file: its column names, or what the file looks like instead."""

from __future__ import annotations

from catalog.contract import FileFormat
from lake.parsing.csv.file_signatures import binary_look, text_look
from lake.parsing.csv.grammar import Grammar
from lake.parsing.csv.lines import Buffer
from lakegate.errors import DataRejected

MAX_HEADER = 1024**2
"""Bytes of a header; 2,000 columns of 500 characters."""
FIRST_PRINTABLE = 0x20
FIRST = 64
"""Bytes by which a file is recognized that is no text."""


def read_header(
    data: Buffer,
    span: tuple[int, int],
    format: FileFormat,  # noqa: A002
    *,
    where: str,
) -> tuple[str, ...]:
    """The column names, as delivered.

    Args:
        data: The file.
        span: First byte of the header, and the byte behind it.
        format: The contract's delimiter and limits.
        where: Name of the file, for errors.

    Raises:
        DataRejected: The header is too large, binary, not UTF-8, or its quotes don't balance; its text is
            never shown, since a file without a header has a person's data there.
    """
    start, end = span
    if end - start > MAX_HEADER:
        look = text_look(data[start : start + FIRST]) or binary_look(data[start : start + FIRST])
        what = f"the header is {end - start:,} bytes long, which no table's is; it looks like {look.what}"
        fix = f"deliver delimited text with a header of at most {MAX_HEADER:,} bytes"
        raise DataRejected(what, where=where, fix=fix)
    raw = data[start:end]
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        look = binary_look(raw)
        what = f"the header is not UTF-8 text; it looks like {look.what}"
        raise DataRejected(what, where=where, fix=look.fix) from error
    if any(ord(character) < FIRST_PRINTABLE and character not in "\t\r\n" for character in text):
        look = binary_look(raw[:FIRST])
        what = f"the header holds control characters; it looks like {look.what}"
        raise DataRejected(what, where=where, fix=look.fix)
    if (found := text_look(raw)) is not None:
        raise DataRejected(f"the first line looks like {found.what}", where=where, fix=found.fix)
    if (fields := Grammar(format.delimiter).fields(raw)) is None:
        fix = "quote names as RFC 4180 says, or not at all"
        raise DataRejected("the header's quotes don't balance", where=where, fix=fix)
    if len(fields) > format.max_columns:
        what = f"the header has {len(fields):,} columns, at most {format.max_columns:,} are allowed"
        fix = "check delimiter and line ends, or raise the limit in the contract"
        raise DataRejected(what, where=where, fix=fix)
    return tuple(_name(name.decode()) for name in fields)


def _name(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
