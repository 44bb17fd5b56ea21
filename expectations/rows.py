"""One evaluation that labels every row with the rules it breaks; counts and both tables are taken from its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from expectations.frame import HELPER, duplicate_marker
from expectations.suite import Rule, Suite

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

BROKEN: Final = f"{HELPER}broken"
"""The ids of the rules that the row breaks, sorted, a line each."""

REASONS: Final = f"{HELPER}reasons"
"""Those of them that set the row aside; empty for a row that passes."""

UNIQUE_TYPES: Final = frozenset({"expect_compound_columns_to_be_unique", "expect_column_values_to_be_unique"})
SEPARATOR: Final = "\n"
"""Never part of a rule's id."""


def unique_columns(rule: Rule) -> list[str]:
    """The columns that a uniqueness rule is about."""
    return list(rule.kwargs["column_list"] if "column_list" in rule.kwargs else [rule.kwargs["column"]])


def mark_duplicates(frame: DataFrame, rule: Rule, *, published: DataFrame | None) -> DataFrame:
    """Mark the rows whose key stands more than once in the frame, or already in the published table.

    By hash aggregation and join. A key with a NULL in it is no key: rule `required` speaks of those.
    """
    from pyspark.sql import functions as F  # noqa: N812

    columns = unique_columns(rule)
    whole = None
    for name in columns:
        whole = F.col(name).isNotNull() if whole is None else whole & F.col(name).isNotNull()
    keys = frame.where(whole).groupBy(*columns).agg(F.count(F.lit(1)).alias(f"{HELPER}n"))
    repeated = keys.where(F.col(f"{HELPER}n") > 1).select(*columns)
    if published is not None:
        repeated = repeated.unionByName(keys.select(*columns).join(published.select(*columns), on=columns, how="left_semi")).distinct()
    marked = repeated.select(*[F.col(name).alias(f"{HELPER}k_{name}") for name in columns], F.lit(True).alias(duplicate_marker(rule.id)))
    on = None
    for name in columns:
        same = F.col(name) == F.col(f"{HELPER}k_{name}")
        on = same if on is None else on & same
    return frame.join(marked, on=on, how="left").drop(*[f"{HELPER}k_{name}" for name in columns])


def predicates(suite: Suite, frame: DataFrame, types: dict[str, str]) -> dict[str, Column]:
    """For each row rule of a suite, true where a row breaks it; uniqueness comes from the markers."""
    from pyspark.sql import functions as F  # noqa: N812

    from expectations.predicates import row_predicates

    rules = [rule for rule in suite.rules if rule.row_rule]
    bad = row_predicates(tuple(rule for rule in rules if rule.type not in UNIQUE_TYPES), frame, types)
    for rule in rules:
        if rule.type in UNIQUE_TYPES:
            bad[rule.id] = F.coalesce(F.col(_escaped(duplicate_marker(rule.id))), F.lit(False))
    return bad


def label(frame: DataFrame, suite: Suite, types: dict[str, str], *, keep: list[str]) -> DataFrame:
    """Columns `keep` of the frame with the ids of the rules each row breaks (BROKEN), and of those that set it aside (REASONS).

    Both are one text, sorted and a line each, empty where there are none: each predicate is evaluated once.
    """
    from pyspark.sql import functions as F  # noqa: N812

    bad = predicates(suite, frame, types)
    aside = {rule.id for rule in suite.rules if rule.row_rule and rule.severity == "quarantine"}
    flags = {rule: f"{HELPER}rule{index}" for index, rule in enumerate(sorted(bad))}
    flagged = frame.select(*keep, *[bad[rule].alias(flag) for rule, flag in flags.items()])

    def listed(rules: list[str]) -> Column:
        return F.concat_ws(SEPARATOR, F.lit(None).cast("string"), *[F.when(F.col(flags[rule]), F.lit(rule)) for rule in rules])

    everything = listed(list(flags)).alias(BROKEN)
    return flagged.select(*keep, everything, listed([rule for rule in flags if rule in aside]).alias(REASONS))


def tally(labelled: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Two small frames from a labelled one: rows by whether set aside (`aside`, `rows`), and failures by rule (`rule`, `rows`)."""
    from pyspark.sql import functions as F  # noqa: N812

    rows = labelled.groupBy((F.col(REASONS) != "").alias("aside")).agg(F.count(F.lit(1)).alias("rows"))
    each = labelled.where(F.col(BROKEN) != "").select(F.explode(F.split(BROKEN, SEPARATOR)).alias("rule"))
    return rows, each.groupBy("rule").agg(F.count(F.lit(1)).alias("rows"))


def _escaped(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
