"""Suite files: ordinary Great Expectations suites, as JSON, that add rules to those of a contract."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from catalog.contract import Contract, Family, Hop, Severity
from catalog.documents.document import Document, Steps, read_json, suggest
from catalog.mistakes import Mistakes
from catalog.rules.expectation_types import EXPECTATIONS
from catalog.rules.rule_checks import FAMILIES, SEVERITIES, mistakes
from expectations.suite import FROM_GX, GX_SEVERITY, Rule, table_of
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
_NEUTRAL: Final[dict[str, Any]] = {
    "mostly": 1,
    "catch_exceptions": False,
    "strict_min": False,
    "strict_max": False,
}
"""Arguments that GX writes although they change nothing; dropped, so that a suite's hash stays the same."""
_COLUMN_ARGUMENTS: Final = ("column", "column_A", "column_B", "column_list", "column_set")


def suite_files(contract: Contract, hop: Hop, project: Path) -> list[Path]:
    """The existing suite files of one hop: `<table>.json`, then `<dataset>.<hop>.json`."""
    folder = project / "expectations" / "suites"
    paths = [folder / f"{name}.json" for name in (table_of(contract, hop), f"{contract.name}.{hop}")]
    return [path for path in paths if path.is_file()]


def stray_suite_files(
    contracts: Iterable[Contract], project: Path, *, unread: Iterable[str] = ()
) -> dict[str, ContractError]:
    """Suite files that belong to no table, by file name: the rules of a misspelt file would never run.

    Args:
        contracts: All that can be read.
        project: The folder that holds expectations/suites/.
        unread: Names of datasets and features whose contracts can't be read.
    """
    known: set[str] = set()
    for contract in contracts:
        known |= _stems(contract.name, contract.kind)
    for name in unread:
        known |= _stems(name, "feature") | _stems(name, "dataset")
    paths = sorted((project / "expectations" / "suites").glob("*.json"))
    return {path.name: _stray(path, known) for path in paths if path.stem not in known}


def _stems(name: str, kind: str) -> set[str]:
    if kind == "feature":
        return {name, f"{name}.features"}
    return {name, f"{name}_raw", f"{name}.raw", f"{name}.processed"}


def _stray(path: Path, known: set[str]) -> ContractError:
    what = f"no table is named {path.stem!r}"
    return ContractError(what, where=str(path), fix=suggest(path.stem, known))


def written_rules(path: Path, contract: Contract, hop: Hop, *, taken: set[str]) -> list[Rule]:
    """The rules of a suite file.

    Args:
        path: A Great Expectations suite as JSON.
        contract: The dataset whose columns it judges.
        hop: Where.
        taken: Rule ids that can't be used again.

    Raises:
        ContractError: It has mistakes; the error names the file, each line and the fix.
    """
    reader = _Reader(read_json(path), contract, hop)
    rules = reader.rules(taken)
    reader.found.end()
    return rules


@dataclass(frozen=True)
class _Reader:
    """Reads one suite file as far as it can be read, and notes all of its mistakes."""

    document: Document
    contract: Contract
    hop: Hop
    found: Mistakes = field(default_factory=Mistakes)

    def note(self, what: str, *at: str | int, fix: str) -> None:
        self.found.add(self.document.error(what, *at, fix=fix))

    def rules(self, taken: set[str]) -> list[Rule]:
        suite = self.document.data
        if not self.has_keys(suite, (), _SUITE_KEYS, "the suite"):
            return []
        given = suite.get("expectations")
        if not isinstance(given, list):
            fix = 'write {"name": ..., "expectations": [...]}'
            self.note("the suite has no list of expectations", "expectations", fix=fix)
            return []
        rules: list[Rule] = []
        used = set(taken)
        for i, item in enumerate(given):
            if (rule := self.rule(item, ("expectations", i))) is None:
                continue
            if rule.id in used:
                fix = 'name the rule with "meta": {"lakegate": {"rule": "..."}}'
                self.note(f"the rule id {rule.id!r} is taken", "expectations", i, fix=fix)
            used.add(rule.id)
            rules.append(rule)
        return rules

    def rule(self, item: Any, at: Steps) -> Rule | None:
        """A rule as far as it can be read, to find what else is wrong."""
        if not self.has_keys(item, at, _RULE_KEYS, "the expectation"):
            return None
        type_, kwargs = item.get("type"), item.get("kwargs", {})
        if not isinstance(type_, str) or not isinstance(kwargs, dict):
            fix = 'write {"type": "expect_...", "kwargs": {...}}'
            self.note("the expectation has no type and kwargs", *at, fix=fix)
            return None
        meta = item.get("meta") or {}
        own = meta.get("lakegate", {}) if isinstance(meta, dict) else {}
        inside = (*at, "meta", "lakegate")
        own = own if self.has_keys(own, inside, _META_KEYS, "meta.lakegate") else {}
        severity = self.severity(own.get("severity"), item.get("severity"), at)
        kwargs = {key: value for key, value in kwargs.items() if _says_something(key, value)}
        self.check_arguments(type_, kwargs, severity, at)
        kind = EXPECTATIONS.get(type_)
        family = own.get("family", kind.family if kind else "schema")
        if family not in FAMILIES:
            self.note(f"unknown family {family!r}", *inside, "family", fix=suggest(family, FAMILIES))
        name = own.get("rule", _name(type_, kwargs))
        if not isinstance(name, str) or not name:
            self.note(f"the rule id is {name!r}", *inside, "rule", fix="write text")
            return None
        return Rule(name, type_, kwargs, severity, cast("Family", family), kind.row_rule if kind else False)

    def check_arguments(self, type_: str, kwargs: dict[str, Any], severity: Severity, at: Steps) -> None:
        for mistake in mistakes(self.contract, self.hop, type_, kwargs, severity):
            place = ("type",) if mistake.argument is None else ("kwargs", mistake.argument)
            self.note(mistake.what, *at, *place, fix=mistake.fix)
        reference = kwargs.get("reference")
        if reference is not None and reference not in self.contract.references:
            what = f"{self.contract.name} refers to no dataset {reference!r}"
            fix = "state this rule in the contract, whose references are pinned for each drop"
            self.note(what, *at, "kwargs", "reference", fix=fix)

    def severity(self, ours: Any, theirs: Any, at: Steps) -> Severity:
        """Lakegate's severity in meta.lakegate, else GX's; both have to agree. `warn` if unreadable."""
        if ours is None and theirs is None:
            self.note("the expectation has no severity", *at, fix=f"add severity: {', '.join(FROM_GX)}")
            return "warn"
        known = theirs is None or str(theirs) in FROM_GX
        if not known:
            self.note(f"unknown severity {theirs!r}", *at, "severity", fix=suggest(theirs, FROM_GX))
        if ours is None:
            return FROM_GX[str(theirs)] if known else "warn"
        if ours not in SEVERITIES:
            place = (*at, "meta", "lakegate", "severity")
            self.note(f"unknown severity {ours!r}", *place, fix=suggest(ours, SEVERITIES))
            return "warn"
        severity = cast("Severity", ours)
        if known and theirs is not None and GX_SEVERITY[severity] != theirs:
            what = f"severity {theirs!r} means {FROM_GX[str(theirs)]}, meta.lakegate says {severity}"
            fix = f"use {GX_SEVERITY[severity]!r}, or leave one of them out"
            self.note(what, *at, "severity", fix=fix)
        return severity

    def has_keys(self, given: Any, at: Steps, known: tuple[str, ...], name: str) -> bool:
        """Whether something is an object, whose unknown keys are noted."""
        if not isinstance(given, dict):
            self.note(f"{name} is no object", *at, fix="write {...}")
            return False
        for key in given:
            if key not in known:
                self.note(f"unknown key {key!r} in {name}", *at, key, fix=suggest(key, known))
        return True


def _says_something(argument: str, value: Any) -> bool:
    return value is not None and (argument not in _NEUTRAL or value != _NEUTRAL[argument])


def _name(type_: str, kwargs: dict[str, Any]) -> str:
    """The id of a rule that states none: its type and columns."""
    parts = [type_.removeprefix("expect_")]
    for argument in _COLUMN_ARGUMENTS:
        if argument in kwargs:
            columns = kwargs[argument]
            parts.append(",".join(map(str, columns)) if isinstance(columns, list) else str(columns))
    return ":".join(parts)
