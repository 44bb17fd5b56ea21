"""A delivered file becomes plain bytes on disk: as it is, out of a gzip, or out of a zip with one member.

A delivery may be damaged, or a bomb: what it unpacks to is counted while it is written.
"""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

from catalog.contract import FileFormat
from lakegate.errors import DataRejected

Packing = Literal["plain", "gzip", "zip"]

GZIP_MAGIC: Final = b"\x1f\x8b"
ZIP_MAGICS: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
CHUNK: Final = 1024 * 1024
MAX_RATIO: Final = 200
"""Unpacked to packed size: real text stays below 100, a bomb is near 1000."""
RATIO_FROM = 64 * 1024**2
"""Below this many bytes no ratio is suspicious: it does no harm, and a short file of one repeated line is
legal."""
ENCRYPTED: Final = 0x1
"""Bit of a zip member's flags (APPNOTE.TXT, section 4.4.4)."""
OFFICE: Final = {
    "xl/": "an Excel workbook (.xlsx)",
    "word/": "a Word document (.docx)",
    "ppt/": "a PowerPoint document (.pptx)",
}
"""Documents of Microsoft Office, which are zips, by a folder in them."""

_DAMAGE: Final = (EOFError, zlib.error, struct.error, gzip.BadGzipFile, zipfile.BadZipFile)
_UNUSABLE: Final = (*_DAMAGE, NotImplementedError, ValueError, OSError)
"""What a zip raises that can't be opened."""


@dataclass(frozen=True)
class Unpacked:
    """A delivery as plain bytes: `path` is the delivered file itself where it was plain; `size` in bytes."""

    path: Path
    size: int
    packing: Packing


def unpack(raw: Path, into: Path, *, limit: FileFormat) -> Unpacked:
    """Unpack a delivery into the file `into`; a plain one is not copied. Its first bytes say what it is.

    Args:
        raw: The delivered file.
        into: Where the unpacked bytes go; removed again where they are refused.
        limit: The format that has the contract's `max_bytes`.

    Raises:
        DataRejected: It is damaged, encrypted, holds several files, or unpacks to more than is allowed.
    """
    packed = raw.stat().st_size
    if (packing := _packing(raw)) == "plain":
        _check_size(packed, raw=raw, packed=packed, limit=limit)
        return Unpacked(raw, packed, packing)
    size = 0
    try:
        with into.open("wb") as file:
            for chunk in _chunks(raw, packing):
                size += len(chunk)
                _check_size(size, raw=raw, packed=packed, limit=limit)
                file.write(chunk)
    except BaseException:
        into.unlink(missing_ok=True)
        raise
    return Unpacked(into, size, packing)


def _packing(raw: Path) -> Packing:
    with raw.open("rb") as file:
        magic = file.read(4)
    if magic.startswith(GZIP_MAGIC):
        return "gzip"
    return "zip" if magic in ZIP_MAGICS else "plain"


def _check_size(size: int, *, raw: Path, packed: int, limit: FileFormat) -> None:
    if size > limit.max_bytes:
        what = f"it holds more than {limit.max_bytes:,} bytes, the most that its contract allows"
        fix = "deliver it in parts, or raise the limit in the contract"
        raise DataRejected(what, where=raw.name, fix=fix)
    if size > RATIO_FROM and size > MAX_RATIO * packed:
        what = f"it unpacks to over {MAX_RATIO} times its size, as decompression bombs do"
        raise DataRejected(what, where=raw.name, fix="deliver it uncompressed if it is meant to be so")


def _chunks(raw: Path, packing: Packing) -> Iterator[bytes]:
    try:
        with gzip.open(raw, "rb") if packing == "gzip" else _open_zip(raw) as unpacked:
            while chunk := unpacked.read(CHUNK):
                yield chunk
    except _DAMAGE as error:
        raise _damaged(raw, packing, error) from error


def _open_zip(raw: Path) -> IO[bytes]:
    """The only member of a zip, which can be read on when its archive is closed."""
    try:
        with zipfile.ZipFile(raw) as archive:
            return archive.open(_only_member(archive, raw))
    except _UNUSABLE as error:
        raise _damaged(raw, "zip", error) from error


def _only_member(archive: zipfile.ZipFile, raw: Path) -> zipfile.ZipInfo:
    if (document := _document(archive.namelist())) is not None:
        fix = "export it in the format of the contract (for CSV, Excel: CSV UTF-8; LibreOffice: Text CSV), "
        fix += "one file for each sheet, and deliver that"
        raise DataRejected(f"it is {document}, no packed file of data", where=raw.name, fix=fix)
    members = [member for member in archive.infolist() if not _is_clutter(member.filename)]
    if len(members) != 1:
        fix = "deliver a zip with exactly one file in it, or each file on its own"
        raise DataRejected(f"the zip holds {len(members)} files", where=raw.name, fix=fix)
    if members[0].flag_bits & ENCRYPTED:
        raise DataRejected("the zip is encrypted", where=raw.name, fix="deliver it without a password")
    # Python's bzip2 and lzma readers unpack a piece of input in one go, whatever it swells to.
    if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        what = f"the zip uses compression method {members[0].compress_type}"
        fix = "deliver a zip that is stored or deflated, as zip tools do by default"
        raise DataRejected(what, where=raw.name, fix=fix)
    return members[0]


def _document(names: Collection[str]) -> str | None:
    """What document a zip of these members is; None where it is a zip and nothing else."""
    if "[Content_Types].xml" in names:
        found = (kind for folder, kind in OFFICE.items() if any(name.startswith(folder) for name in names))
        return next(found, "an Office document")
    if "mimetype" in names and "META-INF/manifest.xml" in names:
        return "a LibreOffice document (.ods, .odt)"
    return None


def _is_clutter(name: str) -> bool:
    """Whether a member is a folder, or what macOS puts beside the files that it packs."""
    return name.endswith("/") or name.startswith("__MACOSX/") or name.rpartition("/")[2] == ".DS_Store"


def _damaged(raw: Path, packing: Packing, error: Exception) -> DataRejected:
    if isinstance(error, EOFError):
        what = f"the {packing} is truncated: it ends before its data does"
        return DataRejected(what, where=raw.name, fix="deliver it again, whole")
    what = f"the {packing} is damaged or truncated ({type(error).__name__})"
    return DataRejected(what, where=raw.name, fix="test it where it was made, then deliver it again")
