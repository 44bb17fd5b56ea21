"""Rules about distributions: what breaks them, what chance explains, what can't be compared, and mistakes in them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.contract import Column, Contract
from catalog.drift import Drift
from catalog.odcs.loader import load_contract
from catalog.rules.expectation_types import EXPECTATIONS
from catalog.rules.rule_checks import mistakes
from expectations.building.build import build_suite
from expectations.drift.baseline_rules import Baseline
from expectations.drift.histogram import Histogram, Histograms, code_of, kind_of
from expectations.drift.histogram_rules import NO_CLUSTERS
from expectations.drift.outliers import FACTORS, Method, fences, outlier_shares
from expectations.plan.execute import nothing_counted, outcomes
from expectations.plan.execute_distributions import judge_distributions
from expectations.plan.plan import Plan, make_plan
from expectations.suite import Rule, Suite
from expectations.verdict import Outcome
from lakegate.errors import ContractError
from tests.support.places import ROOT

CONTRACT = Contract(
    name="things",
    kind="dataset",
    path=Path("things.odcs.yaml"),
    hash="",
    columns=(
        Column("size", "integer"),
        Column("real", "double"),
        Column("group", "string"),
        Column("flag", "boolean"),
        Column("at", "timestamp"),
        Column("person", "string", classification="personal"),
    ),
    key=("size",),
    write_mode="append",
)
CLOSE = "expect_column_distribution_to_stay_close"
CLOSE_EACH = "expect_column_distributions_to_stay_close"
MAJORITY_EACH = "expect_column_majority_shares_to_be_at_most"
NULLS = "expect_column_null_share_to_stay_close"
MAJORITY = "expect_column_majority_share_to_be_at_most"
GROUPS = "expect_column_group_shares_to_be_close_to"
OUTLIERS = "expect_column_outlier_share_to_be_at_most"
RANDOM = np.random.default_rng(7)
NORMAL = RANDOM.normal(100, 15, 20_000).round().tolist()


def histograms(**values: list[Any]) -> Histograms:
    columns = {}
    for name, items in values.items():
        kind, there = kind_of(CONTRACT.column(name)), [item for item in items if item is not None]
        bins = Counter(map(code_of, there)) if kind in ("integer", "double") else {}
        classes = Counter(map(str, there)) if kind == "class" else {}
        columns[name] = Histogram(kind, len(items), len(items) - len(there), bins=bins, classes=classes)
    return Histograms(max(map(len, values.values()), default=0), columns)


def plan_of(*rules: tuple[str, dict[str, Any]]) -> Plan:
    made = [
        Rule(f"r{number}", kind, kwargs, "warn", EXPECTATIONS[kind].family, row_rule=False)
        for number, (kind, kwargs) in enumerate(rules)
    ]
    assert [
        told
        for rule in made
        for told in mistakes(CONTRACT, "processed", rule.type, rule.kwargs, rule.severity)
    ] == []
    return make_plan(Suite("things", "processed", tuple(made)), CONTRACT)


def ask(kind: str, kwargs: dict[str, Any], seen: Histograms, **baselines: Histograms) -> Outcome:
    plan = plan_of((kind, kwargs))
    chosen: dict[Baseline, Histograms] = baselines  # type: ignore[assignment]
    found = judge_distributions(plan, seen, chosen)
    (outcome,) = outcomes(plan, nothing_counted(plan), distributions=found)
    json.dumps(outcome.to_gx(), allow_nan=False)
    return outcome


def close(
    column: str = "size", statistic: str = "kl", max_value: float = 0.05, **more: Any
) -> dict[str, Any]:
    return {"column": column, "baseline": "previous", "statistic": statistic, "max_value": max_value, **more}


@pytest.mark.parametrize("statistic", ["kl", "js", "psi", "ks", "chi_squared"])
def test_a_move_breaks_every_statistic_and_the_same_again_none(statistic: str) -> None:
    base = histograms(size=NORMAL[:10_000])
    same, moved = histograms(size=NORMAL[10_000:]), histograms(size=[value + 8 for value in NORMAL[10_000:]])
    assert ask(CLOSE, close(statistic=statistic), same, previous=base).success
    broken = ask(CLOSE, close(statistic=statistic), moved, previous=base)
    assert (broken.failed, broken.of) == (1, 1)
    assert broken.observed["observed_value"] > 0.05
    assert broken.observed["p_value"] < 1e-9
    assert ("greatest" in broken.observed) == (statistic == "ks")
    assert ask(CLOSE, close(statistic=statistic, max_value=5.0), moved, previous=base).success


def test_an_effect_that_chance_explains_breaks_nothing() -> None:
    base, new = histograms(size=NORMAL[:120]), histograms(size=NORMAL[10_000:10_120])
    found = ask(CLOSE, close(), new, previous=base)
    assert found.observed["observed_value"] > 0.05
    assert found.success


def test_p_values_are_corrected_over_the_columns_of_a_baseline_and_only_asked_for_where_an_effect_is_great() -> (
    None
):
    base = histograms(size=NORMAL[:300], real=NORMAL[:300], group=["a", "b"] * 150)
    new = histograms(
        size=[value + 8 for value in NORMAL[300:600]], real=NORMAL[300:600], group=["a", "b"] * 150
    )
    alone = judge_distributions(plan_of((CLOSE, close())), new, {"previous": base})["r0"]
    three = plan_of(
        (CLOSE, close()), (CLOSE, close("real")), (CLOSE, close("group")), (CLOSE, close(max_value=0.1))
    )
    found = judge_distributions(three, new, {"previous": base})
    assert found["r0"].observed["p_value"] == pytest.approx(3 * alone.observed["p_value"])
    assert found["r3"].observed["p_value"] == found["r0"].observed["p_value"]
    calm = judge_distributions(three, base, {"previous": base})
    assert all("p_value" not in outcome.observed for outcome in calm.values())


def test_the_judge_of_distributions_is_imported_without_scipy() -> None:
    code = (
        "import sys; from expectations.plan.execute_distributions import judge_distributions; import expectations.plan.plan, catalog.files;"
        "assert not {'scipy', 'numpy', 'great_expectations', 'pyspark'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


@pytest.mark.parametrize(
    ("seen", "base", "why"),
    [
        (histograms(size=NORMAL), None, "no previous version"),
        (histograms(size=NORMAL), Histograms(5, {}), "counted it"),
        (histograms(size=NORMAL[:99]), histograms(size=[value + 50 for value in NORMAL]), "fewer than 100"),
        (
            histograms(size=[*NORMAL[:99], None, None]),
            histograms(size=[value + 50 for value in NORMAL]),
            "fewer than 100",
        ),
        (Histograms(), histograms(size=NORMAL), "fewer than 100"),
        (
            histograms(size=NORMAL),
            Histograms(200, {"size": Histogram("class", 200, classes={"a": 200})}),
            "another type",
        ),
        (
            Histograms(2000, {"size": Histogram("class", 2000, too_many=True)}),
            Histograms(200, {"size": Histogram("class", 200)}),
            "distinct",
        ),
    ],
)
def test_what_can_not_be_compared_holds_and_says_why(
    seen: Histograms, base: Histograms | None, why: str
) -> None:
    found = ask(CLOSE, close(), seen, **({} if base is None else {"previous": base}))
    assert found.success
    assert why in found.observed["told"]
    assert found.observed["observed_value"] is None


def test_a_rule_over_several_columns_counts_those_that_moved_and_names_them() -> None:
    names = ["size", "real", "group"]
    base = histograms(size=NORMAL[:300], real=NORMAL[:300], group=["a", "b"] * 150)
    new = histograms(
        size=[value + 8 for value in NORMAL[300:600]], real=NORMAL[300:600], group=["a", "b"] * 20
    )
    kwargs = {"column_list": names, "baseline": "previous", "statistic": "kl", "max_value": 0.05}
    found = ask(CLOSE_EACH, kwargs, new, previous=base)
    assert (found.failed, found.of, found.observed["broken_by"]) == (1, 3, ["size"])
    assert found.observed["columns"]["group"] is None
    assert (
        found.observed["columns"]["real"]
        < 0.1
        < found.observed["columns"]["size"]
        == found.observed["observed_value"]
    )
    assert "1 of 2 columns compared" in found.observed["told"]
    one_by_one = plan_of(*[(CLOSE, close(name)) for name in names])
    alone = judge_distributions(one_by_one, new, {"previous": base})
    assert [outcome.observed["observed_value"] for outcome in alone.values()] == list(
        found.observed["columns"].values()
    )
    none = ask(CLOSE_EACH, kwargs, new)
    assert (none.failed, none.observed["observed_value"]) == (0, None)
    assert "no previous version" in none.observed["told"]
    share = ask(
        MAJORITY_EACH,
        {"column_list": ["group", "flag"], "max_share": 0.8},
        histograms(group=["a"] * 9, flag=[True, False]),
    )
    assert (share.failed, share.of, share.observed["broken_by"]) == (1, 2, ["group"])


def test_a_category_that_was_renamed_is_found() -> None:
    base, new = histograms(group=["a"] * 500 + ["b"] * 500), histograms(group=["a"] * 500 + ["B"] * 500)
    for statistic, least in (("kl", 3.0), ("js", 0.4), ("psi", 5.0), ("chi_squared", 0.7)):
        found = ask(CLOSE, close("group", statistic), new, previous=base)
        assert found.observed["observed_value"] > least
        assert not found.success


def test_numbers_in_another_unit_are_far_over_any_threshold() -> None:
    base, new = histograms(size=NORMAL[:9000]), histograms(size=[value * 60 for value in NORMAL[9000:]])
    assert ask(CLOSE, close(), new, previous=base).observed["observed_value"] > 2
    assert ask(CLOSE, close(statistic="ks"), new, previous=base).observed["observed_value"] == 1.0


@pytest.mark.parametrize(
    ("nulls", "before", "rows", "broken"),
    [(300, 100, 1000, 1), (130, 100, 1000, 0), (9, 0, 100, 0), (12, 0, 100, 1), (40, 0, 99, 0)],
)
def test_a_jump_of_the_null_rate_breaks_by_size_and_significance_together(
    nulls: int, before: int, rows: int, broken: int
) -> None:
    new, base = (
        Histograms(rows, {"person": Histogram("presence", rows, count)}) for count in (nulls, before)
    )
    kwargs = {"column": "person", "baseline": "pinned", "max_change": 0.05}
    kwargs |= {"max_change": 0.1} if nulls == 9 else {}
    assert ask(NULLS, kwargs, new, pinned=base).failed == broken


def test_one_value_of_too_many_rows_is_imbalance_for_any_number_of_classes() -> None:
    kwargs = {"column": "group", "max_share": 0.8}
    assert not ask(MAJORITY, kwargs, histograms(group=["a"] * 85 + ["b"] * 10 + ["c"] * 5)).success
    assert ask(MAJORITY, kwargs, histograms(group=["a"] * 80 + ["b"] * 15 + ["c"] * 5 + [None] * 900)).success
    assert ask(MAJORITY, kwargs, Histograms(9, {"group": Histogram("class", 9, too_many=True)})).success
    assert not ask(
        MAJORITY, {"column": "size", "max_share": 0.8}, histograms(size=[0] * 90 + [1] * 10)
    ).success
    assert ask(MAJORITY, {"column": "size", "max_share": 0.8}, histograms(size=[1000, 1001] * 50)).success


def test_group_shares_are_held_against_a_reference_and_what_it_does_not_name() -> None:
    kwargs = {"column": "group", "shares": {"a": 0.5, "b": 0.3}, "max_difference": 0.05}
    assert ask(GROUPS, kwargs, histograms(group=["a"] * 52 + ["b"] * 29 + ["c"] * 19)).success
    assert (
        ask(GROUPS, kwargs, histograms(group=["a"] * 50 + ["b"] * 20 + ["c"] * 30)).observed["shares_away"]
        == 2
    )
    found = ask(GROUPS, kwargs, histograms(group=["secret"] * 100))
    assert found.observed["observed_value"] == pytest.approx(0.8)
    assert "secret" not in json.dumps(found.observed)


@settings(max_examples=60)
@given(
    st.lists(st.integers(-500, 500) | st.integers(-(10**9), 10**9), min_size=1, max_size=40),
    st.sampled_from(["iqr", "zscore"]),
    st.sampled_from(["integer", "double"]),
)
def test_the_true_share_of_outliers_lies_within_the_bounds(
    values: list[int], method: Method, kind: Any
) -> None:
    array, factor = np.array(values, dtype=float), FACTORS[method]
    histogram = Histogram(kind, len(values), bins=Counter(code_of(value) for value in array))
    if method == "iqr":
        first, third = (np.quantile(array, quarter, method="inverted_cdf") for quarter in (0.25, 0.75))
        low, high = first - factor * (third - first), third + factor * (third - first)
    else:
        low, high = array.mean() - factor * array.std(), array.mean() + factor * array.std()
    least, most = outlier_shares(histogram, method, factor)
    slack = 1e-9 * float(np.abs(array).max() + 1)
    found = fences(histogram, method, factor)
    assert found is not None
    assert found.lower[0] - slack <= low <= found.lower[1] + slack
    assert found.upper[0] - slack <= high <= found.upper[1] + slack
    sure, perhaps = (
        ((array < low - slack) | (array > high + slack)).mean(),
        ((array < low + slack) | (array > high - slack)).mean(),
    )
    assert least <= perhaps + 1e-12
    assert sure - 1e-12 <= most


def test_outliers_are_told_with_the_bound_that_bins_leave() -> None:
    values = [*NORMAL[:1000], *[5000] * 60]
    kwargs = {"column": "size", "method": "iqr", "max_share": 0.05}
    found = ask(OUTLIERS, kwargs, histograms(size=values))
    assert 0.05 < found.observed["least"] <= found.observed["greatest"] < 0.08
    assert not found.success
    assert ask(OUTLIERS, kwargs | {"method": "zscore", "factor": 5}, histograms(size=NORMAL[:1000])).success
    infinite = ask(
        OUTLIERS, {"column": "real", "method": "iqr", "max_share": 0.4}, histograms(real=[float("inf"), 1.0])
    )
    assert infinite.observed["observed_value"] == 0.5
    assert ask(OUTLIERS, kwargs, Histograms()).success


def test_a_plan_names_each_histogram_once_and_costs_one_pass() -> None:
    without = plan_of()
    plan = plan_of((CLOSE, close("group")), (CLOSE, close()), (MAJORITY, {"column": "group", "max_share": 1}))
    assert plan.histograms == {"size": "integer", "group": "class"}
    assert {step.way for step in plan.steps} == {"distribution"}
    assert plan.passes["passes"] == without.passes["passes"] + 1
    with pytest.raises(ContractError, match="histograms"):
        outcomes(plan, nothing_counted(plan))


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
def test_a_mistake_is_told_before_any_data_is_read(kind: str, kwargs: dict[str, Any], what: str) -> None:
    found = list(mistakes(CONTRACT, "processed", kind, kwargs, "hold"))
    assert any(what in item.what for item in found), found
    assert all(item.fix for item in found)


@pytest.mark.parametrize("severity", ["warn", "trigger", "hold", "block"])
def test_each_severity_of_table_rules_is_taken(severity: Any) -> None:
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


def test_a_contract_without_drift_has_none_of_its_rules_and_no_histogram() -> None:
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


def drift_in(folder: Path, text: str) -> Contract:
    path = folder / "flights.odcs.yaml"
    written = (
        (ROOT / "catalog/contracts/flights.odcs.yaml")
        .read_text(encoding="utf-8")
        .partition("  - property: drift\n")[0]
    )
    path.write_text(
        f"{written.rstrip()}\n  - property: drift\n    vendor: lakegate\n    value: {text}\n",
        encoding="utf-8",
    )
    return load_contract(path)


def test_a_contract_says_which_columns_drift_and_from_where_on(tmp_path: Path) -> None:
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
def test_a_mistake_in_drift_tells_file_line_and_fix(tmp_path: Path, text: str, what: str, fix: str) -> None:
    with pytest.raises(ContractError) as caught:
        drift_in(tmp_path, text)
    file, _, line = caught.value.where.rpartition(":")
    assert (file, int(line)) == (
        str(tmp_path / "flights.odcs.yaml"),
        len(Path(file).read_text(encoding="utf-8").splitlines()),
    )
    assert what in caught.value.what
    assert fix in caught.value.fix


def test_a_feature_has_no_drift_of_its_own() -> None:
    feature = load_contract(ROOT / "catalog/contracts/flight_features.odcs.yaml")
    assert not [
        rule for rule in build_suite(feature, "features", ROOT).rules if rule.family == "distribution"
    ]
