"""An engine's errors as ours, without its text: engines quote values in what they say (promise P6)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any, Final

from lakegate.errors import LakegateError, Transient


@contextlib.contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn an engine's error into one of ours that quotes none of its text: engines put values into messages (P6)."""
    try:
        yield
    except Exception as error:
        if not {kind.__module__.partition(".")[0] for kind in type(error).__mro__} & _PACKAGES:
            raise
        name = type(error).__name__
        what = f"the engine failed while {doing} ({name}{': ' + error_class if (error_class := _error_class(error)) else ''})"
        if _is_lost(error):
            raise Transient(what, fix=f"run it again; {_UNTOLD}") from None
        raise LakegateError(
            what,
            fix=f"see what was asked (`lakegate plan` shows the SQL of rules); where that is right, report it; {_UNTOLD}",
        ) from None


_PACKAGES: Final = {"pyspark", "grpc"}
"""Those whose errors are an engine's; importing them to say so would take half a second of a hop that asks none."""
_UNREACHABLE: Final = (
    "connection refused",
    "connection reset",
    "error sending request",
    "timed out",
    "unavailable",
    "exception deserializing",
)
"""Words of an answer that was lost on its way; the last is gRPC's, for one that came in pieces."""


_UNTOLD: Final = "its text is not shown because engines quote values in it"
_COMPUTED: Final = ("Arithmetic", "NumberFormat", "DateTime", "Parse", "ArrayIndex", "IllegalArgument")
"""How the names of errors begin that come of what was asked, whatever value they quote."""
_QUOTED: Final = re.compile(r"'[^']*'|`[^`]*`")
_OF_A_VALUE: Final = re.compile(
    r"^(cast error|arithmetic overflow|\[[A-Z_.]*(CAST|OVERFLOW|ZERO|OUT_OF_RANGE)|divide by zero|remainder by zero)",
    re.IGNORECASE,
)


def _is_lost(error: Any) -> bool:
    """Whether an answer was lost on its way, and no value that an engine quotes looks as if it was."""
    said = str(error)
    if type(error).__name__.startswith(_COMPUTED) or _OF_A_VALUE.match(said):
        return False
    bare = _QUOTED.sub("", said).lower()
    return any(word in bare for word in _UNREACHABLE)


def _error_class(error: Any) -> str:
    """The engine's error class or gRPC's status, where it is one of the constants that carry no values."""
    from grpc import StatusCode  # type: ignore[import-untyped]

    found = error.getCondition() if hasattr(error, "getCondition") else None
    if found is None and hasattr(error, "code"):
        status = error.code()
        found = status.name if isinstance(status, StatusCode) else None
    return found if isinstance(found, str) and found.replace("_", "").replace(".", "").isalnum() else ""
