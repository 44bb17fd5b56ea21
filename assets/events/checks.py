"""Asset checks: one per family of rules at a hop, with a number for every rule, so that the UI plots them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, get_args

from dagster import AssetCheckResult, AssetCheckSeverity, AssetCheckSpec, PartitionsDefinition

from catalog.contract import Contract, Family
from expectations.suite import Suite
from lake.runtime.circuit_breaker import Breaker
from lakegate.media import code, line
from lakegate.settings import Settings

SOURCE: Final = "source"
"""Name of the check of a dataset's breaker."""
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)

_PURPOSE: Final[dict[Family, str]] = {
    "schema": "Columns are those of the contract, records can be read, text is of its declared type.",
    "range": "Values lie within what the contract allows.",
    "distribution": "Values are distributed as they were.",
    "duplicate": "Keys are unique.",
    "temporal": "Times are in order, and nothing is known too early.",
    "consistency": "Columns agree with each other and with the referenced datasets.",
}


def check_specs(
    table: str, suite: Suite, partitions: PartitionsDefinition[str] | None
) -> list[AssetCheckSpec]:
    """A check for each family that has rules in a hop's suite.

    None is a blocking check: the gate is the lake's merge, and a check only shows what it found.
    """
    found = {rule.family for rule in suite.rules}
    specs = []
    with warnings.catch_warnings():
        # Partitions of checks are a preview; nothing but the display depends on them.
        warnings.simplefilter("ignore")
        for family in FAMILIES:
            if family in found:
                text = _description(suite, family)
                specs.append(AssetCheckSpec(family, asset=table, partitions_def=partitions, description=text))
    return specs


def check_results(
    table: str,
    families: Iterable[str] | None,
    rules: Sequence[Mapping[str, Any]],
    counts: Mapping[str, int],
    *,
    before: Sequence[Mapping[str, Any]] = (),
    only_judged: bool = False,
) -> list[AssetCheckResult]:
    """The result of each family: failed where a rule of it found something, as an error where that blocks.

    Args:
        table: The asset.
        families: Those that have a check; None: those of the rules.
        rules: `{"rule", "family", "severity", "failed", "of"}` of each rule that was judged.
        counts: The hop's counts.
        before: The same of the version before, for the trend.
        only_judged: Leave out families without a judged rule (a drop that could not be opened is judged by
            few).
    """
    results = []
    for family in sorted({rule["family"] for rule in rules}) if families is None else families:
        own = [rule for rule in rules if rule["family"] == family]
        own_before = [rule for rule in before if rule["family"] == family]
        if own or not only_judged:
            results.append(_result(table, family, own, counts, own_before))
    return results


def source_spec(contract: Contract) -> AssetCheckSpec:
    """The check that shows whether a source's drops go through, or wait for lakeFS and the engine."""
    why = "attempts at this source met transient failures (a circuit breaker, see docs/lake.md)"
    return AssetCheckSpec(SOURCE, asset=f"{contract.name}_raw", description=f"No drop waits because {why}.")


def source_result(settings: Settings, contract: Contract) -> AssetCheckResult:
    """How it is now."""
    state = Breaker(settings, contract.name).state
    waits = "closed, nothing waits"
    if state.is_open:
        until = datetime.fromtimestamp(state.open_until, UTC)
        waits = f"open; one attempt is made after {until:%Y-%m-%d %H:%M:%S} UTC"
    return AssetCheckResult(
        asset_key=f"{contract.name}_raw",
        check_name=SOURCE,
        passed=not state.is_open,
        severity=AssetCheckSeverity.WARN,
        metadata={
            "breaker": waits,
            "failed of the last attempts": state.recent.count("f"),
            "last attempts": len(state.recent),
        },
    )


def _result(
    table: str,
    family: str,
    rules: list[Mapping[str, Any]],
    counts: Mapping[str, int],
    before: list[Mapping[str, Any]],
) -> AssetCheckResult:
    broken = [rule for rule in rules if rule["failed"]]
    blocks = any(rule["severity"] == "block" for rule in broken)
    rows, quarantined = counts.get("records_in", 0), counts.get("quarantined", 0)
    worst = _greatest_share(rules)
    metadata: dict[str, int | float] = {
        f"failed: {line(rule['rule'])}": int(rule["failed"]) for rule in rules
    }
    metadata |= {f"value: {line(rule['rule'])}": float(rule["value"]) for rule in rules if "value" in rule}
    metadata |= {"rules broken": len(broken), "greatest share failing": worst}
    if before:
        metadata["rules broken before"] = sum(bool(rule["failed"]) for rule in before)
        metadata["change of the greatest share failing"] = worst - _greatest_share(before)
    metadata |= {
        "rows in": rows,
        "rows valid": counts.get("valid", 0),
        "rows quarantined": quarantined,
        "share quarantined": quarantined / rows if rows else 0.0,
    }
    found = "; ".join(f"{code(rule['rule'])}: {rule['failed']} ({rule['severity']})" for rule in broken)
    return AssetCheckResult(
        asset_key=table,
        check_name=family,
        passed=not broken,
        severity=AssetCheckSeverity.ERROR if blocks else AssetCheckSeverity.WARN,
        metadata=metadata,
        description=found or None,
    )


def _greatest_share(rules: list[Mapping[str, Any]]) -> float:
    return max((rule["failed"] / rule["of"] for rule in rules if rule.get("of")), default=0.0)


def _description(suite: Suite, family: Family) -> str:
    rules = [f"{code(rule.id)} ({rule.severity})" for rule in suite.rules if rule.family == family]
    return f"{_PURPOSE[family]} {len(rules)} rule{'s' if len(rules) > 1 else ''}: {', '.join(rules)}."
