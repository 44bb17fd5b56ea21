"""The objects of a tenant's lakeFS repository as files of any size, from and to this disk.

The S3 gateway takes longer over a file than everything else here. Where the blockstore lies on this disk (the
embedded lakeFS's), files are written into it and linked (the staging API of docs.lakefs.io), and hashed where
they lie.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from lake.lakefs.errors import RESTORE, BlockGone
from lake.lakefs.objects import Objects
from lake.runtime.disk_errors import disk_error, link_or_copy
from lakegate.errors import LakegateError

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
CHUNK: Final = 8 * 1024**2
"""Bytes per read when a delivery is copied into or out of the lake."""


class Files(Objects):
    """The objects of one repository, as files."""

    def upload(self, branch: str, path: str, source: Path, *, etag: str) -> None:
        """Put a local file onto a branch; nobody may change the file any more.

        Args:
            branch: Where it goes.
            path: Its path in the tree.
            source: The file.
            etag: Any text that no other content has.

        Raises:
            LakegateError: The blockstore can't be written.
        """
        put = self._send if self.blocks is None else self._lay
        self._call(lambda: put(branch, path, source, etag), doing=f"uploading {path}")

    def _send(self, branch: str, path: str, source: Path, _: str) -> None:
        target = f"{self.name}/{branch}/{path}"
        with source.open("rb") as reader, self._s3.open_output_stream(target) as writer:
            while chunk := reader.read(CHUNK):
                writer.write(chunk)

    def _lay(self, branch: str, path: str, source: Path, etag: str) -> None:
        """Write a file where lakeFS says, then link it; nothing names the block if the link never comes."""
        from lake.lakefs.sdk import StagingLocation, StagingMetadata

        staging = self._api.staging_api
        given = self.physical(staging.get_physical_address(self.name, branch, path).physical_address)
        target = (self.blocks or Path()) / given
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            link_or_copy(source, target)
            size = target.stat().st_size
        except OSError as error:
            if (known := disk_error(error, target.parent)) is not None:
                raise known from error
            what, fix = f"the blockstore can't be written ({error.strerror or error})", "make it writable"
            raise LakegateError(
                what, where=str(target.parent), fix=f"{fix} and its disk less full"
            ) from error
        # By the namespace, which moves with the home; lakeFS's own address names the folder that it runs in.
        location = StagingLocation(physical_address=f"local://{given}")
        staged = StagingMetadata(staging=location, checksum=etag, size_bytes=size)
        staging.link_physical_address(self.name, branch, path, staged)

    def download(self, ref: str, path: str, target: Path) -> str:
        """Copy an object to a local file and return the SHA-256 of its bytes."""
        return self._call(lambda: self._copy_out(ref, path, target), doing=f"reading {path}")

    def sha256(self, ref: str, path: str, *, physical: str = "") -> str:
        """The SHA-256 of an object's bytes; `physical`, where it is known, saves a call."""
        return self._call(lambda: self._hash(ref, path, physical), doing=f"hashing {path}")

    def reading(self, ref: str, path: str, use: Callable[[pa.NativeFile], T], *, physical: str) -> T:
        """The result of `use`, which may run again, on an object that is opened for reading.

        Args:
            ref: A branch, tag or commit.
            path: The object's path in that tree.
            use: Reads the object.
            physical: Where it lies.
        """

        def opened() -> T:
            with self._open(ref, path, self.local(physical)) as source:
                return use(source)

        return self._call(opened, doing=f"hashing {path}")

    def open(self, ref: str, path: str, *, physical: str) -> pa.NativeFile:
        """Open an object for reading, once; `physical`: where it lies.

        Raises:
            IntegrityError: Its block is missing from the store.
            OSError: It can't be opened; `unanswered` makes our error of it.
        """
        if (block := self.local(physical)) is not None and not block.is_file():
            raise missing(block, f"{ref}:{path}")
        return self._open(ref, path, block)

    def _open(self, ref: str, path: str, block: Path | None) -> pa.NativeFile:
        import pyarrow as pa

        return (
            self._s3.open_input_file(f"{self.name}/{ref}/{path}") if block is None else pa.OSFile(str(block))
        )

    def block(self, ref: str, path: str) -> Path | None:
        """The file that an object lies in, where that is on this disk."""
        return self._call(lambda: self._block(ref, path), doing=f"looking for {path}")

    def _block(self, ref: str, path: str) -> Path | None:
        if self.blocks is None:
            return None
        found = self._api.objects_api.stat_object(self.name, ref, path)
        return self.local(self.physical(found.physical_address))

    def _hash(self, ref: str, path: str, physical: str) -> str:
        block = self.local(physical) if physical else self._block(ref, path)
        if block is None:
            return self._copy_out(ref, path, None)
        if not block.is_file():
            raise missing(block, f"{ref}:{path}")
        return sha256_of(block)

    def _copy_out(self, ref: str, path: str, target: Path | None) -> str:
        digest = hashlib.sha256()
        with contextlib.ExitStack() as stack:
            reader = stack.enter_context(self._s3.open_input_stream(f"{self.name}/{ref}/{path}"))
            writer = stack.enter_context(target.open("wb")) if target else None
            while chunk := reader.read(CHUNK):
                digest.update(chunk)
                if writer:
                    writer.write(chunk)
        return digest.hexdigest()


def missing(block: Path, where: str) -> BlockGone:
    """The error of a block that the tree names and the store on this disk has lost."""
    return BlockGone(f"the block {block} is missing from the store", where=where, fix=RESTORE)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
