"""Drift in the lake: what a comparison reads, and a drop in another unit that is held,
then approved or rejected.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey

from assets.instance import open_instance
from tests.support.deliveries.hashes import sha
from tests.support.drift.drifting_flights import SECONDS, month

pytestmark = pytest.mark.server


def outcome(lake: Any, version: int, rule: str) -> dict[str, Any]:
    """What a version's evidence tells of a rule."""
    evidence = lake.repository.get_json("main", f"_lakegate/evidence/flights/v{version}.json")
    (found,) = [
        item
        for item in evidence["report"]["results"]
        if item["expectation_config"]["meta"]["lakegate"]["rule"] == rule
    ]
    return found


@pytest.fixture
def two_months(open_lake: Any, empty_home: Path, project: Path, sample: Any) -> Any:
    lake = open_lake(empty_home, project=project)
    lake.ingest("flights", *[lake.file(f"month-{number}.csv", month(sample, number)) for number in (1, 2)])
    return lake


def test_month_in_seconds_is_held_and_rejected_and_the_next_is_compared_with_what_stands(
    two_months: Any, sample: Any
) -> None:
    lake, content = two_months, month(sample, 3, SECONDS)
    (held,) = lake.ingest("flights", lake.file("month-3.csv", content), code=3)
    assert (held["verdict"], held["hops"][-1]["version"]) == ("held", None)
    assert (
        "air-time-jump (Kolmogorov-Smirnov statistic of air_time from the previous version is 1.0000"
        in held["hops"][-1]["reason"]
    )
    assert lake.run("reject", sha(content)[:12], "--reason", "seconds").code == 0
    (corrected,) = lake.ingest("flights", lake.file("month-3-again.csv", month(sample, 3)))
    assert (corrected["verdict"], corrected["hops"][-1]["version"]) == ("passed", 3)
    assert outcome(lake, 3, "air-time-jump")["result"]["observed_value"] < 0.1


def test_month_in_seconds_is_held_and_approved_and_is_what_the_next_is_compared_with(
    two_months: Any, sample: Any
) -> None:
    lake, content = two_months, month(sample, 3, SECONDS)
    lake.ingest("flights", lake.file("month-3.csv", content), code=3)
    assert lake.run("approve", sha(content)[:12], "--reason", "seconds from now on").code == 0
    assert lake.manifest("flights", 3)["notes"]["approved"]["rules"] == ["air-time-jump"]
    assert "drift:pinned:trigger" in lake.manifest("flights", 3)["notes"]["triggers"]
    with open_instance(lake.settings) as instance:
        assert len(instance.fetch_materializations(AssetKey(["retrain", "flights"]), limit=9).records) == 1
    assert not outcome(lake, 3, "air-time-jump")["success"]
    (next_one,) = lake.ingest("flights", lake.file("month-4.csv", month(sample, 4, SECONDS)))
    assert next_one["verdict"] == "passed"
    assert outcome(lake, 4, "air-time-jump")["result"]["observed_value"] < 0.1
    again = lake.run(
        "compare", "flights@v4", "--statistic", "ks", "--warn", "0.5", "--trigger", "0.5", "--json"
    ).json
    (air_time,) = [item for item in again["columns"] if item["column"] == "air_time"]
    assert (again["baseline"], again["finding"], air_time["finding"]) == (["flights@v3"], "close", "close")
    assert air_time["ks_least"] == outcome(lake, 4, "air-time-jump")["result"]["observed_value"]
    pinned = lake.run("compare", "flights@v4", "--against", "pinned", "--fail-on", "trigger")
    assert (pinned.code, "flights@v1" in pinned.out, "air_time" in pinned.out) == (3, True, True)
    assert (
        lake.run("compare", "flights@v4", "--against", "v1").code
        == lake.run("compare", "flights@v4", "--fail-on", "warn").code
        == 0
    )
    assert lake.run("compare", "flights@v9").code == lake.run("compare", "flights_raw@v1").code == 2
