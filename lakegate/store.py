"""Where a manifest's files are read from: a lakeFS that answers, else the home's own blockstore."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow.fs import AwsStandardS3RetryStrategy, FileSystem, S3FileSystem

from lakegate.errors import IntegrityError, LakegateError, Transient
from lakegate.home import Endpoint
from lakegate.manifest import DataFile, Manifest
from lakegate.names import VersionName
from lakegate.settings import Settings

HEALTH_SECONDS = 1.0
"""A server on loopback answers in milliseconds; one that takes longer is not worth waiting for, the blocks lie next to it."""

ATTEMPTS = 3
"""Tries per request. A reader must come to an end: beyond this the caller decides."""

CONNECT_SECONDS, REQUEST_SECONDS = 5.0, 60.0
"""The second bounds each wait for bytes, not the whole transfer."""

CHUNK = 4 * 1024**2
"""Bytes hashed at a time."""

_GONE = re.compile(r"HTTP status (404|410)\b|RESOURCE_NOT_FOUND|NO_SUCH_KEY")
"""lakeFS knows the object and its block is away: the HEAD succeeds, then the GET fails with one of these (Arrow names the
same answer now one way, now another)."""

_REFUSED = re.compile(r"ACCESS_DENIED|HTTP status 40[013]\b")
"""Wrong keys; ill-formed ones, or a ref that never was, get a bare 400. Trying again helps none of them."""


class FileGone(IntegrityError):
    """A file that a manifest lists is not in the store."""


class PathRefused(IntegrityError):
    """A path in a manifest leads out of its store."""


class Store(Protocol):
    """A place that holds the files of one version."""

    def open(self, file: DataFile, *, check: bool = True) -> pa.NativeFile:
        """Open a file for random access; `check=False` leaves size and hash to the caller.

        Raises:
            FileGone: It is not there.
            PathRefused: Its path leads out of the store.
            IntegrityError: It is not what the manifest says.
            Transient: The store doesn't answer.
        """

    def fault(self, file: DataFile, error: OSError) -> LakegateError:
        """What an error met while opening or reading a file means."""


@dataclass(frozen=True)
class BlockStore:
    """The home's local blockstore; needs no server, so every file is hashed before a byte of it is used."""

    root: Path
    version: VersionName

    def open(self, file: DataFile, *, check: bool = True) -> pa.NativeFile:
        """Open `root / file.physical`, with size and SHA-256 checked through the handle that is returned; see `Store.open`."""
        where = _where(self.version, file)
        root = self.root.resolve()
        target = (root / _inside(file.physical, where=where)).resolve()
        if not target.is_relative_to(root):
            what = f"{file.physical!r} leads out of the store"
            raise PathRefused(what, where=where, fix=_FIX)
        if not target.is_file():
            raise _gone(file, where=where, store=str(root))
        try:
            source = pa.OSFile(str(target), "rb")
            if check:
                _demand(source, file, where=where)
                source.seek(0)
        except OSError as error:
            raise self.fault(file, error) from error
        return source

    def fault(self, file: DataFile, error: OSError) -> LakegateError:
        """What an error met while reading a block means."""
        where = _where(self.version, file)
        if isinstance(error, FileNotFoundError):
            return _gone(file, where=where, store=str(self.root))
        what = f"the block {file.physical} can't be read ({type(error).__name__})"
        return LakegateError(what, where=where, fix=f"check that {self.root} is readable by you and that its disk is sound")


@dataclass(frozen=True)
class GatewayStore:
    """A lakeFS through its S3 gateway; sizes are checked here, every byte by `lakegate verify`."""

    endpoint: Endpoint
    repository: str
    version: VersionName
    connect_seconds: float = field(default=CONNECT_SECONDS, kw_only=True)

    @cached_property
    def filesystem(self) -> FileSystem:
        """The gateway as a file system: path-style, a bounded number of tries, no look-up of keys or region elsewhere."""
        url = urlsplit(self.endpoint.url)
        return S3FileSystem(
            access_key=self.endpoint.key_id,
            secret_key=self.endpoint.secret,
            endpoint_override=url.netloc,
            scheme=url.scheme,
            region="us-east-1",
            retry_strategy=AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
            connect_timeout=self.connect_seconds,
            request_timeout=REQUEST_SECONDS,
        )

    def open(self, file: DataFile, *, check: bool = True) -> pa.NativeFile:
        """Open `<repository>/<tag>/<file.path>`; see `Store.open`."""
        where = _where(self.version, file)
        path = f"{self.repository}/{self.version.tag}/{_inside(file.path, where=where)}"
        try:
            source = self.filesystem.open_input_file(path)
            size = source.size()
        except OSError as error:
            raise self.fault(file, error) from error
        if check and size != file.size:
            raise _differs("size", file.size, size, where=where)
        return source

    def fault(self, file: DataFile, error: OSError) -> LakegateError:
        """What an answer of the gateway means."""
        where, text = _where(self.version, file), str(error)
        if isinstance(error, FileNotFoundError) or _GONE.search(text):
            return _gone(file, where=where, store=f"{self.endpoint.url}, {self.repository}, tag {self.version.tag}")
        if _REFUSED.search(text):
            what = f"lakeFS at {self.endpoint.url} refuses these keys or this tag"
            return LakegateError(what, where=where, fix="check LAKEGATE_LAKEFS_KEY_ID and LAKEGATE_LAKEFS_SECRET, or the home you named")
        if "AWS Error" not in text:
            # Arrow reports damaged Parquet as OSError too; only what names AWS comes from the network.
            return IntegrityError("the file can't be read as Parquet", where=where, fix=_FIX)
        what = f"lakeFS at {self.endpoint.url} did not deliver after {ATTEMPTS} tries"
        return Transient(what, where=where, fix="try again; `lakegate status` shows whether it runs")


def choose_store(settings: Settings, manifest: Manifest) -> Store:
    """The external lakeFS where one is set, else the home's running one, else the home's blockstore."""
    if settings.lakefs is not None:
        return GatewayStore(settings.lakefs, settings.repository, manifest.name)
    blocks = BlockStore(settings.home.blocks, manifest.name)
    endpoint = settings.home.running_endpoint()
    if endpoint is None or not manifest.files or not answers(endpoint):
        return blocks
    gateway = GatewayStore(endpoint, settings.repository, manifest.name, connect_seconds=HEALTH_SECONDS)
    try:
        gateway.open(manifest.files[0]).close()
    except LakegateError:
        # A killed server leaves its port on record, and another home's server may answer there by now.
        return blocks
    return gateway


def answers(endpoint: Endpoint) -> bool:
    """Whether a lakeFS answers there at once; asked directly, never through a proxy, and without keys."""
    url = urlsplit(endpoint.url)
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=HEALTH_SECONDS)
    try:
        connection.request("GET", "/api/v1/healthcheck")
        return connection.getresponse().status in (200, 204)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def digest(source: pa.NativeFile) -> tuple[int, str]:
    """Size and hex SHA-256 of what is left to read."""
    running, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        running.update(chunk)
        size += len(chunk)
    return size, running.hexdigest()


_FIX = "`lakegate verify` names every gap of the version; restore the file from a copy of the store"


def _where(version: VersionName, file: DataFile) -> str:
    return f"{version}, {file.path}"


def _inside(path: str, *, where: str) -> str:
    if not path or "\0" in path or path.startswith("/") or ".." in PurePosixPath(path).parts:
        what = f"{path!r} leads out of the store"
        raise PathRefused(what, where=where, fix=_FIX)
    return path


def _demand(source: pa.NativeFile, file: DataFile, *, where: str) -> None:
    if (size := source.size()) != file.size:
        raise _differs("size", file.size, size, where=where)
    if (found := digest(source)[1]) != file.sha256:
        raise _differs("SHA-256", file.sha256, found, where=where)


def _differs(kind: str, expected: object, found: object, *, where: str) -> IntegrityError:
    return IntegrityError(f"{kind} {expected} expected, {found} found", where=where, fix=_FIX)


def _gone(file: DataFile, *, where: str, store: str) -> FileGone:
    what = f"the file is missing (block {file.physical}; looked in {store})"
    return FileGone(what, where=where, fix=_FIX)
