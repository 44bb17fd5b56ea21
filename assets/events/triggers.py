"""Retrain triggers: events that a Dagster sensor or an automation condition can act on.

Each table that can raise one has an asset for them.
"""

from __future__ import annotations

from dagster import AssetMaterialization, AssetSpec

from catalog.contract import Contract
from expectations.suite import Suite
from lake.versions.publish import Published
from lakegate.media import code, line

PREFIX = "retrain"


def trigger_key(table: str) -> list[str]:
    """The asset whose materializations are the triggers of a table."""
    return [PREFIX, table]


def trigger_spec(contract: Contract, table: str, suite: Suite) -> AssetSpec | None:
    """The asset of a table's triggers; None where no rule of its suite raises one."""
    rules = [rule.id for rule in suite.rules if rule.severity == "trigger"]
    if not rules:
        return None
    broken = f"breaks {', '.join(map(code, rules))}"
    return AssetSpec(
        trigger_key(table),
        deps=[table],
        group_name=contract.name,
        tags={"lakegate/dataset": contract.name},
        description=f"Materialized with each version of {table} that {broken}: "
        "a model that was trained on it may be due again.",
    )


def trigger_event(published: Published) -> AssetMaterialization | None:
    """The event that a version raises; None where it raises none."""
    manifest, name = published.manifest, published.name
    rules = manifest.notes.get("triggers", [])
    if not rules:
        return None
    metadata: dict[str, str | float] = {"version": str(name), "rules": ", ".join(map(line, rules))}
    for rule in manifest.rules:
        if rule["rule"] in rules and "value" in rule:
            metadata[line(rule["rule"])] = float(rule["value"])
    return AssetMaterialization(
        asset_key=trigger_key(name.table),
        metadata=metadata,
        description=f"{name} broke {', '.join(map(code, rules))}",
    )
