"""A tenant's lakeFS repository: the few calls that Lakegate makes."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from lake.calls import PAGE, Calls, NotThere
from lakegate.errors import Conflict, IntegrityError
from lakegate.home import Endpoint

MAIN: Final = "main"
CHUNK: Final = 8 * 1024**2
"""Bytes per read when a delivery is copied into or out of the lake."""

CALL_TIMEOUT: Final = 60
"""Seconds after which an unanswered call counts as a transient failure."""

__all__ = ["MAIN", "NotThere", "Repository"]


class Repository(Calls):
    """The repository of one tenant.

    Args:
        endpoint: Where lakeFS answers.
        name: The repository's id.
        namespace: Storage namespace to create it in.
        reconnect: See `Calls`.
    """

    def __init__(self, endpoint: Endpoint, name: str, *, namespace: str, reconnect: Callable[[], Endpoint | None] = lambda: None) -> None:
        super().__init__(endpoint, reconnect=reconnect)
        self.name, self.namespace = name, namespace

    def create(self) -> None:
        """Create the repository where it is missing."""
        from lakefs_sdk.models import RepositoryCreation

        try:
            self._call(lambda: self._api.repositories_api.get_repository(self.name), doing="opening the repository")
        except NotThere:
            creation = RepositoryCreation(name=self.name, storage_namespace=self.namespace, default_branch=MAIN)
            with contextlib.suppress(Conflict):
                self._call(lambda: self._api.repositories_api.create_repository(creation), doing="creating the repository")

    # refs

    def commit_of(self, ref: str) -> str:
        """The commit id that a branch, tag or commit names."""
        commit = self._call(lambda: self._api.commits_api.get_commit(self.name, ref), doing=f"resolving {ref}")
        return str(commit.id)

    def resolve(self, ref: str) -> str | None:
        """The commit id that a ref names; None where there is no such ref."""
        try:
            return self.commit_of(ref)
        except NotThere:
            return None

    def commit_and_metadata(self, ref: str) -> tuple[str, dict[str, str]]:
        """The commit that a ref names, with its metadata."""
        commit = self._call(lambda: self._api.commits_api.get_commit(self.name, ref), doing=f"resolving {ref}")
        return str(commit.id), dict(commit.metadata or {})

    def committed_at(self, ref: str) -> int:
        """When the commit that a ref names was made, in seconds since 1970."""
        commit = self._call(lambda: self._api.commits_api.get_commit(self.name, ref), doing=f"resolving {ref}")
        return int(commit.creation_date)

    def branch(self, name: str, source: str) -> bool:
        """Create a branch; False where it exists already."""
        from lakefs_sdk.models import BranchCreation

        creation = BranchCreation(name=name, source=source)
        try:
            self._call(lambda: self._api.branches_api.create_branch(self.name, creation), doing=f"creating branch {name}")
        except Conflict:
            return False
        return True

    def delete_branch(self, name: str) -> None:
        """Delete a branch; nothing happens where it is gone already."""
        with contextlib.suppress(NotThere):
            self._call(lambda: self._api.branches_api.delete_branch(self.name, name), doing=f"deleting branch {name}")

    def branches(self, prefix: str) -> list[str]:
        """Names of the branches that start with `prefix`."""
        pages = self._pages(
            lambda after: self._api.branches_api.list_branches(self.name, prefix=prefix, after=after, amount=PAGE), doing="listing branches"
        )
        return [str(item.id) for item in pages]

    def tags(self, prefix: str) -> dict[str, str]:
        """Tags that start with `prefix`, with the commit that each names."""
        pages = self._pages(
            lambda after: self._api.tags_api.list_tags(self.name, prefix=prefix, after=after, amount=PAGE), doing="listing tags"
        )
        return {str(item.id): str(item.commit_id) for item in pages}

    def tag(self, name: str, commit: str) -> None:
        """Name a commit for good; a tag that exists is checked, never moved.

        Raises:
            IntegrityError: The tag names another commit.
        """
        from lakefs_sdk.models import TagCreation

        try:
            self._call(lambda: self._api.tags_api.create_tag(self.name, TagCreation(id=name, ref=commit)), doing=f"tagging {name}")
        except Conflict:
            if (found := self.commit_of(name)) != commit:
                what = f"tag {name} names commit {found[:12]}, it should name {commit[:12]}"
                raise IntegrityError(what, fix="somebody moved it: `lakegate verify --all`") from None

    def touched(self, path: str, *, ref: str = MAIN, amount: int = 1) -> list[tuple[str, dict[str, str]]]:
        """The latest commits of `ref` that changed `path`: ids and metadata, newest first."""
        found = self._call(
            lambda: self._api.refs_api.log_commits(self.name, ref, objects=[path], amount=amount, limit=True),
            doing=f"reading the history of {path}",
        )
        return [(str(item.id), dict(item.metadata or {})) for item in found.results]

    # commits

    def commit(self, branch: str, message: str, metadata: dict[str, str]) -> str:
        """Commit what lies on a branch and return the commit's id."""
        from lakefs_sdk.models import CommitCreation

        creation = CommitCreation(message=message, metadata=metadata)
        commit = self._call(lambda: self._api.commits_api.commit(self.name, branch, creation), doing=f"committing {branch}", retry=False)
        return str(commit.id)

    def merge(self, source: str, message: str, metadata: dict[str, str]) -> str:
        """Squash-merge a branch into main, never with a winning side; returns the id of main's new commit.

        Squashed, main's history is one commit per publish, and lakeFS's log finds it by path (it leaves out two-parent
        commits there).

        Not retried: an answer that was lost looks like no changes, so the caller looks for its publish id first.

        Raises:
            Conflict: Main holds other content on a path that the branch wrote.
        """
        from lakefs_sdk.models import Merge

        merge = Merge(message=message, metadata=metadata, squash_merge=True)
        result = self._call(
            lambda: self._api.refs_api.merge_into_branch(self.name, source, MAIN, merge=merge), doing=f"merging {source}", retry=False
        )
        return str(result.reference)

    # objects

    def put(self, branch: str, path: str, content: bytes) -> None:
        """Write one small object onto a branch."""
        self._call(lambda: self._api.objects_api.upload_object(self.name, branch, path, content=content), doing=f"writing {path}")

    def delete(self, branch: str, path: str) -> None:
        """Delete one object from a branch; nothing happens where it is not there."""
        with contextlib.suppress(NotThere):
            self._call(lambda: self._api.objects_api.delete_object(self.name, branch, path), doing=f"deleting {path}")

    def get(self, ref: str, path: str) -> bytes | None:
        """Read one small object; None where it is not there."""
        try:
            return bytes(self._call(lambda: self._api.objects_api.get_object(self.name, ref, path), doing=f"reading {path}"))
        except NotThere:
            return None

    def get_json(self, ref: str, path: str) -> dict[str, Any] | None:
        """Read one small JSON object; None where it is not there."""
        raw = self.get(ref, path)
        return None if raw is None else json.loads(raw)

    def listing(self, ref: str, prefix: str) -> list[Any]:
        """The objects below a prefix: each has `path`, `size_bytes` and `physical_address`."""
        pages = self._pages(
            lambda after: self._api.objects_api.list_objects(self.name, ref, prefix=prefix, after=after, amount=PAGE),
            doing=f"listing {prefix}",
        )
        return [item for item in pages if item.path_type == "object"]

    def uncommitted(self, branch: str) -> list[str]:
        """Paths that lie uncommitted on a branch."""
        pages = self._pages(
            lambda after: self._api.branches_api.diff_branch(self.name, branch, after=after, amount=PAGE), doing=f"comparing {branch}"
        )
        return [str(item.path) for item in pages]

    def physical(self, address: str) -> str:
        """An object's physical address relative to the store's root, so that a home can be moved."""
        marker = f"/{self.namespace.split('://', 1)[-1].strip('/').rsplit('/', 1)[-1]}/"
        return address[address.index(marker) + 1 :] if address.startswith("local://") and marker in address else address

    # bytes of any size

    def _forget_clients(self) -> None:
        super()._forget_clients()
        self.__dict__.pop("_s3", None)

    @cached_property
    def _s3(self) -> Any:
        from pyarrow import fs

        parts = urlsplit(self.endpoint.url)
        return fs.S3FileSystem(
            access_key=self.endpoint.key_id,
            secret_key=self.endpoint.secret,
            endpoint_override=parts.netloc,
            scheme=parts.scheme,
            region="us-east-1",
            request_timeout=CALL_TIMEOUT,
            connect_timeout=5,
        )

    def upload(self, branch: str, path: str, source: Path) -> None:
        """Copy a local file onto a branch, in chunks."""

        def copy() -> None:
            with source.open("rb") as reader, self._s3.open_output_stream(f"{self.name}/{branch}/{path}") as writer:
                while chunk := reader.read(CHUNK):
                    writer.write(chunk)

        self._call(copy, doing=f"uploading {path}")

    def download(self, ref: str, path: str, target: Path) -> str:
        """Copy an object to a local file and return the SHA-256 of its bytes."""
        return self._call(lambda: self._copy_out(ref, path, target), doing=f"reading {path}")

    def sha256(self, ref: str, path: str) -> str:
        """The SHA-256 of an object's bytes."""
        return self._call(lambda: self._copy_out(ref, path, None), doing=f"hashing {path}")

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
