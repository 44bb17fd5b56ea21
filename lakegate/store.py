"""Where a manifest's files are read from: the home's own blockstore, or a lakeFS elsewhere. Nothing is proved here (see `lakegate.proved`)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn, Protocol

import pyarrow as pa

from lakegate.errors import GONE, IntegrityError, LakegateError, Transient
from lakegate.gateway import file_system
from lakegate.home import Endpoint
from lakegate.manifest import DataFile, Manifest
from lakegate.names import VersionName
from lakegate.settings import Settings

ATTEMPTS = 3
"""Tries per request. A reader must come to an end: beyond this the caller decides."""

CONNECT_SECONDS, REQUEST_SECONDS = 5.0, 60.0
"""The second bounds each wait for bytes, not the whole transfer."""

CHUNK = 4 * 1024**2
"""Bytes hashed at a time."""

_REFUSED = re.compile(r"ACCESS_DENIED|HTTP status 40[013]\b")
"""Wrong keys; ill-formed ones, or a ref that never was, get a bare 400. Trying again helps none of them."""


class FileGone(IntegrityError):
    """A file that a manifest lists is not in the store."""


class PathRefused(IntegrityError):
    """A path in a manifest leads out of its store."""


class Store(Protocol):
    """A place that holds the files of one version."""

    def open_unproved(self, file: DataFile) -> pa.NativeFile:
        """Open a file for random access, for whoever proves what is read of it.

        Raises:
            FileGone: It is not there.
            PathRefused: Its path leads out of the store.
            Transient: The store doesn't answer.
        """

    def fault(self, file: DataFile, error: OSError) -> LakegateError:
        """What an error met while opening or reading a file means."""


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
        """What an error met while reading a block means."""
        where = _where(self.version, file)
        if isinstance(error, FileNotFoundError):
            return _gone(file, where=where, store=str(self.root))
        what = f"the block {file.physical} can't be read ({type(error).__name__})"
        return LakegateError(
            what, where=where, fix=f"check that {self.root} is readable by you and that its disk is sound"
        )


class GatewayStore:
    """A lakeFS elsewhere, through its S3 gateway: it reads, and shows neither its keys nor a file system that could write."""

    def __init__(self, endpoint: Endpoint, repository: str, version: VersionName) -> None:
        self.url, self.repository, self.version = endpoint.url, repository, version
        self._open = _opener(endpoint)

    def __repr__(self) -> str:
        return (
            f"GatewayStore(url={self.url!r}, repository={self.repository!r}, version={str(self.version)!r})"
        )

    def __reduce__(self) -> NoReturn:
        msg = "a connection to lakeFS is not pickled, for its keys would be; open the version again where it is read"
        raise TypeError(msg)

    def open_unproved(self, file: DataFile) -> pa.NativeFile:
        """Open `<repository>/<tag>/<file.path>`; see `Store.open_unproved`."""
        path = f"{self.repository}/{self.version.tag}/{_inside(file.path, where=_where(self.version, file))}"
        try:
            return self._open(path)
        except OSError as error:
            raise self.fault(file, error) from error

    def fault(self, file: DataFile, error: OSError) -> LakegateError:
        """What an answer of the gateway means."""
        where, text = _where(self.version, file), str(error)
        if isinstance(error, FileNotFoundError) or GONE.search(text):
            return _gone(file, where=where, store=f"{self.url}, {self.repository}, tag {self.version.tag}")
        if _REFUSED.search(text):
            what = f"lakeFS at {self.url} refuses these keys or this tag"
            return LakegateError(
                what,
                where=where,
                fix="check LAKEGATE_LAKEFS_KEY_ID and LAKEGATE_LAKEFS_SECRET, or the home you named",
            )
        if "AWS Error" not in text:  # Arrow's own, and no answer: it would come again
            what = f"the object can't be read ({type(error).__name__})"
            return LakegateError(what, where=where, fix=FIX)
        what = f"lakeFS at {self.url} did not deliver after {ATTEMPTS} tries"
        return Transient(what, where=where, fix="try again; `lakegate status` shows whether it runs")


def _opener(endpoint: Endpoint) -> Callable[[str], pa.NativeFile]:
    """What opens a path for reading."""
    filesystem = file_system(endpoint, connect=CONNECT_SECONDS, request=REQUEST_SECONDS, attempts=ATTEMPTS)

    def open_path(path: str) -> pa.NativeFile:
        return filesystem.open_input_file(path)

    return open_path


def choose_store(settings: Settings, manifest: Manifest) -> Store:
    """The external lakeFS where one is set, with the keys that the settings name; else the home's blocks, which no key is asked for."""
    if settings.lakefs is not None:
        return GatewayStore(settings.lakefs, settings.repository, manifest.name)
    prefix = (settings.lakefs_namespace or "").removeprefix("local://").strip("/")
    return BlockStore(settings.home.blocks / prefix, manifest.name)


def digest(source: pa.NativeFile) -> tuple[int, str]:
    """Size and hex SHA-256 of what is left to read."""
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
