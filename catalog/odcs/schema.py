"""The schema part of a contract: columns, key and quality rules, from the standard's words to values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar, cast

from catalog.column_names import check_headers, read_name
from catalog.contract import PERSONAL, Column, ColumnType, Contract, Family, Hop, QualityRule, Severity
from catalog.documents.document import Document, Steps, suggest
from catalog.may_be import PARTS, Part, names_any, open_parts
from catalog.mistakes import Mistakes
from catalog.odcs.custom_properties import read_custom
from catalog.odcs.logical_types import DECIMAL
from catalog.odcs.nested_fields import classifications, nested_column
from catalog.odcs.time_patterns import TOLD, pattern_mistake
from catalog.rules.expectation_types import EXPECTATIONS
from catalog.rules.rule_checks import FAMILIES, SEVERITIES, mistakes

T = TypeVar("T")
OBJECT: Final[Steps] = ("schema", 0)
"""Where the one table of a contract stands."""

CLASSIFICATIONS: Final = ("public", "internal", "confidential", "restricted", *sorted(PERSONAL))
"""A closed list: a misspelt `personal` would let values leak."""

ENGINE: Final = "greatExpectations"
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
"""What the standard can say of a column and Lakegate doesn't do: refused, as to ignore it would be a broken promise."""


def columns(document: Document, mistakes: Mistakes) -> tuple[Column, ...]:
    """The columns, in the contract's order; what can't be used of one is noted, and it is spoilt.

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
            what = f"column {column.name!r} stands twice (engines don't tell upper from lower case)"
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
    """A column as far as it can be read; `parts` takes up what its mistakes leave open."""
    logical = item.get("logicalType")

    def attempt(read: Callable[[], T], default: Any, of: Part = "type") -> T:
        before = len(mistakes.found)
        value = mistakes.attempt(read, default)
        parts.update([of] if len(mistakes.found) > before else [])
        return value

    name, delivered_as = attempt(partial(read_name, document, item, at), (str(item["name"]), None), "name")
    type_ = _TYPES.get(str(logical), "string")  # an unknown one is told by `catalog.odcs.logical_types`
    if logical in _TYPES:
        attempt(partial(_check_physical, document, item, at, type_), None)
    for key in _IGNORED_OTHERWISE:
        if item.get(key):
            what = f"Lakegate doesn't act on {key!r} of a column"
            mistakes.add(document.error(what, *at, key, fix="write it as a quality rule, or leave it out"))
    return Column(
        name=name,
        type=type_,
        required=item.get("required", False),
        classification=attempt(partial(_classification, document, item, at), "public", "classification"),
        format=attempt(partial(_format, document, item, (*at, "logicalTypeOptions"), type_), None)
        if logical in _TYPES
        else None,
        description=item.get("description", ""),
        nested=attempt(partial(nested_column, document, item, at), None) if logical in _TYPES else None,
        delivered_as=delivered_as,
    )


def _check_physical(document: Document, item: dict[str, Any], at: Steps, type_: ColumnType) -> None:
    physical = item.get("physicalType", _PHYSICAL[type_][0])
    if physical.lower() not in _PHYSICAL[type_]:
        what = (
            f"column {item['name']!r} has physicalType {physical!r}, its logicalType is {item['logicalType']}"
        )
        exact = f"; {DECIMAL}" if physical.lower().startswith(("decimal", "numeric")) else ""
        raise document.error(what, *at, "physicalType", fix=f"use {_PHYSICAL[type_][0]}{exact}")


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
        raise document.error(
            "timestamps are UTC", *at, "defaultTimezone", fix="deliver UTC, or an offset with each value"
        )
    pattern = options.get("format")
    if pattern is None:
        return None
    if (told := pattern_mistake(str(pattern))) is not None:
        raise document.error(f"format {pattern!r} is no date pattern: {told}", *at, "format", fix=TOLD)
    return str(pattern)


def key(document: Document, known: tuple[Column, ...], *, needed_by: str | None) -> tuple[str, ...]:
    """The key's columns, by primaryKeyPosition; none where the contract names none, and nothing needs one.

    Raises:
        ContractError: A position is missing or used twice, a key column may be null, or there is none and `needed_by` says what needs it.
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
            what = f"key column {column.name!r} has {'the position of another' if position in positions else 'no position'}"
            raise document.error(
                what,
                *at,
                "primaryKeyPosition",
                fix="number the key's columns with primaryKeyPosition: 1, 2, 3",
            )
        positions[position] = column
    if not positions and needed_by is not None:
        fix = "mark the key's columns with required: true, primaryKey: true and primaryKeyPosition: 1, 2, 3"
        raise document.error(f"no column is the key, and {needed_by} one", *OBJECT, "properties", fix=fix)
    return tuple(positions[position].name for position in sorted(positions))


class _Rules(NamedTuple):
    document: Document
    contract: Contract
    found: Mistakes


def rules(document: Document, contract: Contract, found: Mistakes) -> Iterator[QualityRule]:
    """The quality rules, those of the table first, then those of its columns; one that can't be run, or has no id, is noted as a mistake."""
    table = document.data["schema"][0]
    places = [((*OBJECT, "quality", i), given, None) for i, given in enumerate(table.get("quality", ()))]
    for i, item in enumerate(table["properties"]):
        at = (*OBJECT, "properties", i, "quality")
        places += [((*at, j), given, item["name"]) for j, given in enumerate(item.get("quality", ()))]
    seen: set[str] = set()
    for at, given, column in places:
        if given.get("type", "library") == "text":  # for people only
            continue
        with found.noting():
            rule = _rule(_Rules(document, contract, found), given, at, column)
            if rule.id in seen:
                what = f"the rule id {rule.id!r} stands twice"
                raise document.error(what, *at, "id", fix="give each rule an id of its own")
            seen.add(rule.id)
            yield rule


RESERVED: Final = frozenset(
    {
        "key",
        "unexpected-columns",
        "duplicate-columns",
        "not-empty",
        "readable",
        "max-quarantined",
        "imbalance",
        "repeated-header",
        "final-line-end",
    }
)
"""Ids of rules made from the schema; the others hold a colon, which the standard keeps out of ids."""


def _rule(rules: _Rules, given: dict[str, Any], at: Steps, column: str | None) -> QualityRule:
    document, contract, found = rules
    body, inside = _body(document, given, at), (*at, "implementation")
    kwargs, kind = dict(body.get("kwargs", {})), EXPECTATIONS.get(str(body["type"]))
    if column is not None and kind and "column" in kind.needs:
        kwargs.setdefault("column", column)
    custom = read_custom(document, *at)
    hops = ("features",) if contract.kind == "feature" else ("processed", "raw")
    hop, severity = (
        cast("Hop", custom.word("hop", hops, default=hops[0])),
        cast("Severity", given["severity"]),
    )
    for mistake in (
        mistakes(contract, hop, body["type"], kwargs, severity)
        if not names_any(kwargs, found.unnamed)
        else ()
    ):
        place = (*inside, "kwargs", mistake.argument) if mistake.argument is not None else (*inside, "type")
        found.add(document.error(mistake.what, *place, fix=mistake.fix))
    family = cast("Family", custom.word("family", FAMILIES, default=kind.family if kind else "schema"))
    return QualityRule(given["id"], hop, body["type"], kwargs, severity, family, document.line(*at))


def _body(document: Document, given: dict[str, Any], at: Steps) -> dict[str, Any]:
    if given.get("type", "library") != "custom" or given.get("engine") != ENGINE:
        what = f"a quality rule of type {given.get('type', 'library')!r}, engine {given.get('engine')!r}"
        raise document.error(
            what,
            *at,
            "engine" if given.get("type") == "custom" else "type",
            fix=f"use type: custom and engine: {ENGINE}",
        )
    for key_ in ("id", "severity"):
        if key_ not in given:
            what = f"a quality rule has no {key_}"
            raise document.error(what, *at, fix=f"add {key_}: it is written out, always")
    if given["id"] in RESERVED:
        what = f"the rule id {given['id']!r} is taken by a rule made from the schema"
        raise document.error(what, *at, "id", fix="use another")
    if given["severity"] not in SEVERITIES:
        what = f"unknown severity {given['severity']!r}"
        raise document.error(what, *at, "severity", fix=suggest(given["severity"], SEVERITIES))
    body, inside = given["implementation"], (*at, "implementation")
    if not isinstance(body, dict) or not isinstance(body.get("kwargs", {}), dict) or "type" not in body:
        raise document.error(
            "the rule's implementation has no type and kwargs",
            *inside,
            fix="write {type: expect_..., kwargs: {...}}",
        )
    for unknown in body.keys() - {"type", "kwargs"}:
        what = f"unknown key {unknown!r} in implementation"
        raise document.error(what, *inside, unknown, fix=suggest(unknown, ("type", "kwargs")))
    return body
