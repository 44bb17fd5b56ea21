"""The schema part of a contract: columns and key, from the standard's words to values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from catalog.column_names import check_headers, read_name
from catalog.contract import PERSONAL, Column, ColumnType
from catalog.documents.document import Document, Steps, suggest
from catalog.may_be import PARTS, Part, open_parts
from catalog.mistakes import Mistakes
from catalog.odcs.logical_types import DECIMAL
from catalog.odcs.nested_fields import classifications, nested_column
from catalog.odcs.time_patterns import ADVICE, pattern_mistake

T = TypeVar("T")
OBJECT: Final[Steps] = ("schema", 0)
"""The place of a contract's one table."""

CLASSIFICATIONS: Final = ("public", "internal", "confidential", "restricted", *sorted(PERSONAL))
"""A closed list: a misspelt `personal` would let values leak."""

_TYPES: Final[dict[str, ColumnType]] = {
    "string": "string",
    "integer": "integer",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "object": "string",
    "array": "string",
}
_PHYSICAL: Final[dict[ColumnType, tuple[str, ...]]] = {
    "string": ("string",),
    "integer": ("bigint", "long"),
    "double": ("double",),
    "boolean": ("boolean",),
    "date": ("date",),
    "timestamp": ("timestamp",),
}
_IGNORED_OTHERWISE: Final = ("unique", "enum", "encryptedName", "partitioned")
"""Keys of the standard that Lakegate doesn't act on: refused, as to ignore one would break a promise."""


def columns(document: Document, mistakes: Mistakes) -> tuple[Column, ...]:
    """The columns, in the contract's order; a mistake in one is noted, and spoils the column.

    Raises:
        ContractError: There is none.
    """
    given = document.data["schema"][0].get("properties") or []
    if not given:
        raise document.error("the schema has no columns", *OBJECT, fix="list them under properties")
    found: list[Column] = []
    for i, item in enumerate(given):
        at = (*OBJECT, "properties", i)
        parts = open_parts(at, mistakes.places)
        column: Column | None = mistakes.attempt(partial(_column, document, item, at, mistakes, parts), None)
        if column is None:
            name = str(item.get("name", f"column {i + 1}")) if isinstance(item, dict) else f"column {i + 1}"
            column, parts = Column(name, "string", required=True), {*PARTS}
        if column.name.lower() in {other.name.lower() for other in found}:
            what = f"column {column.name!r} comes twice (engines don't tell upper from lower case)"
            mistakes.add(document.error(what, *at, "name", fix="keep one of them"))
        if parts:
            mistakes.spoilt[column.name] = mistakes.spoilt.get(column.name, set()) | parts
        found.append(column)
    with mistakes.noting():
        check_headers(document, found, (*OBJECT, "properties"))
    return tuple(found)


def _column(
    document: Document, item: dict[str, Any], at: Steps, mistakes: Mistakes, parts: set[Part]
) -> Column:
    """A column as far as it can be read; what its mistakes leave open is added to `parts`."""
    logical = item.get("logicalType")

    def attempt(read: Callable[[], T], default: Any, of: Part = "type") -> T:
        before = len(mistakes.found)
        value = mistakes.attempt(read, default)
        if len(mistakes.found) > before:
            parts.add(of)
        return value

    name, delivered_as = attempt(partial(read_name, document, item, at), (str(item["name"]), None), "name")
    type_, pattern, nested = _TYPES.get(str(logical), "string"), None, None
    if logical in _TYPES:  # else `catalog.odcs.logical_types` reports it
        attempt(partial(_check_physical, document, item, at, type_), None)
        pattern = attempt(partial(_format, document, item, (*at, "logicalTypeOptions"), type_), None)
        nested = attempt(partial(nested_column, document, item, at), None)
    for key in _IGNORED_OTHERWISE:
        if item.get(key):
            what = f"Lakegate doesn't act on {key!r} of a column"
            mistakes.add(document.error(what, *at, key, fix="write it as a quality rule, or leave it out"))
    return Column(
        name=name,
        type=type_,
        required=item.get("required", False),
        classification=attempt(partial(_classification, document, item, at), "public", "classification"),
        format=pattern,
        description=item.get("description", ""),
        nested=nested,
        delivered_as=delivered_as,
    )


def _check_physical(document: Document, item: dict[str, Any], at: Steps, type_: ColumnType) -> None:
    physical = item.get("physicalType", _PHYSICAL[type_][0])
    if physical.lower() not in _PHYSICAL[type_]:
        types = f"physicalType {physical!r}, its logicalType is {item['logicalType']}"
        exact = f"; {DECIMAL}" if physical.lower().startswith(("decimal", "numeric")) else ""
        fix = f"use {_PHYSICAL[type_][0]}{exact}"
        raise document.error(f"column {item['name']!r} has {types}", *at, "physicalType", fix=fix)


def _classification(document: Document, item: dict[str, Any], at: Steps) -> str:
    classification = str(item.get("classification", "public"))
    for stated, place in [(classification, (*at, "classification")), *classifications(item, at)]:
        if stated.lower() not in CLASSIFICATIONS:
            what = f"column {item['name']!r} has classification {stated!r}"
            raise document.error(what, *place, fix=suggest(stated, CLASSIFICATIONS))
        if stated.lower() in PERSONAL:  # what is personal in a part makes the whole column personal
            classification = stated
    return classification.lower()


def _format(document: Document, item: dict[str, Any], at: Steps, type_: ColumnType) -> str | None:
    options = item.get("logicalTypeOptions", {})
    allowed = {"date": ("format",), "timestamp": ("format", "timezone", "defaultTimezone")}.get(type_, ())
    for key in options.keys() - set(allowed):
        what = f"Lakegate doesn't act on {key!r} of a {type_}"
        raise document.error(what, *at, key, fix="write it as a quality rule")
    if options.get("defaultTimezone", "UTC") not in ("UTC", "Etc/UTC"):
        fix = "deliver UTC, or an offset with each value"
        raise document.error("timestamps are UTC", *at, "defaultTimezone", fix=fix)
    pattern = options.get("format")
    if pattern is None:
        return None
    if (mistake := pattern_mistake(str(pattern))) is not None:
        raise document.error(f"format {pattern!r} is no date pattern: {mistake}", *at, "format", fix=ADVICE)
    return str(pattern)


def key(document: Document, known: tuple[Column, ...], *, needed_by: str | None) -> tuple[str, ...]:
    """The key's columns, by primaryKeyPosition; none where the contract names none, and nothing needs one.

    Raises:
        ContractError: A position is missing or used twice, a key column may be null, or there is no key and
            `needed_by` says what needs it.
    """
    positions: dict[int, Column] = {}
    for i, item in enumerate(document.data["schema"][0]["properties"]):
        at, column = (*OBJECT, "properties", i), known[i]
        if not item.get("primaryKey"):
            if item.get("primaryKeyPosition", -1) != -1:
                what = f"column {column.name!r} has a primaryKeyPosition and is no primaryKey"
                raise document.error(what, *at, "primaryKeyPosition", fix="add primaryKey: true")
            continue
        if not column.required:
            what = f"key column {column.name!r} may be null"
            raise document.error(what, *at, "primaryKey", fix="add required: true")
        position = item.get("primaryKeyPosition", -1)
        if position < 1 or position in positions:
            which = "the position of another" if position in positions else "no position"
            what, fix = (
                f"key column {column.name!r} has {which}",
                "number the key's columns with primaryKeyPosition: 1, 2, 3",
            )
            raise document.error(what, *at, "primaryKeyPosition", fix=fix)
        positions[position] = column
    if not positions and needed_by is not None:
        fix = "mark the key's columns with required: true, primaryKey: true and primaryKeyPosition: 1, 2, 3"
        raise document.error(f"no column is the key, and {needed_by} one", *OBJECT, "properties", fix=fix)
    return tuple(positions[position].name for position in sorted(positions))
