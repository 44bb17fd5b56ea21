"""What a contract says of a column that has a mistake, as it may be once that is mended: what is wrong whatever it is, is told now.

A rule that names a column with an unknown type may have a mistake of its own, which nobody should learn of later; and one that only follows
from that type, which is none. So the rest of the contract is read under each thing that the column may turn out to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Literal, get_args

from catalog.contract import Column, ColumnType
from catalog.documents.document import Steps

Part = Literal["name", "type", "required", "classification"]
"""What a mistake leaves open of a column."""
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
    """What the standard leaves open of the column that stands at `at`, by the places that it refuses."""
    found = set[Part]()
    for place in places:
        if place[: len(at)] == at:
            inside = place[len(at) :]
            found |= {_OF[inside[0]]} if inside and inside[0] in _OF else set() if inside else PARTS
    return found


def as_may_be(columns: tuple[Column, ...], spoilt: Mapping[str, set[Part]]) -> Iterator[tuple[Column, ...]]:
    """The columns as they were read; then as they may be, so that each open part of one has every value, or two of them."""
    told = [columns]
    yield columns
    for number, type_ in enumerate(get_args(ColumnType)):
        changed = tuple(
            _changed(column, spoilt.get(column.name, set()), type_, odd=bool(number % 2))
            for column in columns
        )
        if changed not in told:
            told.append(changed)
            yield changed


def names_any(value: Any, names: set[str]) -> bool:
    """Whether an argument of a rule names one of these columns, also within a condition."""
    if isinstance(value, dict | list):
        return any(names_any(item, names) for item in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and any(name in value for name in names)


def _changed(column: Column, parts: set[Part], type_: ColumnType, *, odd: bool) -> Column:
    if "type" in parts:
        column = replace(column, type=type_, format=None, nested=None)
    if "required" in parts:
        column = replace(column, required=odd)
    if "classification" in parts:
        column = replace(column, classification="personal" if odd else "public")
    return column
