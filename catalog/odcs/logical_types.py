"""The types of columns and nested fields: which there are, and what to write for those of other systems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from catalog.documents.document import Document, Steps, suggest
from catalog.documents.meanings import logical_type
from lakegate.errors import ContractError

LOGICAL_TYPES: Final = ("string", "integer", "number", "boolean", "date", "timestamp", "object", "array")
DECIMAL: Final = "there is no decimal: write number (a double), or integer in the smallest unit (cents) or string where each digit counts"
_MAP: Final = "write object, which is delivered as JSON; without properties it may hold any keys"
_INSTEAD: Final = {
    "decimal": DECIMAL,
    "time": "write string, with a rule for its pattern, or timestamp where the day is delivered with it",
    "object": _MAP,
    "array": "write array, which is delivered as JSON",
}


def type_mistakes(document: Document) -> Iterator[tuple[Steps, ContractError]]:
    """Each missing or unknown `logicalType` of a column, or of a field within one, with the place of the column or field.

    The standard's schema tells a wrong or missing one as the lack of something else.
    """
    tables = document.data.get("schema")
    for i, table in enumerate(tables if isinstance(tables, list) else ()):
        for at, item, what in _fields(table, ("schema", i), "column"):
            if (given := item.get("logicalType")) not in LOGICAL_TYPES:
                told = f"{what} {item.get('name', 'items')!r} has " + (
                    f"logicalType {given!r}" if given else "no logicalType"
                )
                yield at, document.error(told, *at, "logicalType", fix=_instead(given))


def _fields(item: Any, at: Steps, what: str) -> Iterator[tuple[Steps, dict[str, Any], str]]:
    """The properties and items of a part of a document, whatever its shape, and those within them."""
    if not isinstance(item, dict):
        return
    inner = item.get("properties")
    places = [
        ((*at, "properties", i), value) for i, value in enumerate(inner if isinstance(inner, list) else ())
    ]
    for place, value in [*places, *([((*at, "items"), item["items"])] if "items" in item else [])]:
        if isinstance(value, dict):
            yield place, value, what
            yield from _fields(value, place, "the nested field")


def _instead(given: Any) -> str:
    type_ = logical_type(given)
    return suggest(given, LOGICAL_TYPES) if type_ is None else _INSTEAD.get(type_, f"write {type_}")
