"""Reports read main at one commit, so that a publish between two reads doesn't show in half of a report.

A report gets a view of the session whose repository replaces `main` by the commit at which the report began,
in every method that takes a `ref`. So no read can forget it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from lake.lakefs.repository import MAIN

if TYPE_CHECKING:
    from lake.lakefs.repository import Repository
    from lake.session import Session

P = ParamSpec("P")
R = TypeVar("R")


def reads_one_commit(report: Callable[Concatenate[Session, P], R]) -> Callable[Concatenate[Session, P], R]:
    """Have a report, and those that it calls, read main at one commit."""

    def at_one(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return report(at_one_commit(session), *args, **kwargs)

    functools.update_wrapper(at_one, report)
    return at_one


def at_one_commit(session: Session | _View) -> Session:
    """The session, with main as it is now; a view stays at its commit."""
    if isinstance(session, _View):
        return cast("Session", session)
    return cast("Session", _View(session, _Pinned(session.repository, session.repository.commit_of(MAIN))))


class _View:
    """All that a session has and does, but for its repository."""

    def __init__(self, session: Session, repository: _Pinned) -> None:
        self._session, self.repository = session, repository

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


class _Pinned:
    """A repository whose main is one commit for every read by a `ref`; branches and tags are as they are."""

    def __init__(self, repository: Repository, commit: str) -> None:
        self._repository, self._commit = repository, commit

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._repository, name)
        if not inspect.ismethod(found) or "ref" not in (signature := inspect.signature(found)).parameters:
            return found

        def at_commit(*args: Any, **kwargs: Any) -> Any:
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            if given.arguments["ref"] == MAIN:
                given.arguments["ref"] = self._commit
            return found(*given.args, **given.kwargs)

        setattr(self, name, at_commit)
        return at_commit
