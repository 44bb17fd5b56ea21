"""Read a published version of a Lakegate table: `open_snapshot("flights@v6").arrow()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakegate.snapshot import Snapshot as Snapshot
    from lakegate.snapshot import open_snapshot as open_snapshot

__version__ = "0.1.0"
__all__ = ["Snapshot", "__version__", "open_snapshot"]


def __getattr__(name: str) -> object:
    """Import the reader, and with it pyarrow, at its first use."""
    if name in ("open_snapshot", "Snapshot"):
        from lakegate import snapshot

        return getattr(snapshot, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
