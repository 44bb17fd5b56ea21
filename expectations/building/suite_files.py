"""Suite files: ordinary Great Expectations suites, as JSON, that add rules to what a contract asks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, cast

from catalog.contract import Contract, Family, Hop, Severity
from catalog.documents.document import Document, Steps, read_json, suggest
from catalog.mistakes import Mistakes
from catalog.rules.expectation_types import EXPECTATIONS
from catalog.rules.rule_checks import FAMILIES, SEVERITIES, mistakes
from expectations.suite import FROM_GX, GX_SEVERITY, Rule
from lakegate.errors import ContractError

_SUITE_KEYS: Final = ("name", "id", "expectations", "meta", "notes", "suite_parameters")
_RULE_KEYS: Final = (
    "type",
    "kwargs",
    "severity",
    "meta",
    "id",
    "notes",
    "description",
    "expectation_context",
    "rendered_content",
)
_META_KEYS: Final = ("rule", "severity", "family")
_ID: Final = re.compile(r"[A-Za-z0-9_.:,>-]+")
_NEUTRAL: Final[dict[str, Any]] = {
    "mostly": 1,
    "catch_exceptions": False,
    "strict_min": False,
    "strict_max": False,
}
"""Arguments that GX writes out although they change nothing; dropped, so that they don't change a suite's hash."""


def suite_files(contract: Contract, hop: Hop, project: Path) -> list[Path]:
    """The suite files of one hop that are there: `<table>.json`, then `<dataset>.<hop>.json`."""
    table = f"{contract.name}_raw" if hop == "raw" else contract.name
    folder = project / "expectations" / "suites"
    return [path for name in (table, f"{contract.name}.{hop}") if (path := folder / f"{name}.json").is_file()]


def stray_suite_files(
    contracts: Iterable[Contract], project: Path, *, unread: Iterable[str] = ()
) -> dict[str, ContractError]:
    """Suite files that belong to no table, by file name: a misspelt name would leave rules unasked in silence.

    `unread` are the names of datasets and features whose contracts can't be read.
    """
    known: set[str] = set()
    names = [
        *((contract.name, contract.kind) for contract in contracts),
        *((name, kind) for name in unread for kind in ("feature", "dataset")),
    ]
    for name, kind in names:
        known |= (
            {name, f"{name}.features"}
            if kind == "feature"
            else {name, f"{name}_raw", f"{name}.raw", f"{name}.processed"}
        )
    folder = project / "expectations" / "suites"
    return {
        path.name: ContractError(
            f"no table is named {path.stem!r}", where=str(path), fix=suggest(path.stem, known)
        )
        for path in sorted(folder.glob("*.json"))
        if path.stem not in known
    }


def written_rules(path: Path, contract: Contract, hop: Hop, *, taken: set[str]) -> list[Rule]:
    """The rules of a suite file.

    Args:
        path: A Great Expectations suite as JSON.
        contract: The dataset whose columns it judges.
        hop: Where.
        taken: Rule ids that can't be used again.

    Raises:
        ContractError: It has mistakes; the error tells of each file, line and what to do.
    """
    document, found = read_json(path), Mistakes()
    if not _has_keys(document, document.data, (), _SUITE_KEYS, "the suite", found=found):
        found.end()
    given = document.data.get("expectations")
    if not isinstance(given, list):
        found.add(
            document.error(
                "the suite has no list of expectations",
                "expectations",
                fix='write {"name": ..., "expectations": [...]}',
            )
        )
        given = []
    rules: list[Rule] = []
    used = set(taken)
    for i, item in enumerate(given):
        rule = _rule(document, item, ("expectations", i), contract, hop, found=found)
        if rule is None:
            continue
        if rule.id in used:
            what = f"the rule id {rule.id!r} is taken"
            found.add(
                document.error(
                    what, "expectations", i, fix='name the rule with "meta": {"lakegate": {"rule": "..."}}'
                )
            )
        used.add(rule.id)
        rules.append(rule)
    found.end()
    return rules


def _rule(
    document: Document, item: Any, at: Steps, contract: Contract, hop: Hop, *, found: Mistakes
) -> Rule | None:
    """A rule as far as it can be read, to find what else is wrong; its mistakes are noted."""
    if not _has_keys(document, item, at, _RULE_KEYS, "the expectation", found=found):
        return None
    type_, kwargs = item.get("type"), item.get("kwargs", {})
    if not isinstance(type_, str) or not isinstance(kwargs, dict):
        found.add(
            document.error(
                "the expectation has no type and kwargs",
                *at,
                fix='write {"type": "expect_...", "kwargs": {...}}',
            )
        )
        return None
    meta = item.get("meta") or {}
    own = meta.get("lakegate", {}) if isinstance(meta, dict) else {}
    inside = (*at, "meta", "lakegate")
    own = own if _has_keys(document, own, inside, _META_KEYS, "meta.lakegate", found=found) else {}
    severity = _severity(document, item, own, at, found)
    kwargs = {
        key: value
        for key, value in kwargs.items()
        if value is not None and (key not in _NEUTRAL or value != _NEUTRAL[key])
    }
    for mistake in mistakes(contract, hop, type_, kwargs, severity):
        place = (*at, "kwargs", mistake.argument) if mistake.argument is not None else (*at, "type")
        found.add(document.error(mistake.what, *place, fix=mistake.fix))
    if (reference := kwargs.get("reference")) is not None and reference not in contract.references:
        what, fix = (
            f"{contract.name} refers to no dataset {reference!r}",
            "state this rule in the contract, whose references are pinned for each drop",
        )
        found.add(document.error(what, *at, "kwargs", "reference", fix=fix))
    kind = EXPECTATIONS.get(type_)
    family = own.get("family", kind.family if kind else "schema")
    if family not in FAMILIES:
        found.add(
            document.error(f"unknown family {family!r}", *inside, "family", fix=suggest(family, FAMILIES))
        )
    name = own.get("rule", _name(type_, kwargs))
    if not isinstance(name, str) or not name:
        found.add(document.error(f"the rule id is {name!r}", *inside, "rule", fix="write text"))
        return None
    return Rule(name, type_, kwargs, severity, cast("Family", family), kind.row_rule if kind else False)


def _severity(
    document: Document, item: dict[str, Any], own: dict[str, Any], at: Steps, found: Mistakes
) -> Severity:
    """Lakegate's word in meta.lakegate, else GX's; both only where they agree. Where there is none, `warn`, which any rule may have."""
    ours, theirs = own.get("severity"), item.get("severity")
    if ours is None and theirs is None:
        found.add(
            document.error("the expectation has no severity", *at, fix=f"add severity: {', '.join(FROM_GX)}")
        )
        return "warn"
    if wrong := theirs is not None and str(theirs) not in FROM_GX:
        found.add(
            document.error(f"unknown severity {theirs!r}", *at, "severity", fix=suggest(theirs, FROM_GX))
        )
    if ours is not None and ours not in SEVERITIES:
        place = (*at, "meta", "lakegate", "severity")
        found.add(document.error(f"unknown severity {ours!r}", *place, fix=suggest(ours, SEVERITIES)))
        return "warn"
    if wrong:
        return cast("Severity", ours or "warn")
    if ours is not None and theirs is not None and GX_SEVERITY[cast("Severity", ours)] != theirs:
        what = f"severity {theirs!r} means {FROM_GX[str(theirs)]}, meta.lakegate says {ours}"
        fix = f"use {GX_SEVERITY[cast('Severity', ours)]!r}, or leave one of them out"
        found.add(document.error(what, *at, "severity", fix=fix))
    return cast("Severity", ours) if ours is not None else FROM_GX[str(theirs)]


def _name(type_: str, kwargs: dict[str, Any]) -> str:
    columns = [
        kwargs[key]
        for key in ("column", "column_A", "column_B", "column_list", "column_set")
        if key in kwargs
    ]
    return ":".join(
        [
            type_.removeprefix("expect_"),
            *(",".join(map(str, item)) if isinstance(item, list) else str(item) for item in columns),
        ]
    )


def _has_keys(
    document: Document, given: Any, at: Steps, known: tuple[str, ...], name: str, *, found: Mistakes
) -> bool:
    """Whether something is an object, whose unknown keys are noted."""
    if not isinstance(given, dict):
        found.add(document.error(f"{name} is no object", *at, fix="write {...}"))
        return False
    for key in given:
        if key not in known:
            found.add(document.error(f"unknown key {key!r} in {name}", *at, key, fix=suggest(key, known)))
    return True
