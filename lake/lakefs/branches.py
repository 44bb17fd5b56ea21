"""Branches that attempts work on, and their names: no two attempts share one, and those of later attempts sort behind those of earlier ones.

The first fences: whose branch was deleted finds nothing to write to, for good. The second is for speed: lakeFS's embedded store keeps what
was deleted until it next writes its memory to disk, and whoever reads a branch passes over what was deleted behind it.
"""

from __future__ import annotations

import secrets
import time
from typing import Final

from lake.lakefs.repository import Repository

ATTEMPT: Final = "attempt"
"""First word of all of them."""
CANDIDATE: Final = "candidate"
"""What is made on it: a version."""
RECEIVE: Final = "receive"
"""The record of a delivery."""
RECORD: Final = "record"
"""Records about versions."""
ATTEMPT_DIGITS: Final = 24
"""Of an attempt's id, in its branch's name: twelve of the time, twelve by chance."""
CAUSE_DIGITS: Final = 12
SKEW: Final = 60_000
"""Milliseconds by which the clocks of those who work on a lake may differ; of one that is further behind `reconcile` finds what it left."""
ALL_AGAIN: Final = 3_600_000
"""Milliseconds after which all are asked for again."""


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
    """The branches of attempts at work, and of those that died; some that were there may be gone.

    Whoever asks again asks for those that are new since: names sort by time, and to list all is to pass over all that were deleted.
    """
    now, seen = time.time_ns() // 10**6, repository.attempts
    if now - seen.all_at > ALL_AGAIN:
        seen.all_at, seen.names = now, frozenset(repository.branches(f"{ATTEMPT}-"))
    else:
        after = f"{ATTEMPT}-{seen.at - SKEW:012x}"
        seen.names = frozenset(
            {
                *(name for name in seen.names if name <= after),
                *repository.branches(f"{ATTEMPT}-", after=after),
            }
        )
    seen.at = now
    return sorted(seen.names)


def kind_and_table(branch: str) -> tuple[str, str]:
    """What an attempt's branch is for, by its name: the kind is empty where it is none's, the table where it is for none."""
    word, _, rest = branch.partition("-")
    kind, _, of = rest.partition("-")[2].partition("-")
    return (kind, of.rpartition("-")[0]) if word == ATTEMPT else ("", "")
