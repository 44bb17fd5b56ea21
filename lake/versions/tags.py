"""The names of a version, given after its merge: the tag that never moves, and the branch that retains it."""

from __future__ import annotations

from lake.lakefs.repository import Repository
from lake.versions.publish import Published
from lakegate.errors import IntegrityError


def give_name(repository: Repository, published: Published) -> None:
    """Tag and retain the merge commit, where that is not done yet.

    Raises:
        IntegrityError: The tag or the branch is on another commit.
    """
    if (found := repository.resolve(published.name.tag)) is None:
        repository.tag(published.name.tag, published.commit)
    elif found != published.commit:
        raise _moved(published, published.name.tag, found)
    keep(repository, published)


def keep(repository: Repository, published: Published) -> None:
    """Keep a branch on the merge commit, so that garbage collection leaves it alone.

    Raises:
        IntegrityError: It is on another commit.
    """
    ref, commit = published.name.keep_branch, published.commit
    if not repository.branch(ref, commit) and (found := repository.commit_of(ref)) != commit:
        raise _moved(published, ref, found)


def _moved(published: Published, ref: str, found: str) -> IntegrityError:
    what = f"{ref} is on commit {found[:12]}, {published.name} was published by {published.commit[:12]}"
    return IntegrityError(what, fix="somebody moved it: `lakegate verify --all`")
