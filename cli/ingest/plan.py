"""`lakegate plan DATASET`."""

from __future__ import annotations

from typing import Any

import click

from cli.options import lake_options
from cli.terminal import say, show_json, show_table
from lakegate.settings import Settings

COLUMNS = ("rule", "family", "severity", "answered_by", "cost")


@click.command("plan")
@click.argument("dataset")
@click.option(
    "--sql", is_flag=True, help="Show the SQL of each rule: for a row rule, true where a row breaks it."
)
@lake_options
def command(dataset: str, *, sql: bool, as_json: bool, settings: Settings) -> None:
    """Show how the rules of DATASET are evaluated at each hop, and what each costs.

    Nothing is read but contracts and suites.
    """
    from catalog.files import load_catalog
    from cli.notify import tell_broken
    from expectations.building.build import HOPS, build_suite
    from expectations.plan.plan import make_plan

    catalog = load_catalog(settings.project, cache=settings.home.cache)
    contract = catalog.get(dataset)
    plans = [
        make_plan(build_suite(contract, hop, settings.project), contract).to_json()
        for hop in HOPS[contract.kind]
    ]
    tell_broken(catalog, settings.project)
    if as_json:
        show_json(plans)
        return
    for plan in plans:
        say()
        say(f"{plan['suite']} (hop {plan['hop']}): {_passes(plan)}")
        show_table(plan["rules"], (*COLUMNS, "sql") if sql else COLUMNS, empty="no rule")


def _passes(plan: dict[str, Any]) -> str:
    """The passes in words: how often the rows are read, whatever the number of rules."""
    parts = [f"{len(plan['rules'])} rules"]
    if plan["hop"] != "raw":
        parts += [f"{name} {count}" for name, count in plan["passes"].items() if count]
    return ", ".join(parts)
