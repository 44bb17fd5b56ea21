"""The objects of a tenant's lakeFS repository: small ones as bytes, files of any size from disk to disk.

Files go through the S3 gateway; where the blockstore lies on this disk, the embedded lakeFS's, they are laid into it and linked
(the staging API of docs.lakefs.io), and hashed where they lie: what the gateway does with a file costs more than all else here.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lake.lakefs.client import PAGE, Calls, NotThere
from lake.lakefs.errors import RESTORE, BlockGone
from lake.lakefs.listing import Listed
from lake.runtime.disk_errors import disk_error, link_or_copy
from lakegate.errors import LakegateError
from lakegate.gateway import file_system
from lakegate.home import Endpoint

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
CHUNK: Final = 8 * 1024**2
"""Bytes per read when a delivery is copied into or out of the lake."""

CALL_TIMEOUT: Final = 60
"""Seconds after which an unanswered call counts as a transient failure."""


class Objects(Calls):
    """The objects of one repository.

    Args:
        endpoint: Where lakeFS answers.
        name: The repository's id.
        namespace: Storage namespace to create it in.
        blocks: The folder of its blockstore, where that is on this disk.
        reconnect: See `Calls`.
        proved: See `Calls`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        *,
        namespace: str,
        blocks: Path | None = None,
        reconnect: Callable[[], Endpoint | None] = lambda: None,
        proved: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__(endpoint, reconnect=reconnect, proved=proved)
        self.name, self.namespace, self.blocks = name, namespace, blocks

    def put(self, branch: str, path: str, content: bytes) -> str:
        """Write one small object onto a branch, and say where it lies (see `physical`)."""
        put = self._call(
            lambda: self._api.objects_api.upload_object(self.name, branch, path, content=content),
            doing=f"writing {path}",
        )
        return self.physical(put.physical_address)

    def delete(self, branch: str, path: str) -> None:
        """Delete one object from a branch; nothing happens where it is not there."""
        with contextlib.suppress(NotThere):
            self._call(
                lambda: self._api.objects_api.delete_object(self.name, branch, path), doing=f"deleting {path}"
            )

    def get(self, ref: str, path: str) -> bytes | None:
        """Read one small object; None where it is not there."""
        try:
            return bytes(
                self._call(
                    lambda: self._api.objects_api.get_object(self.name, ref, path), doing=f"reading {path}"
                )
            )
        except NotThere:
            return None

    def get_json(self, ref: str, path: str) -> dict[str, Any] | None:
        """Read one small JSON object; None where it is not there."""
        raw = self.get(ref, path)
        return None if raw is None else json.loads(raw)

    def listing(self, ref: str, prefix: str, *, after: str = "") -> list[Listed]:
        """The objects below a prefix, those behind the path `after`."""
        return [
            Listed.of(item)
            for item in self._listed(ref, prefix, after=after)
            if item["path_type"] == "object"
        ]

    def _listed(self, ref: str, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
        """What lakeFS lists, read as plain JSON: to make the SDK's value of each entry takes ten times as long."""
        more = True
        fixed = {"prefix": prefix, "amount": PAGE, "user_metadata": False, "_preload_content": False}
        while more:
            page = json.loads(
                self._call(
                    lambda: (
                        self._api.objects_api.list_objects_with_http_info(
                            self.name, ref, **fixed, **options
                        ).raw_data
                    ),
                    doing=f"listing {prefix}",
                )
            )
            yield from page["results"]
            more, options["after"] = page["pagination"]["has_more"], page["pagination"]["next_offset"]

    def uncommitted(self, branch: str) -> list[str]:
        """Paths that lie uncommitted on a branch."""
        pages = self._pages(
            lambda after: self._api.branches_api.diff_branch(self.name, branch, after=after, amount=PAGE),
            doing=f"comparing {branch}",
        )
        return [str(item.path) for item in pages]

    def changed(self, branch: str) -> list[Any]:
        """The objects that a branch holds and main doesn't, committed or not; each has `physical_address`."""
        pages = self._pages(
            lambda after: self._api.refs_api.diff_refs(self.name, "main", branch, after=after, amount=PAGE),
            doing=f"comparing {branch}",
        )
        paths = {str(item.path) for item in pages if item.path_type == "object"} | set(
            self.uncommitted(branch)
        )
        found = (self.stat(branch, path) for path in sorted(paths))
        return [item for item in found if item is not None]

    def stat(self, ref: str, path: str) -> Any:
        """What lakeFS says of one object, as in a listing; None where it is not there."""
        with contextlib.suppress(NotThere):
            return self._call(
                lambda: self._api.objects_api.stat_object(self.name, ref, path), doing=f"looking for {path}"
            )
        return None

    def physical(self, address: str) -> str:
        """An object's physical address relative to the store's root, so that a home can be moved."""
        marker = f"/{self.namespace.split('://', 1)[-1].strip('/').rsplit('/', 1)[-1]}/"
        return (
            address[address.index(marker) + 1 :]
            if address.startswith("local://") and marker in address
            else address
        )

    def _forget_clients(self) -> None:
        super()._forget_clients()
        self.__dict__.pop("_s3", None)

    @cached_property
    def _s3(self) -> Any:
        return file_system(self.endpoint, connect=5, request=CALL_TIMEOUT)

    def upload(self, branch: str, path: str, source: Path, *, etag: str) -> None:
        """Put a local file onto a branch, which nobody may change any more; `etag` is any text that no other content has.

        Raises:
            LakegateError: The blockstore can't be written.
        """
        put = self._send if self.blocks is None else self._lay
        self._call(lambda: put(branch, path, source, etag), doing=f"uploading {path}")

    def _send(self, branch: str, path: str, source: Path, _: str) -> None:
        with (
            source.open("rb") as reader,
            self._s3.open_output_stream(f"{self.name}/{branch}/{path}") as writer,
        ):
            while chunk := reader.read(CHUNK):
                writer.write(chunk)

    def _lay(self, branch: str, path: str, source: Path, etag: str) -> None:
        """Lay a file where lakeFS says, then link it; one that is never linked is a block that nothing names."""
        from lake.lakefs.sdk import StagingLocation, StagingMetadata

        given = self.physical(
            self._api.staging_api.get_physical_address(self.name, branch, path).physical_address
        )
        target = (self.blocks or Path()) / given
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            link_or_copy(source, target)
            size = target.stat().st_size
        except OSError as error:
            if (told := disk_error(error, target.parent)) is not None:
                raise told from error
            what = f"the blockstore can't be written ({error.strerror or error})"
            raise LakegateError(
                what, where=str(target.parent), fix="make it writable and its disk less full"
            ) from error
        # By the namespace, which moves with the home; the address that lakeFS gave names the folder that it runs in.
        location = StagingLocation(physical_address=f"local://{given}")
        staged = StagingMetadata(staging=location, checksum=etag, size_bytes=size)
        self._api.staging_api.link_physical_address(self.name, branch, path, staged)

    def local(self, physical: str) -> Path | None:
        """The file of the object that lies there in the store (see `physical`), where that is on this disk."""
        return self.blocks / physical if self.blocks is not None and "://" not in physical else None

    def download(self, ref: str, path: str, target: Path) -> str:
        """Copy an object to a local file and return the SHA-256 of its bytes."""
        return self._call(lambda: self._copy_out(ref, path, target), doing=f"reading {path}")

    def sha256(self, ref: str, path: str, *, physical: str = "") -> str:
        """The SHA-256 of an object's bytes; where they lie (`physical`) saves a call where it is known."""
        return self._call(lambda: self._hash(ref, path, physical), doing=f"hashing {path}")

    def reading(self, ref: str, path: str, use: Callable[[pa.NativeFile], T], *, physical: str) -> T:
        """What `use`, which may run again, makes of an object that is opened for reading; `physical`: where it lies."""

        def opened() -> T:
            block = self.local(physical)
            with (
                self._s3.open_input_file(f"{self.name}/{ref}/{path}")
                if block is None
                else osfile(str(block)) as source
            ):
                return use(source)

        from pyarrow import OSFile as osfile  # noqa: N813

        return self._call(opened, doing=f"hashing {path}")

    def open(self, ref: str, path: str, *, physical: str) -> pa.NativeFile:
        """Open an object for reading, once; `physical`: where it lies.

        Raises:
            IntegrityError: Its block is missing from the store.
            OSError: It can't be opened; `unanswered` says what that means.
        """
        from pyarrow import OSFile as osfile  # noqa: N813

        if (block := self.local(physical)) is None:
            return self._s3.open_input_file(f"{self.name}/{ref}/{path}")
        if not block.is_file():
            raise missing(block, f"{ref}:{path}")
        return osfile(str(block))

    def block(self, ref: str, path: str) -> Path | None:
        """The file that an object lies in, where that is on this disk."""
        return self._call(lambda: self._block(ref, path), doing=f"looking for {path}")

    def _block(self, ref: str, path: str) -> Path | None:
        if self.blocks is None:
            return None
        return self.local(
            self.physical(self._api.objects_api.stat_object(self.name, ref, path).physical_address)
        )

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
