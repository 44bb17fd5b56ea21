"""Columns with a mistake, as they may be once it is mended, so that all other mistakes are reported too.

A rule that names a column of unknown type may have a mistake of its own, to be reported now; or one that
only follows from the type, which is none. So the rest of the contract is read with each type and so on that
the column may get.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal, get_args

from catalog.contract import Column, ColumnType
from catalog.documents.document import Steps

Part = Literal["name", "type", "required", "classification"]
"""A part of a column that a mistake leaves open."""
PARTS: Final[frozenset[Part]] = frozenset(get_args(Part))
_OF: Final[dict[str | int, Part]] = {
    "name": "name",
    "logicalType": "type",
    "physicalType": "type",
    "logicalTypeOptions": "type",
    "items": "type",
    "properties": "type",
    "required": "required",
    "classification": "classification",
}


def open_parts(at: Steps, places: Iterable[Steps]) -> set[Part]:
    """The open parts of the column at `at`, by the places that the standard refuses."""
    found = set[Part]()
    for place in places:
        if place == at:
            found |= PARTS
        elif place[: len(at)] == at and (part := _OF.get(place[len(at)])) is not None:
            found.add(part)
    return found


def as_may_be(columns: tuple[Column, ...], spoilt: Mapping[str, set[Part]]) -> list[tuple[Column, ...]]:
    """The columns as read; then as they may be: each open part takes every value, or two of them."""
    found = [columns]
    for number, type_ in enumerate(get_args(ColumnType)):
        odd = bool(number % 2)
        changed = tuple(_changed(item, spoilt.get(item.name, set()), type_, odd=odd) for item in columns)
        if changed not in found:
            found.append(changed)
    return found


def names_any(value: Any, names: set[str]) -> bool:
    """Whether an argument of a rule names one of these columns, also within a condition."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return any(names_any(item, names) for item in value)
    return isinstance(value, str) and any(name in value for name in names)


def _changed(column: Column, parts: set[Part], type_: ColumnType, *, odd: bool) -> Column:
    if "type" in parts:
        column = replace(column, type=type_, format=None, nested=None)
    if "required" in parts:
        column = replace(column, required=odd)
    if "classification" in parts:
        column = replace(column, classification="personal" if odd else "public")
    return column
