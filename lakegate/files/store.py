"""The store of a manifest's files: the home's own blockstore, or an external lakeFS.

Nothing is proved here; see `lakegate.files.proved`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn, Protocol

import pyarrow as pa

from lakegate.errors import GONE, IntegrityError, LakegateError, Transient
from lakegate.files.gateway import file_system
from lakegate.home import Endpoint
from lakegate.manifest import DataFile, Manifest
from lakegate.names import VersionName
from lakegate.settings import Settings

ATTEMPTS = 3
"""Tries per request, after which the caller decides."""

CONNECT_SECONDS, REQUEST_SECONDS = 5.0, 60.0
"""Time-outs; the second one is for each wait for bytes, not the whole transfer."""

CHUNK = 4 * 1024**2
"""Bytes hashed at a time."""

REFUSED = "refuses these keys or this tag"
CHECK_KEYS = "check LAKEGATE_LAKEFS_KEY_ID and LAKEGATE_LAKEFS_SECRET, or the home you named"
_REFUSED = re.compile(r"ACCESS_DENIED|HTTP status 40[013]\b")
"""Wrong keys; malformed ones, or a ref that never existed, get a bare 400. Another try helps none of them."""


class FileGone(IntegrityError):
    """A file that a manifest lists is not in the store."""


class PathRefused(IntegrityError):
    """A path in a manifest leads out of its store."""


class Store(Protocol):
    """A place that holds the files of one version."""

    def open_unproved(self, file: DataFile) -> pa.NativeFile:
        """Open a file for random access; the caller proves what it reads.

        Raises:
            FileGone: It is not there.
            PathRefused: Its path leads out of the store.
            Transient: The store doesn't respond.
        """

    def fault(self, file: DataFile, error: OSError) -> LakegateError:
        """Our error for one met while opening or reading a file."""


@dataclass(frozen=True)
class BlockStore:
    """The home's local blockstore, which needs no server and no key."""

    root: Path
    version: VersionName

    def open_unproved(self, file: DataFile) -> pa.NativeFile:
        """Open `root / file.physical`; see `Store.open_unproved`."""
        where = _where(self.version, file)
        root = self.root.resolve()
        target = (root / _inside(file.physical, where=where)).resolve()
        if not target.is_relative_to(root):
            what = f"{file.physical!r} leads out of the store"
            raise PathRefused(what, where=where, fix=FIX)
        if not target.is_file():
            raise _gone(file, where=where, store=str(root))
        try:
            return pa.OSFile(str(target), "rb")
        except OSError as error:
            raise self.fault(file, error) from error

    def fault(self, file: DataFile, error: OSError) -> LakegateError:
        """Our error for one met while reading a block."""
        where = _where(self.version, file)
        if isinstance(error, FileNotFoundError):
            return _gone(file, where=where, store=str(self.root))
        what = f"the block {file.physical} can't be read ({type(error).__name__})"
        fix = f"check that {self.root} is readable by you and that its disk is sound"
        return LakegateError(what, where=where, fix=fix)


class GatewayStore:
    """An external lakeFS's S3 gateway, read-only: it exposes no keys, and no file system that could write."""

    def __init__(self, endpoint: Endpoint, repository: str, version: VersionName) -> None:
        self.url, self.repository, self.version = endpoint.url, repository, version
        self._open = _opener(endpoint)

    def __repr__(self) -> str:
        named = f"url={self.url!r}, repository={self.repository!r}, version={str(self.version)!r}"
        return f"GatewayStore({named})"

    def __reduce__(self) -> NoReturn:
        msg = "a connection to lakeFS is not pickled, for its keys would be; open the version again"
        raise TypeError(msg)

    def open_unproved(self, file: DataFile) -> pa.NativeFile:
        """Open `<repository>/<tag>/<file.path>`; see `Store.open_unproved`."""
        path = f"{self.repository}/{self.version.tag}/{_inside(file.path, where=_where(self.version, file))}"
        try:
            return self._open(path)
        except OSError as error:
            raise self.fault(file, error) from error

    def fault(self, file: DataFile, error: OSError) -> LakegateError:
        """Our error for one of the gateway."""
        where, text = _where(self.version, file), str(error)
        if isinstance(error, FileNotFoundError) or GONE.search(text):
            return _gone(file, where=where, store=f"{self.url}, {self.repository}, tag {self.version.tag}")
        if _REFUSED.search(text):
            return LakegateError(f"lakeFS at {self.url} {REFUSED}", where=where, fix=CHECK_KEYS)
        if "AWS Error" not in text:  # Arrow's own error, which another try won't change
            what = f"the object can't be read ({type(error).__name__})"
            return LakegateError(what, where=where, fix=FIX)
        what = f"lakeFS at {self.url} did not deliver after {ATTEMPTS} tries"
        return Transient(what, where=where, fix="try again; `lakegate status` shows whether it runs")


def _opener(endpoint: Endpoint) -> Callable[[str], pa.NativeFile]:
    """A function that opens a path for reading; it hides the file system, which could write."""
    filesystem = file_system(endpoint, connect=CONNECT_SECONDS, request=REQUEST_SECONDS, attempts=ATTEMPTS)

    def open_path(path: str) -> pa.NativeFile:
        return filesystem.open_input_file(path)

    return open_path


def choose_store(settings: Settings, manifest: Manifest) -> Store:
    """The external lakeFS where one is set, with the settings' keys; else the home's blocks, without keys."""
    if settings.lakefs is not None:
        return GatewayStore(settings.lakefs, settings.repository, manifest.name)
    prefix = (settings.lakefs_namespace or "").removeprefix("local://").strip("/")
    return BlockStore(settings.home.blocks / prefix, manifest.name)


def digest(source: pa.NativeFile) -> tuple[int, str]:
    """Size and hex SHA-256 of the rest of a source."""
    running, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        running.update(chunk)
        size += len(chunk)
    return size, running.hexdigest()


FIX = "`lakegate verify` names every gap of the version; restore the file from a copy of the store"


def _where(version: VersionName, file: DataFile) -> str:
    return f"{version}, {file.path}"


def _inside(path: str, *, where: str) -> str:
    if not path or "\0" in path or path.startswith("/") or ".." in PurePosixPath(path).parts:
        what = f"{path!r} leads out of the store"
        raise PathRefused(what, where=where, fix=FIX)
    return path


def differs(kind: str, expected: object, found: object, *, where: str) -> IntegrityError:
    """The error that a file is not what its manifest says."""
    return IntegrityError(f"{kind} {expected} expected, {found} found", where=where, fix=FIX)


def _gone(file: DataFile, *, where: str, store: str) -> FileGone:
    what = f"the file is missing (block {file.physical}; looked in {store})"
    return FileGone(what, where=where, fix=FIX)
