"""The types of columns and nested fields: which there are, and what to write for those of other systems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from catalog.documents.document import Document, Steps, suggest
from catalog.documents.meanings import logical_type
from lakegate.errors import ContractError

LOGICAL_TYPES: Final = ("string", "integer", "number", "boolean", "date", "timestamp", "object", "array")
DECIMAL: Final = (
    "there is no decimal: write number (a double), or integer in the smallest unit (cents)"
    " or string where each digit counts"
)
_MAP: Final = "write object, which is delivered as JSON; without properties it may hold any keys"
_INSTEAD: Final = {
    "decimal": DECIMAL,
    "time": "write string, with a rule for its pattern, or timestamp where the day is delivered with it",
    "object": _MAP,
    "array": "write array, which is delivered as JSON",
}


def type_mistakes(document: Document) -> Iterator[tuple[Steps, ContractError]]:
    """Each missing or unknown `logicalType`, with the place of its column or nested field.

    The standard's schema reports one as the lack of something else.
    """
    tables = document.data.get("schema")
    for i, table in enumerate(tables if isinstance(tables, list) else ()):
        for at, item, what in _fields(table, ("schema", i), "column"):
            if (given := item.get("logicalType")) not in LOGICAL_TYPES:
                wrong = f"logicalType {given!r}" if given else "no logicalType"
                mistake = f"{what} {item.get('name', 'items')!r} has {wrong}"
                yield at, document.error(mistake, *at, "logicalType", fix=_instead(given))


def _fields(item: Any, at: Steps, what: str) -> Iterator[tuple[Steps, dict[str, Any], str]]:
    """The properties and items of a part of a document, whatever its shape, and those within them."""
    if not isinstance(item, dict):
        return
    inner = item.get("properties")
    places: list[tuple[Steps, Any]] = []
    for i, value in enumerate(inner if isinstance(inner, list) else ()):
        places.append(((*at, "properties", i), value))
    if "items" in item:
        places.append(((*at, "items"), item["items"]))
    for place, value in places:
        if isinstance(value, dict):
            yield place, value, what
            yield from _fields(value, place, "the nested field")


def _instead(given: Any) -> str:
    type_ = logical_type(given)
    return suggest(given, LOGICAL_TYPES) if type_ is None else _INSTEAD.get(type_, f"write {type_}")
