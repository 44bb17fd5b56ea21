"""Branches that attempts work on, and their names: unique to an attempt, and sorted by the attempt's time.

Unique names fence: an attempt whose branch was deleted can never write again. Sorted names save time:
lakeFS's embedded store keeps deleted branches until it next writes its memory to disk, and each read passes
over the deleted ones behind it.
"""

from __future__ import annotations

import secrets
import time
from typing import Final

from lake.lakefs.repository import Repository

ATTEMPT: Final = "attempt"
"""First word of all of them."""
CANDIDATE: Final = "candidate"
"""The attempt makes a version."""
RECEIVE: Final = "receive"
"""The attempt records a delivery."""
RECORD: Final = "record"
"""The attempt writes records about versions."""
ATTEMPT_DIGITS: Final = 24
"""Digits of an attempt's id in its branch's name: twelve of the time, twelve by chance."""
CAUSE_DIGITS: Final = 12
SKEW: Final = 60_000
"""Milliseconds that the clocks of a lake's writers may differ by; `reconcile` cleans up after slower ones."""
ALL_AGAIN: Final = 3_600_000
"""Milliseconds after which all branches are listed again."""


def new_attempt() -> str:
    """An id of 32 hexadecimal digits that begins with the time, in milliseconds since 1970."""
    return f"{time.time_ns() // 10**6:012x}{secrets.token_hex(10)}"


def branch_of(kind: str, attempt: str, table: str = "", cause: str = "") -> str:
    """The name of an attempt's branch: for a table (or dataset), and what it is made for."""
    return "-".join(filter(None, (ATTEMPT, attempt[:ATTEMPT_DIGITS], kind, table, cause[:CAUSE_DIGITS])))


def branches_of(repository: Repository, kind: str, table: str, cause: str) -> list[str]:
    """The branches of attempts at the same."""
    return [name for name in attempts(repository) if name.endswith(f"-{kind}-{table}-{cause[:CAUSE_DIGITS]}")]


def attempts(repository: Repository) -> list[str]:
    """The branches of attempts, running or dead; some of them may have been deleted since.

    Names sort by time, so only the branches that are new since the last call are listed: listing all of them
    passes over every deleted one.
    """
    now, seen = time.time_ns() // 10**6, repository.attempts
    if now - seen.all_at > ALL_AGAIN:
        seen.all_at, seen.names = now, frozenset(repository.branches(f"{ATTEMPT}-"))
    else:
        after = f"{ATTEMPT}-{seen.at - SKEW:012x}"
        earlier = {name for name in seen.names if name <= after}
        seen.names = frozenset(earlier.union(repository.branches(f"{ATTEMPT}-", after=after)))
    seen.at = now
    return sorted(seen.names)


def kind_and_table(branch: str) -> tuple[str, str]:
    """The kind and the table in the name of an attempt's branch; empty where the name has none."""
    word, _, rest = branch.partition("-")
    kind, _, of = rest.partition("-")[2].partition("-")
    return (kind, of.rpartition("-")[0]) if word == ATTEMPT else ("", "")
