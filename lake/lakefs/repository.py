"""A tenant's lakeFS repository: the few calls that Lakegate makes."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from lake.lakefs.client import PAGE, NotThere
from lake.lakefs.objects import Objects
from lakegate.errors import Conflict, IntegrityError
from lakegate.manifest import Manifest

MAIN: Final = "main"
FIRST: Final = 32
"""Entries of the first page where the first ones are wanted as a rule: each of a page costs lakeFS time, wanted or not."""
MARK: Final = "_lakefs/dummy"
"""What lakeFS writes into a namespace before it makes the repository, and refuses to find there."""
MADE_ELSEWHERE: Final = 5.0
"""Seconds that a repository which another process is making may take to be there."""

__all__ = ["MAIN", "NotThere", "Repository"]


@dataclass
class Seen:
    """The branches of attempts that this process knows of, when it asked last, and when it last asked for all: milliseconds since 1970."""

    names: frozenset[str] = frozenset()
    at: int = 0
    all_at: int = 0


class Repository(Objects):
    """The repository of one tenant: its refs and commits, beside its objects."""

    @cached_property
    def latest(self) -> dict[str, tuple[str, Manifest]]:
        """Of each table the manifest that this process read or wrote last, with the SHA-256 of its bytes: some are read from many objects."""
        return {}

    @cached_property
    def manifests(self) -> dict[str, bytes]:
        """Manifests that others begin with, by path."""
        return {}

    @cached_property
    def attempts(self) -> Seen:
        """See `lake.lakefs.branches`."""
        return Seen()

    def create(self) -> None:
        """Create the repository where it is missing."""
        from lake.lakefs.sdk import RepositoryCreation

        if self._exists():
            return
        creation = RepositoryCreation(name=self.name, storage_namespace=self.namespace, default_branch=MAIN)
        end = time.monotonic() + MADE_ELSEWHERE
        while True:
            try:
                self._call(
                    lambda: self._api.repositories_api.create_repository(creation),
                    doing="creating the repository",
                )
            except (
                Conflict,
                IntegrityError,
            ):  # somebody else makes it at this moment; until it is there lakeFS calls its namespace used
                if self._exists():
                    return
                if time.monotonic() > end and not self._abandoned():
                    raise
                time.sleep(0.05)
            else:
                return

    def _abandoned(self) -> bool:
        """Whether a lakeFS that died while it made the repository had left its mark in the namespace, which is taken away now."""
        mark = (
            self.local(f"{self.namespace.removeprefix('local://')}/{MARK}")
            if self.blocks is not None
            else None
        )
        if (
            mark is None
            or not mark.exists()
            or any(item.is_file() and item != mark for item in mark.parents[1].rglob("*"))
        ):
            return False
        mark.unlink()
        return True

    def _exists(self) -> bool:
        try:
            self._call(
                lambda: self._api.repositories_api.get_repository(self.name), doing="opening the repository"
            )
        except NotThere:
            return False
        return True

    def commit_of(self, ref: str) -> str:
        """The commit id that a branch, tag or commit names."""
        commit = self._call(
            lambda: self._api.commits_api.get_commit(self.name, ref), doing=f"resolving {ref}"
        )
        return str(commit.id)

    def resolve(self, ref: str) -> str | None:
        """The commit id that a ref names; None where there is no such ref."""
        try:
            return self.commit_of(ref)
        except NotThere:
            return None

    def commit_and_metadata(self, ref: str) -> tuple[str, dict[str, str]]:
        """The commit that a ref names, with its metadata."""
        commit = self._call(
            lambda: self._api.commits_api.get_commit(self.name, ref), doing=f"resolving {ref}"
        )
        return str(commit.id), dict(commit.metadata or {})

    def committed_at(self, ref: str) -> int:
        """When the commit that a ref names was made, in seconds since 1970."""
        commit = self._call(
            lambda: self._api.commits_api.get_commit(self.name, ref), doing=f"resolving {ref}"
        )
        return int(commit.creation_date)

    def branch(self, name: str, source: str) -> bool:
        """Create a branch; False where it exists already."""
        from lake.lakefs.sdk import BranchCreation

        creation = BranchCreation(name=name, source=source)
        try:
            self._call(
                lambda: self._api.branches_api.create_branch(self.name, creation),
                doing=f"creating branch {name}",
            )
        except Conflict:
            return False
        return True

    def delete_branch(self, name: str) -> None:
        """Delete a branch; nothing happens where it is gone already."""
        with contextlib.suppress(NotThere):
            self._call(
                lambda: self._api.branches_api.delete_branch(self.name, name), doing=f"deleting branch {name}"
            )

    def branches(self, prefix: str, *, after: str = "") -> list[str]:
        """Names of the branches that start with `prefix`, and come after `after` in their order."""
        pages = self._pages(
            lambda last: self._api.branches_api.list_branches(
                self.name, prefix=prefix, after=last or after, amount=PAGE
            ),
            doing="listing branches",
        )
        return [str(item.id) for item in pages]

    def branches_but(self, prefix: str) -> list[str]:
        """Names of the branches that don't start with `prefix`, which ends in `-`; however many do, they aren't listed."""
        pages = self._pages(
            lambda last: self._api.branches_api.list_branches(
                self.name, after=last, amount=PAGE if last else FIRST
            ),
            doing="listing branches",
        )
        before = itertools.takewhile(lambda name: name < prefix, (str(item.id) for item in pages))
        return [*before, *self.branches("", after=f"{prefix[:-1]}.")]

    def branch_commits(self, prefix: str) -> dict[str, str]:
        """Branches that start with `prefix`, with the commit that each is at."""
        pages = self._pages(
            lambda after: self._api.branches_api.list_branches(
                self.name, prefix=prefix, after=after, amount=PAGE
            ),
            doing="listing branches",
        )
        return {str(item.id): str(item.commit_id) for item in pages}

    def differences(self, before: str, after: str) -> Iterator[tuple[str, bool]]:
        """The paths that differ between two commits, and whether the later one holds them."""
        pages = self._pages(
            lambda last: self._api.refs_api.diff_refs(
                self.name, before, after, after=last, amount=PAGE, type="two_dot"
            ),
            doing=f"comparing {before[:12]} and {after[:12]}",
        )
        return ((str(item.path), str(item.type) != "removed") for item in pages if item.path_type == "object")

    def tags(self, prefix: str) -> dict[str, str]:
        """Tags that start with `prefix`, with the commit that each names."""
        pages = self._pages(
            lambda after: self._api.tags_api.list_tags(self.name, prefix=prefix, after=after, amount=PAGE),
            doing="listing tags",
        )
        return {str(item.id): str(item.commit_id) for item in pages}

    def tag(self, name: str, commit: str) -> None:
        """Name a commit for good; a tag that exists is checked, never moved.

        Raises:
            IntegrityError: The tag names another commit.
        """
        from lake.lakefs.sdk import TagCreation

        try:
            self._call(
                lambda: self._api.tags_api.create_tag(self.name, TagCreation(id=name, ref=commit)),
                doing=f"tagging {name}",
            )
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

    def history(self, ref: str = MAIN) -> Iterator[tuple[str, dict[str, str]]]:
        """All commits of `ref`: ids and metadata, newest first."""
        pages = self._pages(
            lambda after: self._api.refs_api.log_commits(
                self.name, ref, after=after, amount=PAGE if after else FIRST
            ),
            doing=f"reading the history of {ref}",
        )
        return ((str(item.id), dict(item.metadata or {})) for item in pages)

    def commit(self, branch: str, message: str, metadata: dict[str, str]) -> str:
        """Commit what lies on a branch and return the commit's id."""
        from lake.lakefs.sdk import CommitCreation

        creation = CommitCreation(message=message, metadata=metadata)
        commit = self._call(
            lambda: self._api.commits_api.commit(self.name, branch, creation),
            doing=f"committing {branch}",
            retry=False,
        )
        return str(commit.id)

    def merge(self, source: str, message: str, metadata: dict[str, str]) -> str:
        """Squash-merge a branch into main, never with a winning side; returns the id of main's new commit.

        Squashed, main's history is one commit per publish, and lakeFS's log finds it by path (it leaves out two-parent
        commits there).

        Not retried: an answer that was lost looks like no changes, so the caller looks for its publish id first.

        Raises:
            Conflict: Main holds other content on a path that the branch wrote.
        """
        from lake.lakefs.sdk import Merge

        merge = Merge(message=message, metadata=metadata, squash_merge=True)
        result = self._call(
            lambda: self._api.refs_api.merge_into_branch(self.name, source, MAIN, merge=merge),
            doing=f"merging {source}",
            retry=False,
        )
        return str(result.reference)
