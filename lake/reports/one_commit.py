"""Reports read main at one commit: what others publish between two reads of one is no part of its answer.

A report is handed a view of the session whose repository answers every question about main as of the commit that main was at when the
report began. No read of it has to think of that, and none can be forgotten: whatever takes a `ref` is asked so.
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
    """A report whose every read of main, and of those that it calls, is made at one commit; within another report at that one's."""

    def at_one(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return report(at_one_commit(session), *args, **kwargs)

    functools.update_wrapper(at_one, report)
    return at_one


def at_one_commit(session: Session | _View) -> Session:
    """The session, with main as it is now; one that is so already stays at its commit."""
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
    """A repository whose main stands still for whoever reads it by a `ref`; branches, tags and the ledger go on."""

    def __init__(self, repository: Repository, commit: str) -> None:
        self._repository, self._commit = repository, commit

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._repository, name)
        if not inspect.ismethod(found) or "ref" not in (signature := inspect.signature(found)).parameters:
            return found

        def asked(*args: Any, **kwargs: Any) -> Any:
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            if given.arguments["ref"] == MAIN:
                given.arguments["ref"] = self._commit
            return found(*given.args, **given.kwargs)

        setattr(self, name, asked)
        return asked
