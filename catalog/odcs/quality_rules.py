"""The quality rules of a contract, of the table and of its columns, from the standard's words to values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from catalog.contract import Contract, Family, Hop, QualityRule, Severity
from catalog.documents.document import Document, Steps, suggest
from catalog.may_be import names_any
from catalog.mistakes import Mistakes
from catalog.odcs.custom_properties import read_custom
from catalog.odcs.schema import OBJECT
from catalog.rules.expectation_types import EXPECTATIONS
from catalog.rules.rule_checks import FAMILIES, SEVERITIES, mistakes

ENGINE: Final = "greatExpectations"
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


def quality_rules(document: Document, contract: Contract, found: Mistakes) -> Iterator[QualityRule]:
    """The quality rules, those of the table first, then those of its columns.

    Args:
        document: The contract as it was written.
        contract: The contract without its rules.
        found: Takes up the mistakes in rules, which are left out.
    """
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
            rule = _rule(document, given, at, column, contract=contract, found=found)
            if rule.id in seen:
                what = f"the rule id {rule.id!r} comes twice"
                raise document.error(what, *at, "id", fix="give each rule an id of its own")
            seen.add(rule.id)
            yield rule


def _rule(
    document: Document,
    given: dict[str, Any],
    at: Steps,
    column: str | None,
    *,
    contract: Contract,
    found: Mistakes,
) -> QualityRule:
    body, inside = _body(document, given, at), (*at, "implementation")
    type_, kwargs = body["type"], dict(body.get("kwargs", {}))
    kind = EXPECTATIONS.get(str(type_))
    if column is not None and kind and "column" in kind.needs:
        kwargs.setdefault("column", column)
    custom = read_custom(document, *at)
    hops = ("features",) if contract.kind == "feature" else ("processed", "raw")
    hop = cast("Hop", custom.word("hop", hops, default=hops[0]))
    severity = cast("Severity", given["severity"])
    if not names_any(kwargs, found.unnamed):
        for mistake in mistakes(contract, hop, type_, kwargs, severity):
            argument = ("type",) if mistake.argument is None else ("kwargs", mistake.argument)
            found.add(document.error(mistake.what, *inside, *argument, fix=mistake.fix))
    family = cast("Family", custom.word("family", FAMILIES, default=kind.family if kind else "schema"))
    return QualityRule(given["id"], hop, type_, kwargs, severity, family, document.line(*at))


def _body(document: Document, given: dict[str, Any], at: Steps) -> dict[str, Any]:
    if given.get("type", "library") != "custom" or given.get("engine") != ENGINE:
        what = f"a quality rule of type {given.get('type', 'library')!r}, engine {given.get('engine')!r}"
        wrong = "engine" if given.get("type") == "custom" else "type"
        raise document.error(what, *at, wrong, fix=f"use type: custom and engine: {ENGINE}")
    for name in ("id", "severity"):
        if name not in given:
            raise document.error(
                f"a quality rule has no {name}", *at, fix=f"add {name}: it is written out, always"
            )
    if given["id"] in RESERVED:
        what = f"the rule id {given['id']!r} is taken by a rule made from the schema"
        raise document.error(what, *at, "id", fix="use another")
    if given["severity"] not in SEVERITIES:
        what = f"unknown severity {given['severity']!r}"
        raise document.error(what, *at, "severity", fix=suggest(given["severity"], SEVERITIES))
    body, inside = given["implementation"], (*at, "implementation")
    if not isinstance(body, dict) or not isinstance(body.get("kwargs", {}), dict) or "type" not in body:
        what = "the rule's implementation has no type and kwargs"
        raise document.error(what, *inside, fix="write {type: expect_..., kwargs: {...}}")
    for unknown in body.keys() - {"type", "kwargs"}:
        what = f"unknown key {unknown!r} in implementation"
        raise document.error(what, *inside, unknown, fix=suggest(unknown, ("type", "kwargs")))
    return body
