"""Rules about distributions: what breaks them, what chance explains, what can't be compared,
and mistakes in them.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from expectations.drift.histogram import Histogram, Histograms
from expectations.plan.execute import nothing_counted, outcomes
from expectations.plan.execute_distributions import judge_distributions
from lakegate.errors import ContractError
from tests.support.drift.distribution_rules import (
    CLOSE,
    CLOSE_EACH,
    MAJORITY,
    NORMAL,
    ask,
    close,
    histograms,
    plan_of,
)
from tests.support.places import ROOT

MAJORITY_EACH = "expect_column_majority_shares_to_be_at_most"


@pytest.mark.parametrize("statistic", ["kl", "js", "psi", "ks", "chi_squared"])
def test_move_breaks_every_statistic_and_the_same_again_none(statistic: str) -> None:
    base = histograms(size=NORMAL[:10_000])
    same, moved = histograms(size=NORMAL[10_000:]), histograms(size=[value + 8 for value in NORMAL[10_000:]])
    assert ask(CLOSE, close(statistic=statistic), same, previous=base).success
    broken = ask(CLOSE, close(statistic=statistic), moved, previous=base)
    assert (broken.failed, broken.of) == (1, 1)
    assert broken.observed["observed_value"] > 0.05
    assert broken.observed["p_value"] < 1e-9
    assert ("greatest" in broken.observed) == (statistic == "ks")
    assert ask(CLOSE, close(statistic=statistic, max_value=5.0), moved, previous=base).success


def test_effect_that_chance_explains_breaks_nothing() -> None:
    base, new = histograms(size=NORMAL[:120]), histograms(size=NORMAL[10_000:10_120])
    found = ask(CLOSE, close(), new, previous=base)
    assert found.observed["observed_value"] > 0.05
    assert found.success


def test_p_values_are_corrected_over_a_baselines_columns_and_asked_for_where_an_effect_is_great() -> None:
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


def test_judge_of_distributions_is_imported_without_scipy() -> None:
    code = (
        "import sys; from expectations.plan.execute_distributions import judge_distributions; import "
        "expectations.plan.plan, catalog.files;"
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
def test_rule_that_can_not_be_compared_holds_and_says_why(
    seen: Histograms, base: Histograms | None, why: str
) -> None:
    found = ask(CLOSE, close(), seen, **({} if base is None else {"previous": base}))
    assert found.success
    assert why in found.observed["told"]
    assert found.observed["observed_value"] is None


def test_rule_over_several_columns_counts_those_that_moved_and_names_them() -> None:
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


def test_category_that_was_renamed_is_found() -> None:
    base, new = histograms(group=["a"] * 500 + ["b"] * 500), histograms(group=["a"] * 500 + ["B"] * 500)
    for statistic, least in (("kl", 3.0), ("js", 0.4), ("psi", 5.0), ("chi_squared", 0.7)):
        found = ask(CLOSE, close("group", statistic), new, previous=base)
        assert found.observed["observed_value"] > least
        assert not found.success


def test_numbers_in_another_unit_are_far_over_any_threshold() -> None:
    base, new = histograms(size=NORMAL[:9000]), histograms(size=[value * 60 for value in NORMAL[9000:]])
    assert ask(CLOSE, close(), new, previous=base).observed["observed_value"] > 2
    assert ask(CLOSE, close(statistic="ks"), new, previous=base).observed["observed_value"] == 1.0


def test_plan_names_each_histogram_once_and_costs_one_pass() -> None:
    without = plan_of()
    plan = plan_of((CLOSE, close("group")), (CLOSE, close()), (MAJORITY, {"column": "group", "max_share": 1}))
    assert plan.histograms == {"size": "integer", "group": "class"}
    assert {step.way for step in plan.steps} == {"distribution"}
    assert plan.passes["passes"] == without.passes["passes"] + 1
    with pytest.raises(ContractError, match="histograms"):
        outcomes(plan, nothing_counted(plan))
