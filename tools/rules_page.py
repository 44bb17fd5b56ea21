"""Writes docs/rules.md, the list of expectation types: `make docs`. A unit test compares page and code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from catalog.rules.expectation_types import EXPECTATIONS, OWN, Expectation
from expectations.drift.histogram_rules import DISTRIBUTION_TYPES
from expectations.plan.steps import UNIQUE_TYPES
from expectations.rules.join_rules import LOOK_UPS, QUERIES
from expectations.rules.row_count_rules import COUNTED_TYPES
from expectations.rules.schema_rules import HEADER_TYPES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "rules.md"
HEAD = """# The expectation types

Written by `make docs` from the code; don't edit it by hand.

A contract's `quality` and a suite file use these types. *Row* rules decide row by row and may quarantine
rows; *table* rules decide over the rows that pass, and warn, trigger, hold or block. `lakegate plan DATASET`
shows how the rules of a dataset are evaluated. What a rule makes of NULL and NaN is in
[null-and-nan.md](null-and-nan.md).

Every rule takes `row_condition` (Spark SQL over the row's own columns, see [sql.md](sql.md), or the JSON of a
Great Expectations condition) where it is listed, and every row rule `mostly`, the share of rows that must
keep it (with `warn` and `block`).

`expect_columns_to_determine` quarantines every row of a key that comes with two values, in the drop or beside
the published table. With `keep: majority` it quarantines the rows that differ from most rows of their key;
rows of the published table and of the drop count alike, so a published typo outvotes nobody (and stays, until
it is corrected). Where no value has more rows than each other, all of the drop's are quarantined.
"""


def page() -> str:
    """The whole page."""
    planned = sum(kind.planned and name not in OWN for name, kind in EXPECTATIONS.items())
    lines = [HEAD, f"{planned} of Great Expectations' own types run without it; {len(OWN)} are Lakegate's.\n"]
    titles = {
        "Great Expectations' own": EXPECTATIONS.keys() - OWN,
        "Lakegate's, registered with Great Expectations": OWN,
    }
    for title, names in titles.items():
        lines += [
            f"## {title}\n",
            "| type | rule | family | hops | arguments | decided by |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_line(name, EXPECTATIONS[name]) for name in EXPECTATIONS if name in names]
        lines.append("")
    return "\n".join(lines)


def _line(name: str, kind: Expectation) -> str:
    hops = ", ".join(hop for hop in ("raw", "processed", "features") if hop in kind.hops)
    arguments = ", ".join(_arguments(kind)) or "none"
    made = "made from the contract" if kind.generated else arguments
    level = "row" if kind.row_rule else "table"
    return f"| `{name}` | {level} | {kind.family} | {hops} | {made} | {_way(name, kind)} |"


def _arguments(kind: Expectation) -> Iterator[str]:
    yield from sorted(kind.needs)
    yield from (f"[{name}]" for name in sorted((kind.takes | kind.bounds) - {"mostly", "condition_parser"}))


def _way(name: str, kind: Expectation) -> str:
    ways = {
        "Great Expectations itself": not kind.planned,
        "the columns' names and types": name in HEADER_TYPES,
        "the column's histogram": name in DISTRIBUTION_TYPES,
        "one aggregation by the key": name in UNIQUE_TYPES,
        "aggregations and joins of its own": name in LOOK_UPS,
        "a query over the labelled rows": name in QUERIES,
        "counts that are there anyway": name in COUNTED_TYPES or "raw" in kind.hops,
        "the pass over the rows": kind.row_rule,
    }
    return next((way for way, applies in ways.items() if applies), "aggregates of the count")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
