"""Every place in a document of mappings and lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def places_of(data: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Paths to all parts of a document, itself first."""
    yield steps
    for key, value in (
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    ):
        yield from places_of(value, (*steps, key))
