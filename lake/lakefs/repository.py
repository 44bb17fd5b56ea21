"""A tenant's lakeFS repository: the few calls that Lakegate makes."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from lake.lakefs.errors import NotThere
from lake.lakefs.files import Files
from lakegate.errors import Conflict, IntegrityError
from lakegate.manifest import Manifest

MAIN: Final = "main"
FIRST: Final = 32
"""Entries of the first page where callers mostly need only the first few."""
MARK: Final = "_lakefs/dummy"
"""What lakeFS writes into a namespace before it makes the repository, and refuses to find there."""
MADE_ELSEWHERE: Final = 5.0
"""Seconds that another process may take to make the repository."""

__all__ = ["MAIN", "NotThere", "Repository"]


@dataclass
class Seen:
    """The attempts' branches that this process knows; when (ms since 1970) it listed new ones, and all."""

    names: frozenset[str] = frozenset()
    at: int = 0
    all_at: int = 0


class Repository(Files):
    """The repository of one tenant: its refs and commits, beside its objects."""

    @cached_property
    def latest(self) -> dict[str, tuple[str, Manifest]]:
        """By table, the manifest that this process read or wrote last, with its SHA-256."""
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

        creation = RepositoryCreation(name=self.name, storage_namespace=self.namespace, default_branch=MAIN)
        end = time.monotonic() + MADE_ELSEWHERE
        while not self._exists():
            try:
                self._call(
                    lambda: self._api.repositories_api.create_repository(creation),
                    doing="creating the repository",
                )
            except (Conflict, IntegrityError):
                # Another process makes it at this moment; lakeFS calls its namespace used until it is there.
                if time.monotonic() > end and not self._exists() and not self._abandoned():
                    raise
                time.sleep(0.05)
            else:
                return

    def _abandoned(self) -> bool:
        """Whether a lakeFS died while it made the repository; its mark, all that it left, is deleted then."""
        mark = self.local(f"{self.namespace.removeprefix('local://')}/{MARK}")
        if mark is None or not mark.exists():
            return False
        if any(item.is_file() and item != mark for item in mark.parents[1].rglob("*")):
            return False
        mark.unlink()
        return True

    def _exists(self) -> bool:
        with contextlib.suppress(NotThere):
            self._ask("repositories_api.get_repository", doing="opening the repository")
            return True
        return False

    def _commit_at(self, ref: str) -> Any:
        return self._ask("commits_api.get_commit", ref, doing=f"resolving {ref}")

    def commit_of(self, ref: str) -> str:
        """The commit id that a branch, tag or commit names."""
        return str(self._commit_at(ref).id)

    def resolve(self, ref: str) -> str | None:
        """The commit id that a ref names; None where there is no such ref."""
        with contextlib.suppress(NotThere):
            return self.commit_of(ref)
        return None

    def commit_and_metadata(self, ref: str) -> tuple[str, dict[str, str]]:
        """The commit that a ref names, with its metadata."""
        return _id_and_metadata(self._commit_at(ref))

    def committed_at(self, ref: str) -> int:
        """When the commit that a ref names was made, in seconds since 1970."""
        return int(self._commit_at(ref).creation_date)

    def branch(self, name: str, source: str) -> bool:
        """Create a branch; False where it exists already."""
        from lake.lakefs.sdk import BranchCreation

        creation = BranchCreation(name=name, source=source)
        with contextlib.suppress(Conflict):
            self._ask("branches_api.create_branch", creation, doing=f"creating branch {name}")
            return True
        return False

    def delete_branch(self, name: str) -> None:
        """Delete a branch; nothing happens where it is gone already."""
        with contextlib.suppress(NotThere):
            self._ask("branches_api.delete_branch", name, doing=f"deleting branch {name}")

    def _branches(self, **options: Any) -> Iterator[Any]:
        return self._pages("branches_api.list_branches", doing="listing branches", **options)

    def branches(self, prefix: str, *, after: str = "") -> list[str]:
        """Names of the branches that start with `prefix` and sort behind `after`."""
        return [str(item.id) for item in self._branches(prefix=prefix, after=after)]

    def branches_but(self, prefix: str) -> list[str]:
        """Names of the branches that don't start with `prefix`, which ends in `-`, without listing others."""
        names = (str(item.id) for item in self._branches(first=FIRST))
        before = itertools.takewhile(lambda name: name < prefix, names)
        return [*before, *self.branches("", after=f"{prefix[:-1]}.")]

    def branch_commits(self, prefix: str) -> dict[str, str]:
        """Branches that start with `prefix`, with the commit that each is at."""
        return {str(item.id): str(item.commit_id) for item in self._branches(prefix=prefix)}

    def differences(self, before: str, after: str) -> Iterator[tuple[str, bool]]:
        """The paths that differ between two commits, and whether the later one holds them."""
        doing = f"comparing {before[:12]} and {after[:12]}"
        pages = self._pages("refs_api.diff_refs", before, after, type="two_dot", doing=doing)
        return ((str(item.path), str(item.type) != "removed") for item in pages if item.path_type == "object")

    def tags(self, prefix: str) -> dict[str, str]:
        """Tags that start with `prefix`, with the commit that each names."""
        pages = self._pages("tags_api.list_tags", prefix=prefix, doing="listing tags")
        return {str(item.id): str(item.commit_id) for item in pages}

    def tag(self, name: str, commit: str) -> None:
        """Name a commit for good; a tag that exists is checked, never moved.

        Raises:
            IntegrityError: The tag names another commit.
        """
        from lake.lakefs.sdk import TagCreation

        try:
            self._ask("tags_api.create_tag", TagCreation(id=name, ref=commit), doing=f"tagging {name}")
        except Conflict:
            if (found := self.commit_of(name)) != commit:
                what = f"tag {name} names commit {found[:12]}, it should name {commit[:12]}"
                raise IntegrityError(what, fix="somebody moved it: `lakegate verify --all`") from None

    def touched(self, path: str) -> list[tuple[str, dict[str, str]]]:
        """The latest commit of main that changed `path`, if any: its id and metadata."""
        call, doing = "refs_api.log_commits", f"reading the history of {path}"
        found = self._ask(call, MAIN, objects=[path], amount=1, limit=True, doing=doing)
        return [_id_and_metadata(item) for item in found.results]

    def history(self, ref: str = MAIN) -> Iterator[tuple[str, dict[str, str]]]:
        """All commits of `ref`: ids and metadata, newest first."""
        doing = f"reading the history of {ref}"
        return map(_id_and_metadata, self._pages("refs_api.log_commits", ref, first=FIRST, doing=doing))

    def commit(self, branch: str, message: str, metadata: dict[str, str]) -> str:
        """Commit what lies on a branch and return the commit's id."""
        from lake.lakefs.sdk import CommitCreation

        creation = CommitCreation(message=message, metadata=metadata)
        doing = f"committing {branch}"
        return str(self._ask("commits_api.commit", branch, creation, doing=doing, retry=False).id)

    def merge(self, source: str, message: str, metadata: dict[str, str]) -> str:
        """Squash-merge a branch into main, never with a winning side; returns the id of main's new commit.

        Squashed, main's history is one commit per publish, and lakeFS's log finds it by path (it leaves out
        two-parent commits there).

        Not retried: a merge whose response was lost looks like one without changes, so the caller first looks
        for the merge that it requested.

        Raises:
            Conflict: Main holds other content on a path that the branch wrote.
        """
        from lake.lakefs.sdk import Merge

        merge = Merge(message=message, metadata=metadata, squash_merge=True)
        call, doing = "refs_api.merge_into_branch", f"merging {source}"
        return str(self._ask(call, source, MAIN, merge=merge, doing=doing, retry=False).reference)


def _id_and_metadata(commit: Any) -> tuple[str, dict[str, str]]:
    return str(commit.id), dict(commit.metadata or {})
