"""A delivered file becomes plain bytes on disk: as it is, out of a gzip, or out of a zip with one member."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catalog.contract import FileFormat
from lake.parsing.file_signatures import zip_look
from lakegate.errors import DataRejected

Packing = Literal["plain", "gzip", "zip"]

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
CHUNK = 1024 * 1024
MAX_RATIO = 200
"""Unpacked to packed size: real text stays below 100, a bomb is near 1000."""
RATIO_FROM = 64 * 1024**2
"""Below this many bytes no ratio is suspicious: it does no harm, and a short file of one repeated line is legal."""
ENCRYPTED = 0x1
"""Bit of a zip member's flags (APPNOTE.TXT, section 4.4.4)."""

_DAMAGE = (EOFError, zlib.error, struct.error, gzip.BadGzipFile, zipfile.BadZipFile)


@dataclass(frozen=True)
class Unpacked:
    """A delivery as plain bytes: `path` is the delivered file itself where it was plain; `size` in bytes."""

    path: Path
    size: int
    packing: Packing


def unpack(raw: Path, into: Path, *, limit: FileFormat) -> Unpacked:
    """Unpack a delivery, told by its first bytes, into the file `into`; a plain one is not copied.

    Raises:
        DataRejected: It is damaged, encrypted, holds several files, or unpacks to more than the contract allows.
    """
    size = raw.stat().st_size
    with raw.open("rb") as file:
        magic = file.read(4)
    if magic.startswith(GZIP_MAGIC):
        return Unpacked(into, _write(_gzip(raw), into, raw=raw, packed=size, limit=limit), "gzip")
    if magic in ZIP_MAGICS:
        return Unpacked(into, _write(_zip(raw), into, raw=raw, packed=size, limit=limit), "zip")
    _check_size(size, raw=raw, packed=size, limit=limit)
    return Unpacked(raw, size, "plain")


def _write(chunks: Iterator[bytes], into: Path, *, raw: Path, packed: int, limit: FileFormat) -> int:
    written = 0
    try:
        with into.open("wb") as file:
            for chunk in chunks:
                written += len(chunk)
                _check_size(written, raw=raw, packed=packed, limit=limit)
                file.write(chunk)
    except BaseException:
        into.unlink(missing_ok=True)
        raise
    return written


def _check_size(size: int, *, raw: Path, packed: int, limit: FileFormat) -> None:
    if size > limit.max_bytes:
        what = f"it holds more than {limit.max_bytes:,} bytes, the most that its contract allows"
        raise DataRejected(
            what, where=raw.name, fix="deliver it in parts, or raise the limit in the contract"
        )
    if size > RATIO_FROM and size > MAX_RATIO * packed:
        what = f"it unpacks to over {MAX_RATIO} times its size, as decompression bombs do"
        raise DataRejected(what, where=raw.name, fix="deliver it uncompressed if it is meant to be so")


def _gzip(raw: Path) -> Iterator[bytes]:
    with gzip.open(raw, "rb") as packed:
        while True:
            try:
                chunk = packed.read(CHUNK)
            except _DAMAGE as error:
                raise _damaged(raw, "gzip", error) from error
            if not chunk:
                return
            yield chunk


def _zip(raw: Path) -> Iterator[bytes]:
    try:
        archive = zipfile.ZipFile(raw)
    except (*_DAMAGE, NotImplementedError, ValueError, OSError) as error:
        raise _damaged(raw, "zip", error) from error
    with archive:
        member = _only_member(archive, raw)
        try:
            packed = archive.open(member)
        except (*_DAMAGE, NotImplementedError, ValueError, OSError) as error:
            raise _damaged(raw, "zip", error) from error
        with packed:
            while True:
                try:
                    chunk = packed.read(CHUNK)
                except _DAMAGE as error:
                    raise _damaged(raw, "zip", error) from error
                if not chunk:
                    return
                yield chunk


def _only_member(archive: zipfile.ZipFile, raw: Path) -> zipfile.ZipInfo:
    if (look := zip_look(archive.namelist())) is not None:
        raise DataRejected(f"it is {look.what}, no delimited text", where=raw.name, fix=look.fix)
    members = [member for member in archive.infolist() if not _beside(member.filename)]
    if len(members) != 1:
        what = f"the zip holds {len(members)} files"
        raise DataRejected(
            what, where=raw.name, fix="deliver a zip with exactly one file in it, or each file on its own"
        )
    if members[0].flag_bits & ENCRYPTED:
        raise DataRejected("the zip is encrypted", where=raw.name, fix="deliver it without a password")
    # Python's bzip2 and lzma readers unpack a piece of input in one go, whatever it swells to.
    if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        what = f"the zip uses compression method {members[0].compress_type}"
        raise DataRejected(
            what, where=raw.name, fix="deliver a zip that is stored or deflated, as zip tools do by default"
        )
    return members[0]


def _beside(name: str) -> bool:
    """Whether a member is a folder, or what macOS puts beside the files that it packs."""
    return name.endswith("/") or name.startswith("__MACOSX/") or name.rpartition("/")[2] == ".DS_Store"


def _damaged(raw: Path, kind: str, error: Exception) -> DataRejected:
    if isinstance(error, EOFError):
        return DataRejected(
            f"the {kind} is truncated: it ends before its data does",
            where=raw.name,
            fix="deliver it again, whole",
        )
    what = f"the {kind} is damaged or truncated ({type(error).__name__})"
    return DataRejected(what, where=raw.name, fix="test it where it was made, then deliver it again")
