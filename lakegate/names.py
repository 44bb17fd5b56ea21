"""A version's name and its spellings: for people, as a lakeFS tag, as a retention branch."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lakegate.errors import UsageError

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
"""Datasets, tables and tenants. No dot or dash, so that a tag has one table and one number only."""

# Bounded, so that a given name is neither too long for a file system nor a number that int() refuses.
_VERSION = re.compile(r"([a-z][a-z0-9_]{0,63})@v([1-9][0-9]{0,17})\Z")
_TAG = re.compile(r"([a-z][a-z0-9_]{0,63})\.v([1-9][0-9]{0,17})\Z")
_KEEP = re.compile(r"keep-([a-z][a-z0-9_]{0,63})-v([1-9][0-9]{0,17})\Z")


@dataclass(frozen=True, order=True)
class VersionName:
    """A version's name: `flights@v12` to people, tag `flights.v12` and branch `keep-flights-v12` in lakeFS.

    lakeFS creates a tag with `@` and can then never resolve it, hence the second spelling.
    """

    table: str
    number: int

    def __str__(self) -> str:
        return f"{self.table}@v{self.number}"

    @property
    def tag(self) -> str:
        """The lakeFS tag."""
        return f"{self.table}.v{self.number}"

    @property
    def keep_branch(self) -> str:
        """The lakeFS branch that keeps garbage collection away from this version."""
        return f"keep-{self.table}-v{self.number}"

    @classmethod
    def parse(cls, text: str) -> VersionName:
        """Read `flights@v12`.

        Raises:
            UsageError: The text is not a version's name.
        """
        if (match := _VERSION.match(text)) is None:
            what = f"{text[:80]!r} is not the name of a version"
            fix = "write TABLE@vN, for example flights@v6; `lakegate versions TABLE` lists them"
            raise UsageError(what, fix=fix)
        return cls(match[1], int(match[2]))

    @classmethod
    def from_tag(cls, tag: str) -> VersionName | None:
        """Read a lakeFS tag; None where it is not one of ours."""
        return cls(match[1], int(match[2])) if (match := _TAG.match(tag)) else None

    @classmethod
    def from_keep_branch(cls, branch: str) -> VersionName | None:
        """Read a retention branch; None where it is not one of ours."""
        return cls(match[1], int(match[2])) if (match := _KEEP.match(branch)) else None


def checked_name(text: str, *, kind: str) -> str:
    """Return `text` if it may name a tenant, dataset or table.

    Raises:
        UsageError: It may not.
    """
    if NAME.match(text) is None or len(text) > MAX_NAME:
        fix = f"use a lower-case letter, then letters, digits and _ ({MAX_NAME} at most)"
        raise UsageError(f"{text[:80]!r} can't name a {kind}", fix=fix)
    return text


MAX_NAME = 40
"""Keeps the repository's name within lakeFS's 63 characters, and a candidate branch readable."""
