"""`lakegate compare VERSION`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from catalog.rules.distribution_rules import STATISTICS
from cli.old_words import old_option
from cli.options import lake_options, open_existing
from cli.terminal import say, show_json, show_table
from lakegate.errors import Exit
from lakegate.settings import Settings

if TYPE_CHECKING:
    from expectations.drift.compare_columns import ComparedColumn
    from lake.reports.compare import VersionComparison

OVER_ZERO = click.FloatRange(min=0)


@click.command("compare")
@click.argument("version")
@click.option(
    "--against",
    default="previous",
    show_default=True,
    help="previous or season: the rows that came then; pinned, or a version such as v1: its whole table.",
)
@click.option(
    "--full-table", is_flag=True, help="Take whole tables on both sides, not the rows that VERSION added."
)
@old_option("--whole", "--full-table")
@click.option(
    "--statistic",
    type=click.Choice(STATISTICS),
    default="kl",
    show_default=True,
    help="Whose effect is judged.",
)
@click.option("--warn", type=OVER_ZERO, help="Effect over which a column warns; else the contract's.")
@click.option("--trigger", type=OVER_ZERO, help="Effect over which a column triggers; else the contract's.")
@click.option(
    "--null-change",
    type=click.FloatRange(0, 1),
    help="Change of the share of NULL over which a column warns; else the contract's.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["warn", "trigger"]),
    help="Exit with 3 where a column does that, or worse.",
)
@lake_options
def command(
    version: str, *, full_table: bool, fail_on: Any, as_json: bool, settings: Settings, **how: Any
) -> None:
    """Compare the rows that VERSION (say flights@v6) added with earlier ones, by column.

    Drift, shares of NULL, imbalance. Reads the histograms that lie in the lake, and no data. A column warns
    or triggers where the effect is over its threshold and chance doesn't explain it, nor (of previous and
    season, by the contract's thresholds) what is usual; and where it turned wholly NULL. Exit: 0, or 3 where
    --fail-on says so; columns that can't be compared don't fail.
    """
    from expectations.drift.compare_columns import at_least
    from lake.reports.compare import compare

    # The other options are arguments of `compare` by name.
    found = compare(open_existing(settings), version, whole=full_table, **how)
    if as_json:
        show_json(found.to_json())
    else:
        say(header(found))
        show_table(map(_row, found.columns), empty="no column was compared")
    raise click.exceptions.Exit(Exit.BLOCKED if fail_on and at_least(found.finding, fail_on) else Exit.OK)


def header(found: VersionComparison) -> str:
    """The finding, with which rows were compared."""
    many = len(found.baseline) > 1
    others = f"{found.baseline[-1]} to {found.baseline[0]}" if many else found.baseline[0]
    new = f"its whole table, {found.rows:,} rows" if found.whole else f"{found.rows:,} rows that it added"
    base = f"{found.baseline_rows:,} rows that {'they' if many else 'it'} added"
    if found.baseline_whole:
        base = f"its whole table, {found.baseline_rows:,} rows"
    return f"{found.version} ({new}) with {others} ({base}): {found.finding}"


def _row(item: ComparedColumn) -> dict[str, Any]:
    row: dict[str, Any] = {"column": item.column, "finding": item.finding}
    row |= {name: _shown(getattr(item, name)) for name in ("kl", "js", "psi", "cramers_v")}
    row |= {"p": _shown(item.p_value, "{:.2g}"), "ks": None, "ks_p": _shown(item.ks_p_value, "{:.2g}")}
    if item.ks_least is not None and item.ks_greatest is not None:
        row["ks"] = f"{item.ks_least:.4f}..{item.ks_greatest:.4f}"
    return row | {
        "null_share": _moved(item.null_share, item.baseline_null_share),
        "majority": _moved(item.majority_share, item.baseline_majority_share),
        "why": item.why,
    }


def _moved(share: float | None, before: float | None) -> str | None:
    if share is None:
        return None
    return f"{share:.2%}" if before is None else f"{before:.2%} to {share:.2%}"


def _shown(value: float | None, form: str = "{:.4f}") -> str | None:
    return None if value is None else form.format(value)
