"""The calendar and seasons: which columns are compared with what, and which version a season before is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.contract import Column
from catalog.drift import Drift
from catalog.rules.rule_checks import mistakes
from expectations.building.build import build_suite
from expectations.drift.histogram import Histogram, Histograms
from expectations.plan.execute_distributions import judge_distributions
from expectations.plan.plan import make_plan
from lake.drift.histogram_store import DELIVERIES, HistogramStore
from lakegate.errors import ContractError
from tests.support.catalog.contracts import things
from tests.support.drift.drift_word import drift_in
from tests.support.drift.histogram_lake import KeptLake
from tests.support.places import ROOT

DRIFT = Drift(season=3, calendar=("month", "weekday"))
CONTRACT = things(
    Column("id", "integer"),
    Column("month", "integer"),
    Column("weekday", "string"),
    Column("size", "integer"),
    Column("group", "string"),
    key=("id", "month"),
    order_by="month",
    drift=DRIFT,
)


def month(number: int, *, rows: int = 200, size: int = 5) -> Histograms:
    """A delivery that holds one month."""
    columns = {
        "month": Histogram("integer", rows, bins={number: rows}),
        "weekday": Histogram("class", rows, classes={"Mon": rows}),
        "size": Histogram("integer", rows, bins={size: rows}),
        "group": Histogram("class", rows, classes={"a": rows // 2, "b": rows - rows // 2}),
    }
    return Histograms(rows, columns)


def test_calendar_columns_are_compared_with_their_season_and_with_nothing_else() -> None:
    rules = {
        rule.id: rule
        for rule in build_suite(CONTRACT, "processed", ROOT).rules
        if rule.family == "distribution"
    }
    assert {name: rule.kwargs["column_list"] for name, rule in rules.items()} == {
        "drift:previous": ["size", "group"],
        "drift:pinned": ["size", "group"],
        "drift:pinned:trigger": ["size", "group"],
        "drift:season": ["month", "weekday", "size", "group"],
        "imbalance": ["group"],
    }
    season = rules["drift:season"]
    assert (season.severity, season.kwargs["baseline"], season.kwargs["max_value"]) == (
        "warn",
        "season",
        0.05,
    )
    without = build_suite(replace(CONTRACT, drift=Drift(calendar=("month", "weekday"))), "processed", ROOT)
    named = [
        rule.id
        for rule in without.rules
        if {"month", "weekday"} & set(rule.kwargs.get("column_list", ())) and rule.family == "distribution"
    ]
    assert named == []
    only = replace(CONTRACT, drift=Drift(columns=("size",), season=3, calendar=("weekday",)))
    assert [column.name for column in only.seasonal] == ["weekday", "size"]
    assert replace(CONTRACT, drift=None).seasonal == ()


def judged(lake: KeptLake, seen: Histograms) -> Any:
    plan = make_plan(build_suite(lake.contract, "processed", ROOT), lake.contract)
    return judge_distributions(plan, seen, lake.comparison().baselines(plan.histograms))["drift:season"]


def test_month_a_cycle_before_is_the_baseline_and_before_there_is_one_the_rule_holds() -> None:
    lake = KeptLake(CONTRACT)
    for number in (1, 2, 3):
        found = judged(lake, month(number))
        assert found.success
        assert "there is no version a season before to compare with" in found.observed["told"]
        lake.add(month(number))
    assert judged(lake, month(1)).observed["columns"] == dict.fromkeys(
        ("month", "weekday", "size", "group"), 0.0
    )
    broken = judged(lake, month(2))
    assert broken.observed["broken_by"] == ["month"]
    assert "of month from the version a season before is" in broken.observed["told"]
    lake.add(month(1, size=70))
    assert judged(lake, month(2)).success
    assert judged(lake, month(1)).observed["broken_by"] == ["month"]


@pytest.mark.parametrize("made_by", ["replay_of", "discards_of"])
def test_replay_or_a_discard_does_not_shift_the_season(made_by: str) -> None:
    lake = KeptLake(replace(CONTRACT, write_mode="replace", order_by=None))
    lake.add(month(1))
    lake.add(month(2))
    lake.add(month(9), made_by=made_by)
    lake.add(month(3))
    lake.add(month(9), made_by=made_by)
    assert lake.comparison().baselines({"month": "integer"})["season"].columns["month"].bins == {1: 200}
    lake.add(month(1))
    assert lake.comparison().baselines({"month": "integer"})["season"].columns["month"].bins == {2: 200}


def test_discard_of_a_replace_table_that_is_pinned_is_the_table_of_its_parent() -> None:
    lake = KeptLake(replace(CONTRACT, write_mode="replace", drift=Drift(pinned=2)))
    lake.add(month(1))
    lake.add(month(9), made_by="discards_of")
    assert lake.comparison().baselines({"month": "integer"})["pinned"].columns["month"].bins == {1: 200}


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(["delivery", "replay_of", "discards_of", "earlier release"]), max_size=14),
    st.integers(1, 10),
)
def test_deliveries_are_those_that_a_walk_over_all_manifests_finds(made: list[str], least: int) -> None:
    lake = KeptLake(replace(CONTRACT, write_mode="replace"))
    for kind in made:
        number = lake.add(month(1), made_by=kind if kind.endswith("_of") else "")
        if kind == "earlier release":
            lake.rewrite(number, drop=DELIVERIES)
    walked = [number for number, kind in enumerate(made, 1) if not kind.endswith("_of")]
    found = HistogramStore(lake, "things", "main").deliveries(len(made), least)  # type: ignore[arg-type]
    assert found[-least:] == walked[-least:]
    assert found == walked[len(walked) - len(found) :]


def test_season_costs_no_walk_over_manifests() -> None:
    lake = KeptLake(replace(CONTRACT, drift=replace(DRIFT, season=12)))
    for number in range(1, 15):
        lake.add(month(number))
    lake.read.clear()
    lake.comparison().baselines({"month": "integer"})
    versions = {path.rpartition("/")[2] for path in lake.read}
    assert versions == {"v14.json", "v3.json", "v1.json"}


def test_contract_names_its_season_and_its_calendar(tmp_path: Path) -> None:
    found = drift_in(tmp_path, "{season: 12, calendar: [month, day], except: [year]}")
    assert found.drift == Drift(left_out=("year",), season=12, calendar=("month", "day"))
    names = [column.name for column in found.seasonal]
    assert {"month", "day", "air_time"} < set(names)
    assert not {"year", "time_hour"} & set(names)
    assert not {"month", "day"} & {column.name for column in found.drifting}


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("{season: 1}", "season is 1", "2 to 400"),
        ("{season: yearly}", "'yearly'", "12 for months"),
        ("{season: true}", "season is True", "2 to 400"),
        ("{season: null}", "season is None", "2 to 400"),
        ("{season: 500}", "season is 500", "2 to 400"),
        ("{calendar: month}", "calendar is", "list of columns"),
        ("{calendar: [mnth]}", "'mnth'", "'month'"),
        ("{calendar: [time_hour]}", "not counted", "numbers"),
        ("{calendar: [month], except: [month]}", "under except", "calendar alone"),
        ("{calendar: [month], columns: [month]}", "under columns", "calendar alone"),
    ],
)
def test_mistake_in_season_or_calendar_tells_what_to_write(
    tmp_path: Path, text: str, what: str, fix: str
) -> None:
    with pytest.raises(ContractError) as caught:
        drift_in(tmp_path, text)
    assert what in caught.value.what
    assert fix in caught.value.fix


def test_rule_may_ask_for_the_season_where_the_contract_has_one() -> None:
    kwargs = {"column": "size", "baseline": "season", "max_change": 0.1}
    asked = ("processed", "expect_column_null_share_to_stay_close", kwargs, "warn")
    assert list(mistakes(CONTRACT, *asked)) == []
    (mistake,) = mistakes(replace(CONTRACT, drift=Drift()), *asked)
    assert "has no season" in mistake.what
    assert "{season: 12}" in mistake.fix
    (mistake,) = mistakes(replace(CONTRACT, kind="feature", drift=Drift()), "features", *asked[1:])
    assert mistake.fix == "use previous or pinned"


def test_histograms_tell_the_versions_that_deliveries_made() -> None:
    lake = KeptLake(CONTRACT)
    lake.add(month(1))
    lake.add(month(2))
    assert json.loads(lake.objects["_lakegate/histograms/things/v2.json"])[DELIVERIES] == [1, 2]
