"""Mistakes in rules about distributions and in a contract's drift, told before data is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.drift import Drift
from catalog.odcs.loader import load_contract
from catalog.rules.rule_checks import mistakes
from expectations.building.build import build_suite
from expectations.drift.histogram_rules import NO_CLUSTERS
from expectations.plan.plan import make_plan
from lakegate.errors import ContractError
from tests.support.drift.distribution_rules import (
    CLOSE,
    CLOSE_EACH,
    CONTRACT,
    GROUPS,
    MAJORITY,
    NULLS,
    OUTLIERS,
    close,
)
from tests.support.drift.drift_word import drift_in
from tests.support.places import ROOT


@pytest.mark.parametrize(
    ("kind", "kwargs", "what"),
    [
        (CLOSE, close("person"), "personal"),
        (CLOSE, close("at"), "of type timestamp"),
        (CLOSE, close("group", "ks"), "compares numbers"),
        (CLOSE, close(statistic="KL"), "'KL'"),
        (CLOSE, close() | {"baseline": "latest"}, "'latest'"),
        (CLOSE, close(max_value=-1), "max_value"),
        (CLOSE, close(significance=5), "significance"),
        (
            CLOSE,
            {"column": "size", "baseline": "previous", "statistic": "kl"},
            "lacks its argument 'max_value'",
        ),
        (
            CLOSE_EACH,
            {"column_list": ["size", "person"], "baseline": "pinned", "statistic": "kl", "max_value": 1},
            "personal",
        ),
        (
            CLOSE_EACH,
            {"column_list": ["size", "sise"], "baseline": "pinned", "statistic": "kl", "max_value": 1},
            "'sise'",
        ),
        (MAJORITY, {"column": "real", "max_share": 0.5}, "of type double"),
        (MAJORITY, {"column": "group", "max_share": 80}, "max_share"),
        (GROUPS, {"column": "group", "shares": {"a": 0.9, "b": 0.3}, "max_difference": 0.1}, "add up to 1.2"),
        (GROUPS, {"column": "group", "shares": ["a"], "max_difference": 0.1}, "no mapping"),
        (GROUPS, {"column": "flag", "shares": {"yes": 0.5}, "max_difference": 0.1}, "'yes'"),
        (GROUPS, {"column": "person", "shares": {"Ann": 0.5}, "max_difference": 0.1}, "personal"),
        (OUTLIERS, {"column": "size", "method": "mad", "max_share": 0.1}, "'mad'"),
        (OUTLIERS, {"column": "size", "method": "iqr", "max_share": 0.1, "factor": 0}, "factor"),
        (NULLS, {"column": "size", "baseline": "pinned", "max_change": "5%"}, "max_change"),
        (NO_CLUSTERS, {"column": "size", "group_by": "real", "max_share": 0.5}, "hardly shared"),
        (NO_CLUSTERS, {"column": "size", "group_by": "size", "max_share": 0.5}, "own values"),
        (NO_CLUSTERS, {"column": "size", "group_by": "grup", "max_share": 0.5}, "'grup'"),
    ],
)
def test_mistake_is_told_before_any_data_is_read(kind: str, kwargs: dict[str, Any], what: str) -> None:
    found = list(mistakes(CONTRACT, "processed", kind, kwargs, "hold"))
    assert any(what in item.what for item in found), found
    assert all(item.fix for item in found)


@pytest.mark.parametrize("severity", ["warn", "trigger", "hold", "block"])
def test_severities_of_table_rules_are_all_taken(severity: Any) -> None:
    assert list(mistakes(CONTRACT, "features", CLOSE, close(), severity)) == []
    assert next(mistakes(CONTRACT, "processed", CLOSE, close(), "quarantine")).what.startswith(
        "severity quarantine"
    )


def test_drift_is_asked_by_default_of_all_columns_that_are_counted_in_four_rules() -> None:
    by_id = {
        rule.id: rule for rule in build_suite(replace(CONTRACT, order_by="real"), "processed", ROOT).rules
    }
    made = {name: rule for name, rule in by_id.items() if rule.family == "distribution"}
    assert {name: (rule.kwargs["column_list"], rule.severity) for name, rule in made.items()} == {
        "drift:previous": (["group", "flag"], "warn"),
        "drift:pinned": (["group", "flag"], "warn"),
        "drift:pinned:trigger": (["group", "flag"], "trigger"),
        "imbalance": (["group", "flag"], "warn"),
    }
    assert [
        made[name].kwargs["max_value"] for name in ("drift:previous", "drift:pinned", "drift:pinned:trigger")
    ] == [0.05, 0.05, 0.1]


def test_contract_without_drift_has_none_of_its_rules_and_no_histogram() -> None:
    contract = replace(CONTRACT, drift=None)
    plan = make_plan(build_suite(contract, "processed", ROOT), contract)
    assert plan.histograms == {}
    assert "distribution" not in {step.way for step in plan.steps}
    only = replace(CONTRACT, drift=Drift(left_out=("group", "flag", "real")))
    assert only.drifting == ()
    assert make_plan(build_suite(only, "processed", ROOT), only).histograms == {
        "at": "presence",
        "person": "presence",
    }
    nothing = replace(only, drift=Drift(left_out=("group", "flag", "real"), nulls=None))
    assert make_plan(build_suite(nothing, "processed", ROOT), nothing).histograms == {}


def test_contract_says_which_columns_drift_and_from_where_on(tmp_path: Path) -> None:
    assert drift_in(tmp_path, "none").drift is None
    assert drift_in(tmp_path, "{columns: none, pinned: 3}").drift is None
    found = drift_in(
        tmp_path, "{columns: [air_time, carrier], pinned: 3, warn: 0.2, trigger: 0.3, imbalance: 0.9}"
    )
    assert found.drift == Drift(("air_time", "carrier"), (), 3, 0.2, 0.3, 0.9)
    assert {column.name for column in found.drifting} == {"air_time", "carrier"}  # a key, but named
    assert not {"day", "month", "time_hour", "carrier"} & {
        column.name for column in drift_in(tmp_path, "{except: [day]}").drifting
    }


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("{columns: [air_tme]}", "'air_tme'", "'air_time'"),
        ("{columns: [time_hour]}", "not counted", "personal"),
        ("{columns: air_time}", "columns is", "or none"),
        ("{except: none}", "except is", "list of columns"),
        ("{columns: [air_time], except: [day]}", "both", "keep one"),
        ("{warm: 0.1}", "'warm'", "'warn'"),
        ("{warn: 0.2}", "above trigger", "exchange"),
        ("{warn: -1}", "warn is -1", "0 or more"),
        ("{pinned: v1}", "pinned is 'v1'", "1 or more"),
        ("{imbalance: 80}", "imbalance is 80", "0.8"),
        ("sometimes", "'sometimes'", "mapping"),
    ],
)
def test_mistake_in_drift_tells_file_line_and_fix(tmp_path: Path, text: str, what: str, fix: str) -> None:
    with pytest.raises(ContractError) as caught:
        drift_in(tmp_path, text)
    file, _, line = caught.value.where.rpartition(":")
    assert (file, int(line)) == (
        str(tmp_path / "flights.odcs.yaml"),
        len(Path(file).read_text(encoding="utf-8").splitlines()),
    )
    assert what in caught.value.what
    assert fix in caught.value.fix


def test_feature_has_no_drift_of_its_own() -> None:
    feature = load_contract(ROOT / "catalog/contracts/flight_features.odcs.yaml")
    assert not [
        rule for rule in build_suite(feature, "features", ROOT).rules if rule.family == "distribution"
    ]
