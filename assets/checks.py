"""Asset checks: one per family of rules at a hop, with a number for every rule, so that the UI plots them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, get_args

from dagster import AssetCheckResult, AssetCheckSeverity, AssetCheckSpec, MetadataValue, PartitionsDefinition

from catalog.contract import Contract, Family
from expectations.suite import Suite
from lake.runtime.circuit_breaker import Breaker
from lakegate.media import code, line
from lakegate.settings import Settings

SOURCE: Final = "source"
"""Name of the check of a dataset's breaker."""
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)

_ASKED: Final[dict[Family, str]] = {
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
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # partitions of checks are a preview; nothing but the display depends on them
        return [
            AssetCheckSpec(
                family, asset=table, partitions_def=partitions, description=_description(suite, family)
            )
            for family in FAMILIES
            if family in found
        ]


def check_results(
    table: str,
    families: Iterable[str],
    rules: Iterable[Mapping[str, Any]],
    counts: Mapping[str, int],
    *,
    before: Iterable[Mapping[str, Any]] = (),
    only_judged: bool = False,
) -> list[AssetCheckResult]:
    """The outcome of each family: failed where any of its rules found something, as an error where that blocks.

    Args:
        table: The asset.
        families: Those that have a check.
        rules: `{"rule", "family", "severity", "failed", "of"}` of each rule that was judged.
        counts: The hop's counts.
        before: The same of the version before, for the trend.
        only_judged: Leave out families without a judged rule (a drop that could not be opened is judged by few).
    """
    rules, before = list(rules), list(before)
    results = []
    for family in families:
        own = [rule for rule in rules if rule["family"] == family]
        if own or not only_judged:
            results.append(
                _result(table, family, own, counts, [rule for rule in before if rule["family"] == family])
            )
    return results


def source_spec(contract: Contract) -> AssetCheckSpec:
    """The check that shows whether a source's drops go through, or wait until lakeFS and the engine answer again."""
    told = "No drop waits because attempts at this source met transient failures (a circuit breaker, see docs/lake.md)."
    return AssetCheckSpec(SOURCE, asset=f"{contract.name}_raw", description=told)


def source_result(settings: Settings, contract: Contract) -> AssetCheckResult:
    """How it is now."""
    state = Breaker(settings, contract.name).state
    waits = "closed, nothing waits"
    if state.is_open:
        waits = f"open; one attempt is made after {datetime.fromtimestamp(state.open_until, UTC):%Y-%m-%d %H:%M:%S} UTC"
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
    rows, aside = counts.get("records_in", 0), counts.get("quarantined", 0)
    metadata: dict[str, Any] = {
        f"failed: {line(rule['rule'])}": MetadataValue.int(int(rule["failed"])) for rule in rules
    }
    metadata |= {
        f"value: {line(rule['rule'])}": MetadataValue.float(float(rule["value"]))
        for rule in rules
        if "value" in rule
    }
    worst, worst_before = _greatest_share(rules), _greatest_share(before)
    metadata |= {
        "rules broken": MetadataValue.int(len(broken)),
        "greatest share failing": MetadataValue.float(worst),
    }
    if before:
        metadata |= {
            "rules broken before": MetadataValue.int(sum(bool(rule["failed"]) for rule in before)),
            "change of the greatest share failing": MetadataValue.float(worst - worst_before),
        }
    metadata |= {
        "rows in": MetadataValue.int(rows),
        "rows valid": MetadataValue.int(counts.get("valid", 0)),
        "rows quarantined": MetadataValue.int(aside),
        "share quarantined": MetadataValue.float(aside / rows if rows else 0.0),
    }
    told = "; ".join(f"{code(rule['rule'])}: {rule['failed']} ({rule['severity']})" for rule in broken)
    return AssetCheckResult(
        asset_key=table,
        check_name=family,
        passed=not broken,
        severity=AssetCheckSeverity.ERROR if blocks else AssetCheckSeverity.WARN,
        metadata=metadata,
        description=told or None,
    )


def _greatest_share(rules: list[Mapping[str, Any]]) -> float:
    return max((rule["failed"] / rule["of"] for rule in rules if rule.get("of")), default=0.0)


def _description(suite: Suite, family: Family) -> str:
    rules = [f"{code(rule.id)} ({rule.severity})" for rule in suite.rules if rule.family == family]
    return f"{_ASKED[family]} {len(rules)} rule{'s' if len(rules) > 1 else ''}: {', '.join(rules)}."
