"""The columns and rules of the benchmark, as plain values that every contestant is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Kind = Literal[
    "type",
    "required",
    "key",
    "fk",
    "between",
    "in_set",
    "not_in_set",
    "regex",
    "not_regex",
    "length",
    "greater",
]
ColumnType = Literal["string", "integer", "number", "timestamp"]

DATASET: Final = "trips"
REFERENCE: Final = "airports"
REFERENCE_KEY: Final = "faa"

NARROW: Final[dict[str, ColumnType]] = {
    "id": "integer",
    "departed": "timestamp",
    "arrived": "timestamp",
    "distance": "number",
    "carrier": "string",
    "origin": "string",
    "tail": "string",
    "note": "string",
}
WIDE: Final = 40
ATTRIBUTES: Final = tuple(f"a{number:02}" for number in range(1, WIDE - len(NARROW) + 1))
"""Further columns of the wide table, all of them text, so that the same twelve rules apply to both widths."""

CARRIERS: Final = (
    "9E",
    "AA",
    "AS",
    "B6",
    "DL",
    "EV",
    "F9",
    "FL",
    "HA",
    "MQ",
    "OO",
    "UA",
    "US",
    "VX",
    "WN",
    "YV",
)
CLASSES: Final = ("economy", "business", "first", "cargo", "crew", "charter", "training", "ferry")
FLAGS: Final = ("Y", "N")
FEW, MANY = 12, 48


@dataclass(frozen=True)
class Rule:
    """One row rule; `id` is the one that Lakegate gives it. NULL breaks only `required`.

    Arguments by kind: between `low`, `high`, and `where` the (column, value) of the rows that it judges;
    in_set and not_in_set `values`; regex and not_regex `pattern` (found anywhere, so anchored); length `low`,
    `high` in characters; greater `other`, the column that may not be greater or equal; type the column's own
    type.
    """

    id: str
    kind: Kind
    column: str
    args: dict[str, Any] = field(default_factory=dict)


def columns_of(width: int) -> dict[str, ColumnType]:
    """Names and types of the narrow (8) or the wide (40) table."""
    return NARROW if width == len(NARROW) else NARROW | dict.fromkeys(ATTRIBUTES, "string")


def rules_of(width: int, number: int) -> tuple[Rule, ...]:
    """The rules of a case, in Lakegate's order: those of the schema, then those that the contract states."""
    further = () if number == FEW else tuple(_further_wide() if width == WIDE else _further_narrow())
    required = [rule for rule in further if rule.kind == "required"]
    stated = [rule for rule in further if rule.kind != "required"]
    found = (
        *_types(),
        Rule("required:id", "required", "id"),
        *required,
        Rule("key", "key", "id"),
        *_foreign(),
        *_stated(),
        *stated,
    )
    if len(found) != number:
        raise AssertionError(f"{len(found)} rules for {width} columns, not {number}")
    return found


def _types() -> Iterator[Rule]:
    typed = {name: kind for name, kind in NARROW.items() if kind != "string"}
    yield from (Rule(f"type:{name}", "type", name, {"type": kind}) for name, kind in typed.items())


def _foreign() -> Iterator[Rule]:
    yield Rule(f"fk:origin->{REFERENCE}.{REFERENCE_KEY}", "fk", "origin")


def _stated() -> Iterator[Rule]:
    yield Rule("distance-range", "between", "distance", {"low": 1.0, "high": 12000.0})
    yield Rule("carrier-known", "in_set", "carrier", {"values": CARRIERS})
    yield Rule("tail-pattern", "regex", "tail", {"pattern": "^N[0-9]{1,4}[A-Z]{0,2}$"})
    yield Rule("note-length", "length", "note", {"low": 1, "high": 80})
    yield Rule("arrived-after", "greater", "arrived", {"other": "departed"})


def _further_narrow() -> Iterator[Rule]:
    yield from (Rule(f"required:{name}", "required", name) for name in NARROW if name != "id")
    yield Rule("id-range", "between", "id", {"low": 1, "high": 10**13})
    years = {"low": "2013-01-01T00:00:00Z", "high": "2033-12-31T23:59:59Z"}
    yield from (Rule(f"{name}-range", "between", name, years) for name in ("departed", "arrived"))
    yield Rule("distance-plausible", "between", "distance", {"low": 17.0, "high": 5000.0})
    yield Rule("carrier-code", "regex", "carrier", {"pattern": "^[A-Z0-9]{2}$"})
    yield Rule("origin-code", "regex", "origin", {"pattern": "^[A-Z]{3}$"})
    yield Rule("tail-letters", "not_regex", "tail", {"pattern": "[IO]"})
    yield Rule("note-numbers", "not_regex", "note", {"pattern": "[0-9]{9}"})
    yield Rule("note-begins", "regex", "note", {"pattern": "^[A-Za-z0-9]"})
    yield Rule("note-spaces", "not_regex", "note", {"pattern": "  "})
    for name, low, high in (("carrier", 2, 2), ("origin", 3, 3), ("tail", 2, 7)):
        yield Rule(f"{name}-length", "length", name, {"low": low, "high": high})
    for name, values in (
        ("carrier", ("XX", "ZZ")),
        ("origin", ("XXX", "ZZZ")),
        ("tail", ("N0", "N00")),
        ("note", ("test", "TEST")),
    ):
        yield Rule(f"{name}-placeholder", "not_in_set", name, {"values": values})
    for rank, carrier in enumerate(CARRIERS[:12]):
        bounds = {"low": 5.0, "high": 3000.0 + 500 * rank, "where": ("carrier", carrier)}
        yield Rule(f"distance-{carrier}", "between", "distance", bounds)


def _further_wide() -> Iterator[Rule]:
    required = ("departed", "arrived", "carrier", "tail")
    yield from (Rule(f"required:{name}", "required", name) for name in required)
    for index, name in enumerate(ATTRIBUTES):
        match index % 4:
            case 0:
                yield Rule(f"{name}-pattern", "regex", name, {"pattern": "^[A-Z]{3}-[0-9]{4}$"})
            case 1:
                yield Rule(f"{name}-length", "length", name, {"low": 3, "high": 30})
            case 2:
                yield Rule(f"{name}-flag", "in_set", name, {"values": FLAGS})
            case _:
                yield Rule(f"{name}-class", "in_set", name, {"values": CLASSES})
