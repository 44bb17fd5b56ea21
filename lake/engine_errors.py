"""An engine's errors as ours, without its text: engines quote values in what they say (promise P6)."""

from __future__ import annotations

import contextlib
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
        kind = Transient if any(word in str(error).lower() for word in _UNREACHABLE) else LakegateError
        what = f"the engine failed while {doing} ({name}{': ' + error_class if (error_class := _error_class(error)) else ''})"
        raise kind(what, fix="run it again; its text is not shown because engines quote values in it") from None


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


def _error_class(error: Any) -> str:
    """The engine's error class or gRPC's status, where it is one of the constants that carry no values."""
    from grpc import StatusCode  # type: ignore[import-untyped]

    found = error.getCondition() if hasattr(error, "getCondition") else None
    if found is None and hasattr(error, "code"):
        status = error.code()
        found = status.name if isinstance(status, StatusCode) else None
    return found if isinstance(found, str) and found.replace("_", "").replace(".", "").isalnum() else ""
