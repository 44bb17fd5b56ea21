"""Outliers that share one value: found where they are more than their part,
and not where the group is most of the rows.
"""

from __future__ import annotations

import pytest

from expectations.drift.histogram_rules import NO_CLUSTERS
from expectations.plan.outlier_clusters import Cluster, judge_cluster
from expectations.suite import Rule

RULE = Rule(
    "r",
    NO_CLUSTERS,
    {"column": "size", "group_by": "group", "max_share": 0.5},
    "warn",
    "distribution",
    row_rule=False,
)


@pytest.mark.parametrize(
    ("cluster", "broken"),
    [
        (Cluster(100, 60, 1000, 80, 10), 1),
        (Cluster(100, 30, 1000, 80, 10), 0),  # under the share
        (Cluster(900, 75, 1000, 80, 2), 0),  # most of the rows
        (Cluster(900, 60, 1000, 80, 2), 0),  # fewer than its part
        (Cluster(100, 15, 1000, 19, 10), 0),  # few outliers
        (Cluster(1000, 80, 1000, 80, 1), 0),  # there is nothing else
        (Cluster(), 0),
    ],
)
def test_cluster_is_more_than_its_part_of_the_outliers(cluster: Cluster, broken: int) -> None:
    found = judge_cluster(RULE, cluster)
    assert (found.failed, found.of) == (broken, 1)
    assert 0 <= found.observed["observed_value"] <= 1
