"""The standard's nested properties, from its words to values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from catalog.documents.document import Document, Steps
from catalog.nested import Nested

CONTAINERS: Final = ("object", "array")
_NAME: Final = re.compile(r'[^\s.\[\]"\\]+')
_KNOWN: Final = (
    "name",
    "logicalType",
    "required",
    "classification",
    "description",
    "businessName",
    "tags",
    "examples",
    "id",
)
"""Keys of a nested property that Lakegate acts on, or that are for people; any other is refused."""


def nested_column(document: Document, item: dict[str, Any], at: Steps) -> Nested | None:
    """What a column's property says of its inside; None where it is no object or array.

    Raises:
        ContractError: A name or type can't be used, or something is said that Lakegate doesn't do.
    """
    if item["logicalType"] not in CONTAINERS:
        _check_inside(document, item, at)
        return None
    for key in ("primaryKey", "relationships"):
        if item.get(key):
            what = f"column {item['name']!r} holds JSON, of which two texts can mean the same, and has {key}"
            raise document.error(what, *at, key, fix="deliver what identifies it as a column of its own")
    return _nested(document, item, at)


def classifications(item: dict[str, Any], at: Steps) -> Iterator[tuple[str, Steps]]:
    """Every classification that is stated within a nested property, with its place."""
    inner: list[tuple[Steps, Any]] = [
        ((*at, "properties", i), value) for i, value in enumerate(item.get("properties") or ())
    ]
    if item.get("items"):
        inner.append(((*at, "items"), item["items"]))
    for place, value in inner:
        if "classification" in value:
            yield value["classification"], (*place, "classification")
        yield from classifications(value, place)


def _nested(document: Document, item: dict[str, Any], at: Steps) -> Nested:
    _check_inside(document, item, at)
    fields: dict[str, Nested] = {}
    for i, inner in enumerate(item.get("properties") or ()):
        place, name = (*at, "properties", i), inner["name"]
        if not _NAME.fullmatch(name) or name in fields:
            what = f"{name!r} can't name a nested field" + (" twice" if name in fields else "")
            fix = "name each once, without spaces, dots, brackets, quotes or backslashes"
            raise document.error(what, *place, "name", fix=fix)
        fields[name] = _inner(document, inner, place)
    items = _inner(document, item["items"], (*at, "items")) if item.get("items") else None
    return Nested(item["logicalType"], item.get("required", False), tuple(fields.items()), items)


def _check_inside(document: Document, item: dict[str, Any], at: Steps) -> None:
    for key, kind in (("properties", "object"), ("items", "array")):
        if item.get(key) and item["logicalType"] != kind:
            what = f"a value of logicalType {item['logicalType']} has no {key}"
            raise document.error(what, *at, key, fix=f"write logicalType: {kind}, or leave them out")


def _inner(document: Document, item: dict[str, Any], at: Steps) -> Nested:
    for key, said in item.items():
        if said and key not in (*_KNOWN, "properties", "items"):
            what = f"Lakegate doesn't act on {key!r} of a nested field"
            fix = "leave it out, or deliver the field as a column of its own"
            raise document.error(what, *at, key, fix=fix)
    return _nested(document, item, at)
