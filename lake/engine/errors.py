"""An engine's errors as ours, without its text: engines quote values in what they say (promise P6)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any, Final

from lakegate.errors import LakegateError, Transient

_PACKAGES: Final = {"pyspark", "grpc"}
"""Packages whose errors are an engine's. Importing them for `isinstance` would take half a second."""
_LOST: Final = (
    "connection refused",
    "connection reset",
    "error sending request",
    "timed out",
    "unavailable",
    "exception deserializing",
)
"""Words of an error whose response was lost on its way; the last is gRPC's, for one that came in pieces."""
_NO_TEXT: Final = "its text is not shown because engines quote values in it"
_COMPUTED: Final = ("Arithmetic", "NumberFormat", "DateTime", "Parse", "ArrayIndex", "IllegalArgument")
"""How the names of errors begin that come from the query itself, whatever value they quote."""
_QUOTED: Final = re.compile(r"'[^']*'|`[^`]*`")
_OF_A_VALUE: Final = re.compile(
    r"^(cast error|arithmetic overflow|divide by zero|remainder by zero"
    r"|\[[A-Z_.]*(CAST|OVERFLOW|ZERO|OUT_OF_RANGE))",
    re.IGNORECASE,
)


@contextlib.contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn an engine's error into one of ours without its text, which may quote values (P6)."""
    try:
        yield
    except Exception as error:
        if not {kind.__module__.partition(".")[0] for kind in type(error).__mro__} & _PACKAGES:
            raise
        name = ": ".join(filter(None, (type(error).__name__, _error_class(error))))
        what = f"the engine failed while {doing} ({name})"
        if _is_lost(error):
            raise Transient(what, fix=f"run it again; {_NO_TEXT}") from None
        fix = "see the query (`lakegate plan` shows the SQL of rules); where that is right, report it"
        raise LakegateError(what, fix=f"{fix}; {_NO_TEXT}") from None


def _is_lost(error: Any) -> bool:
    """Whether a response was lost on its way; words in quoted values don't count."""
    said = str(error)
    if type(error).__name__.startswith(_COMPUTED) or _OF_A_VALUE.match(said):
        return False
    bare = _QUOTED.sub("", said).lower()
    return any(word in bare for word in _LOST)


def _error_class(error: Any) -> str:
    """The engine's error class or gRPC's status, where it is a constant, which quotes no value."""
    from grpc import StatusCode  # type: ignore[import-untyped]

    found = error.getCondition() if hasattr(error, "getCondition") else None
    if found is None and hasattr(error, "code"):
        status = error.code()
        found = status.name if isinstance(status, StatusCode) else None
    return found if isinstance(found, str) and found.replace("_", "").replace(".", "").isalnum() else ""
