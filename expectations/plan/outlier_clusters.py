"""Outliers that share one value of another column, such as one file, or one hour of a broken sensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from catalog.expressions.spark_sql import quoted
from expectations.drift.histogram import Histograms
from expectations.drift.histogram_rules import NO_CLUSTERS
from expectations.drift.outliers import FACTORS, Fences, fences
from expectations.drift.statistics import proportions_p_value
from expectations.suite import Rule
from expectations.typed_frame import HELPER, Collect
from expectations.verdict import Outcome, table_outcome

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.plan.plan import Plan

LEAST_OUTLIERS: Final = 20
"""Outliers below which nothing is called a cluster."""
SIGNIFICANCE: Final = 0.01
_PLACES: Final = 2**40
"""More than the rows of any group: outliers times this, less rows, is one number that orders by both."""


@dataclass(frozen=True)
class Cluster:
    """The group with most outliers (of those, with fewest rows) beside all groups.

    The value that the group shares is never fetched (promise P6).
    """

    rows: int = 0
    outliers: int = 0
    all_rows: int = 0
    all_outliers: int = 0
    groups: int = 0


def count_clusters(
    frame: DataFrame,
    plan: Plan,
    seen: Histograms,
    collect: Collect,
    *,
    passing: str = "true",
) -> dict[str, Cluster]:
    """For each rule on clusters, by its id, the group with most outliers; each takes one more aggregation.

    Args:
        frame: The rows that `seen` was counted of.
        plan: Of a suite.
        seen: The histograms of the same rows, which give the fences.
        collect: Fetches a small frame's rows.
        passing: SQL for the rows that count.
    """
    found = {}
    for rule in (step.rule for step in plan.steps if step.rule.type == NO_CLUSTERS):
        histogram = seen.columns.get(str(rule.kwargs["column"]))
        limits = fences(histogram, "iqr", rule.kwargs.get("factor", FACTORS["iqr"])) if histogram else None
        found[rule.id] = _cluster(frame.where(passing), plan, rule, limits, collect) if limits else Cluster()
    return found


def _cluster(frame: DataFrame, plan: Plan, rule: Rule, limits: Fences, collect: Collect) -> Cluster:
    group, out, rows, outliers = (f"{HELPER}{name}" for name in ("group", "out", "rows", "outliers"))
    by = quoted(rule.kwargs["group_by"])
    if plan.columns[rule.kwargs["group_by"]].type == "timestamp":
        by = f"date_trunc('HOUR', {by})"
    number = f"cast({quoted(rule.kwargs['column'])} as double)"
    beyond = f"{number} < {limits.lower[0]!r}D or {number} > {limits.upper[1]!r}D"
    numbers = frame.where(f"{number} is not null and not isnan({number})")
    marked = numbers.selectExpr(f"{by} as {group}", f"case when {beyond} then 1L else 0L end as {out}")
    grouped = marked.groupBy(group).agg({"*": "count", out: "sum"}).toDF(group, rows, outliers)
    both = f"max(cast({outliers} as decimal(38, 0)) * {_PLACES} - {rows})"
    (found,) = collect(grouped.selectExpr(both, f"sum({rows})", f"sum({outliers})", "count(1)"))
    if found[0] is None:
        return Cluster()
    greatest, *others = map(int, found)
    most = -(-greatest // _PLACES)
    return Cluster(most * _PLACES - greatest, most, *others)


def judge_cluster(rule: Rule, cluster: Cluster) -> Outcome:
    """Broken where one group has more than `max_share` of the outliers, and chance doesn't explain it.

    Chance: a two-proportion test of the group against all others, corrected for the number of groups
    (Bonferroni). So a group that holds most of the rows isn't blamed for most of the outliers.
    """
    share = cluster.outliers / cluster.all_outliers if cluster.all_outliers else 0.0
    others, elsewhere = cluster.all_rows - cluster.rows, cluster.all_outliers - cluster.outliers
    chance = proportions_p_value(cluster.outliers, cluster.rows, elsewhere, others)
    p_value = min(1.0, cluster.groups * chance)
    more = cluster.outliers * others > elsewhere * cluster.rows
    enough = cluster.all_outliers >= LEAST_OUTLIERS
    broken = enough and more and share > rule.kwargs["max_share"] and p_value < SIGNIFICANCE
    words = (
        f"{cluster.outliers} of {cluster.all_outliers} outliers of {rule.kwargs['column']} share one of "
        f"{cluster.groups} values of {rule.kwargs['group_by']}, "
        f"which has {cluster.rows} of {cluster.all_rows} rows"
    )
    return table_outcome(
        rule,
        broken=broken,
        words=words,
        outliers=cluster.all_outliers,
        groups=cluster.groups,
        p_value=p_value,
        observed_value=share,
        cluster_rows=cluster.rows,
        cluster_outliers=cluster.outliers,
    )
