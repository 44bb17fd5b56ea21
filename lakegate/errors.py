"""Errors, one class for each consequence; every error says what happened, where, and what to do now."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

GONE: Final = re.compile(r"HTTP status (404|410)\b|RESOURCE_NOT_FOUND|NO_SUCH_KEY")
"""lakeFS knows the object and its block is gone: the HEAD succeeds, then the GET fails with one of these
(Arrow names the same response in several ways)."""


class Exit(IntEnum):
    """Exit codes of the command line."""

    OK = 0
    FAILED = 1
    USAGE = 2
    BLOCKED = 3
    NONE_TAKEN = 4


class LakegateError(Exception):
    """Base of every error that Lakegate raises on purpose; its text is meant for the person who reads it.

    Args:
        what: What happened, in one sentence.
        where: File, line, column, rule, drop or version that it happened in.
        fix: What to do now.
    """

    exit_code = Exit.FAILED

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        self.others: tuple[LakegateError, ...] = ()
        """What else is wrong in the same place, such as a contract; part of its text."""
        self.file = ""
        """Name of the delivery that it stopped, if any."""
        super().__init__(what, where, fix)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return "\n".join([f"{head}\n  -> {self.fix}" if self.fix else head, *map(str, self.others)])


class UsageError(LakegateError):
    """The caller's request is impossible: an unknown name, a path that isn't a file."""

    exit_code = Exit.USAGE


class ContractError(LakegateError):
    """A contract, suite or SQL file is wrong: that dataset stops, others go on."""

    exit_code = Exit.USAGE


class DataRejected(LakegateError):
    """A gate refused the drop; recorded with evidence, judged again when something changed."""

    exit_code = Exit.BLOCKED


class Held(LakegateError):
    """A gate waits for a person's decision."""

    exit_code = Exit.BLOCKED


class Transient(LakegateError):
    """Network, a busy lakeFS, a disk that is briefly full: worth another try."""


class Conflict(LakegateError):
    """The caller chose an order that no longer holds; the text names the version that won."""


class IntegrityError(LakegateError):
    """The lake is not what it says it is: stop, touch nothing, name the gap."""


class AccessError(LakegateError):
    """Keys were refused, or lack a right: tried again later; it says nothing about the lake."""


class Expired(LakegateError):
    """The version's files are deleted; its manifest remains, and the record who expired it, when and why."""

    @classmethod
    def of(cls, version: object, record: Mapping[str, Any], *, where: str = "") -> Expired:
        """From the record of its expiry."""
        what = f"{version} expired on {str(record['at'])[:10]} ({record['why']}; {record['by']})"
        fix = (
            "this is no damage, and its manifest is kept; open a later version. `lakegate reprocess` "
            "rebuilds a dataset's table from raw, as a new version; a longer retention in the contract, or "
            "`lakegate pin`, keeps versions that are still there"
        )
        return cls(what, where=where, fix=fix)


class VersionNotFound(UsageError):
    """No version of that name was ever published here."""


def unforeseen(error: Exception) -> LakegateError:
    """An unexpected error as one of ours: its type and place, not its text, which may quote values (P6)."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    what, fix = f"an unexpected {type(error).__name__}", "report this; nothing else was stopped by it"
    return LakegateError(what, where=where, fix=fix)
