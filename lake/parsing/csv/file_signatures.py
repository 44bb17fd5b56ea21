"""What a delivered file is that is no delimited text, by its first bytes, and what to do with it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

TEXT: Final = "deliver delimited text in UTF-8"
CSV: Final = (
    "save the sheet as CSV (Excel: CSV UTF-8; LibreOffice: Text CSV), one file for each sheet, "
    "and deliver that"
)
EXPORT: Final = "export the table as CSV in UTF-8, with a header, and deliver that"
UNPACK: Final = "deliver it plain, as gzip, or as a zip with exactly one file in it"
UTF8: Final = "save it as UTF-8 (Excel: CSV UTF-8), or convert it, as `iconv -f {} -t UTF-8` does"
NESTED: Final = (
    "export it as CSV with a header, a column for each key; what is nested can be in a column of "
    "logicalType object or array, as JSON text"
)
PAGE: Final = (
    "look into it: a page that asks to log in, or tells an error, is often saved under the file's name"
)


class Look(NamedTuple):
    """What a file is taken for, and what to do now."""

    what: str
    fix: str = TEXT


_MAGIC: Final = (
    (b"\x89PNG", Look("a PNG image")),
    (b"\xff\xd8\xff", Look("a JPEG image")),
    (b"%PDF-", Look("a PDF document", EXPORT)),
    (b"PAR1", Look("a Parquet file", EXPORT)),
    (b"ARROW1", Look("an Arrow file", EXPORT)),
    (b"ORC", Look("an ORC file", EXPORT)),
    (b"Obj\x01", Look("an Avro file", EXPORT)),
    (b"\x7fELF", Look("a program")),
    (b"SQLite format 3", Look("an SQLite database", EXPORT)),
    (b"\xd0\xcf\x11\xe0", Look("an old Excel or Word document", CSV)),
    (b"\x1f\x8b", Look("a gzip inside the delivered one", UNPACK)),
    (b"PK\x03\x04", Look("a zip, or an Excel workbook, inside the delivered file", UNPACK)),
    (b"BZh", Look("a bzip2 file", UNPACK)),
    (b"\xfd7zXZ", Look("an xz file", UNPACK)),
    (b"7z\xbc\xaf", Look("a 7z archive", UNPACK)),
    (b"Rar!", Look("a RAR archive", UNPACK)),
    (b"\x28\xb5\x2f\xfd", Look("a Zstandard file", UNPACK)),
    (b"\xff\xfe", Look("UTF-16 text", UTF8.format("UTF-16"))),
    (b"\xfe\xff", Look("UTF-16 text", UTF8.format("UTF-16"))),
)
"""First bytes of what gets delivered by mistake under the name of a CSV."""
_TEXTS: Final = (
    (re.compile(rb'\s*\[\s*([\[{"]|\]?\s*$)'), Look("JSON (an array)", NESTED)),
    (re.compile(rb'\s*\{\s*"[^"]*"\s*:.*\}\s*$', re.DOTALL), Look("JSON (an object on each line)", NESTED)),
    (re.compile(rb'\s*\{\s*("[^"]*"\s*:|$)'), Look("JSON (an object)", NESTED)),
    (re.compile(rb"\s*<(!doctype|html)\b", re.IGNORECASE), Look("an HTML page", PAGE)),
    (re.compile(rb"\s*<\?xml\b"), Look("XML (an old Excel export, or what a service sent)", EXPORT)),
)
"""First lines that no header of a table has."""
_EXCEL: Final = re.compile(rb'"?sep=(.)"?\1*\s*$')


def text_look(line: bytes) -> Look | None:
    """What a first line is that is readable text, and no header; None where it may be one."""
    if _EXCEL.fullmatch(line):
        fix = "take the line sep= out of the file, and deliver it again"
        return Look("a note to Excel, not the header", fix)
    return next((look for pattern, look in _TEXTS if pattern.match(line)), None)


def binary_look(first: bytes) -> Look:
    """What a file is whose first bytes are no header in UTF-8."""
    if (found := next((look for magic, look in _MAGIC if first.startswith(magic)), None)) is not None:
        return found
    if b"\0" in first:
        wide = Look("UTF-16 text without its mark", UTF8.format("UTF-16LE"))
        return wide if _wide(first) else Look("binary data")
    try:
        first.decode()
    except UnicodeDecodeError:
        return Look("text in Windows-1252 or Latin-1, as Excel saves plain CSV", UTF8.format("WINDOWS-1252"))
    return Look("no delimited text")


def _wide(first: bytes) -> bool:
    """Whether every other byte is a zero, and no other is, as in UTF-16 of Western text."""
    halves = sorted((first[::2].count(0), first[1::2].count(0)))
    return halves[0] == 0 and halves[1] >= max(len(first) // 2, 3)
