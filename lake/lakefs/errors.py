"""lakeFS's error responses, and calls without a response, as our errors."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from lake.runtime.disk_errors import cause_on_disk, disk_error
from lakegate.errors import GONE, AccessError, Conflict, IntegrityError, LakegateError, Transient, UsageError
from lakegate.home import Endpoint

RESTORE: Final = "restore it from a backup: `lakegate verify --all` lists what else is missing"
DISK_FULL: Final = ("no space left on device", "disk quota exceeded")
BUSY: Final = frozenset({0, 408, 423, 429, 500, 502, 503, 504})
"""HTTP statuses that another try may change."""
REFUSED: Final = {
    HTTPStatus.UNAUTHORIZED: ("HTTP status 401",),
    HTTPStatus.FORBIDDEN: ("HTTP status 403", "ACCESS_DENIED"),
}
"""Statuses of keys that lakeFS refuses, each with what the gateway's client says then."""


class NotThere(UsageError):
    """A ref or object that the lake does not hold."""


class BlockGone(IntegrityError):
    """An object that the tree holds, and whose bytes the store has lost."""


def answered(error: Any, doing: str, endpoint: Endpoint) -> LakegateError:
    """The error that an HTTP status other than success means; `error` is the client's."""
    status, message = error.status or 0, _message(error)
    if status == HTTPStatus.NOT_FOUND:
        return NotThere(f"lakeFS does not have it ({doing})")
    if status == HTTPStatus.GONE:  # the tree names it, the store has lost it
        return _gone(doing)
    if status in REFUSED:
        return _refused(status, doing, endpoint)
    if status in (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED):
        return Conflict(f"lakeFS reports a conflict ({doing})", fix="run it again")
    if status in BUSY:
        what, fix = f"lakeFS responds with {status}", "run it again"
        if any(words in message.lower() for words in DISK_FULL):
            what, fix = "lakeFS's disk is full", "free some space there, then run it again"
        return Transient(f"{what} ({doing})", fix=fix)
    return IntegrityError(f"lakeFS refused with {status}: {message} ({doing})", fix="see the lakeFS log")


def unanswered(error: Exception, doing: str, endpoint: Endpoint) -> LakegateError:
    """The error of a call without an HTTP response.

    Nobody listened, this machine couldn't make the call, or the gateway's client put the status into its
    error's text.
    """
    if (own := cause_on_disk(error)) is not None and (known := disk_error(own, Path(doing))) is not None:
        return known
    if isinstance(error, FileNotFoundError):
        return NotThere(f"lakeFS does not have it ({doing})")
    text = str(error)
    for status, words in REFUSED.items():
        if any(word in text for word in words):
            return _refused(status, doing, endpoint)
    if GONE.search(text):
        return _gone(doing)
    fix = "`lakegate status` shows whether it runs; then run it again"
    return Transient(f"lakeFS does not answer ({doing})", fix=fix)


def _gone(doing: str) -> BlockGone:
    return BlockGone(f"the block is missing from the store ({doing})", fix=RESTORE)


def _refused(status: int, doing: str, endpoint: Endpoint) -> AccessError:
    """The error of keys that lakeFS doesn't take."""
    what = f"lakeFS at {endpoint.url} refuses these keys with {status:d} ({doing})"
    fix = "correct LAKEGATE_LAKEFS_KEY_ID and LAKEGATE_LAKEFS_SECRET, or grant the right to them"
    return AccessError(what, fix=f"{fix}; of the embedded one keys.json belongs to its kv/")


def _message(error: Any) -> str:
    try:
        return str(json.loads(error.body)["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return str(error.reason)[:300]
