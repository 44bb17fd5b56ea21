"""Comparing a version with an earlier one: what is read, what is found of each column,
and what makes no comparison.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import false_discovery_control

from catalog.contract import Column
from catalog.drift import Drift
from catalog.rules.distribution_rules import STATISTICS
from expectations.drift.compare_columns import Thresholds, compare_columns, worst
from expectations.drift.histogram import Histogram, Histograms
from tests.support.drift.compared_lake import CONTRACT, USUAL, by_name, found, part
from tests.support.drift.histogram_lake import KeptLake


def test_column_that_moved_is_found_with_every_statistic_and_one_that_did_not_is_close(
    lake: KeptLake,
) -> None:
    told = found(lake)
    assert (told.version, told.baseline, told.rows, told.baseline_rows, told.finding) == (
        "things@v4",
        ("things@v3",),
        300,
        300,
        "trigger",
    )
    columns = by_name(told)
    assert {name: item.finding for name, item in columns.items()} == {
        "size": "trigger",
        "group": "close",
        "city": "left out",
        "person": "not compared",
    }
    size, group, person = columns["size"], columns["group"], columns["person"]
    assert size.why.startswith("kl ")
    assert size.why.endswith("is over 0.1")
    assert min(size.kl or 0, size.js or 0, size.psi or 0, size.cramers_v or 0, size.ks_least or 0) > 0.1
    assert (size.p_value or 1) < 1e-9
    assert (size.ks_p_value or 1) < 1e-9
    assert (group.kl, group.cramers_v, group.ks_least, group.p_value) == (0.0, 0.0, None, 1.0)
    assert (group.majority_share, group.baseline_majority_share) == (100 / 300, 100 / 300)
    assert (person.kl, person.null_share, person.why) == (None, 0.01, "its values are not counted")
    assert columns["city"].majority_share == 1.0


def test_comparison_reads_manifests_and_histograms_alone(lake: KeptLake) -> None:
    for against in ("previous", "pinned", "season", "v2"):
        found(lake, against=against)
        assert {path.split("/")[1] for path in lake.read} == {"heads", "manifests", "histograms"}


@pytest.mark.parametrize("statistic", STATISTICS)
def test_statistics_decide_each_with_thresholds_of_its_own(lake: KeptLake, statistic: str) -> None:
    size = by_name(found(lake))["size"]
    shown = {"ks": size.ks_least, "chi_squared": size.cramers_v}.get(statistic) or getattr(size, statistic)
    for warn, trigger, finding in (
        (shown * 1.01, 9, "close"),
        (shown * 0.99, 9, "warn"),
        (0.01, shown * 0.99, "trigger"),
    ):
        assert (
            by_name(found(lake, statistic=statistic, warn=warn, trigger=trigger))["size"].finding == finding
        )
    texts = by_name(found(lake, statistic="ks", warn=1, trigger=1))["group"]
    assert (texts.finding, texts.why) == ("not compared", "ks compares numbers")


def test_effect_that_chance_explains_is_close_and_p_values_are_corrected_over_columns() -> None:
    thresholds = Thresholds(warn=0.01, trigger=0.02, imbalance=1)
    names = [f"c{number}" for number in range(6)]
    base = Histograms(200, {name: Histogram("class", 200, classes={"a": 100, "b": 100}) for name in names})
    moved = {
        name: Histogram("class", 200, classes={"a": 100 + 5 * number, "b": 100 - 5 * number})
        for number, name in enumerate(names)
    }
    alone = [compare_columns(Histograms(200, {name: moved[name]}), base, thresholds)[0] for name in names]
    together = compare_columns(Histograms(200, moved), base, thresholds)
    assert [item.p_value for item in together] == pytest.approx(
        list(false_discovery_control([item.p_value for item in alone]))
    )
    assert [item.finding for item in alone][3:] == ["close", "close", "close"]
    (strong,) = compare_columns(
        Histograms(200, {"c0": Histogram("class", 200, classes={"a": 160, "b": 40})}), base, thresholds
    )
    assert strong.finding == "trigger"
    assert (alone[5].kl or 0) > thresholds.trigger


def test_column_that_turned_wholly_null_warns_whatever_is_asked(lake: KeptLake) -> None:
    lake.add(part(nulls=300))
    told = by_name(found(lake, "things@v5", warn=9, trigger=9, null_change=1))
    assert (told["person"].finding, told["person"].why) == ("warn", "all 300 rows are NULL, 1.00% before")
    assert found(lake, "things@v5").finding == "warn"
    lake.add(part(nulls=300))
    assert by_name(found(lake, "things@v6"))["person"].finding == "not compared"


def test_usual_change_warns_under_other_thresholds_than_the_contracts_alone() -> None:
    lake = KeptLake(CONTRACT)
    for turn in range(8):
        lake.add(part(group={"a": 100 + 90 * (turn % 2), "b": 200 - 90 * (turn % 2)}))
    usual = by_name(found(lake, "things@v8"))["group"]
    assert (usual.finding, "usual: " in usual.why) == ("close", True)
    assert (usual.kl or 0) > 0.1
    assert by_name(found(lake, "things@v8", warn=0.05, trigger=0.1))["group"].finding == "trigger"
    assert by_name(found(lake, "things@v8", against="v7"))["group"].finding == "warn"
    lake.add(part(group={"a": 100, "b": 100, "c": 100}))
    assert by_name(found(lake, "things@v9"))["group"].finding == "trigger"
    lake.add(part(group={"a": 100, "b": 100, "c": 100}))
    assert by_name(found(lake, "things@v10"))["group"].finding == "close"
    assert by_name(found(lake, "things@v10", against="pinned"))["group"].finding == "trigger", (
        "as far from it as the version before"
    )


def test_shares_of_null_warn_as_the_contract_says_or_is_asked_and_so_does_imbalance(lake: KeptLake) -> None:
    lake.add(
        part(size={code + 20: rows for code, rows in USUAL.items()}, group={"a": 290, "b": 10}, nulls=200)
    )
    told = by_name(found(lake, "things@v5", warn=9, trigger=9))
    assert (told["group"].finding, told["person"].finding, told["size"].finding) == ("warn", "warn", "close")
    assert told["group"].why == "one value holds 96.67% of the rows, over 80.00%"
    told = by_name(found(lake, "things@v5", null_change=0.1))
    assert (told["person"].finding, told["person"].why) == ("warn", "66.67% are NULL, 1.00% before")
    assert by_name(found(lake, "things@v5", null_change=0.7))["person"].finding == "not compared"


def test_pinned_is_a_whole_table_and_whole_compares_two_of_them(lake: KeptLake) -> None:
    assert (found(lake, against="pinned").baseline, found(lake, against="pinned").baseline_rows) == (
        ("things@v1",),
        300,
    )
    assert found(lake, against="v2").baseline_rows == found(lake, against="things@v2").baseline_rows == 600
    whole = found(lake, against="v2", whole=True)
    assert (whole.rows, whole.baseline_rows) == (1200, 600)
    assert 0 < (by_name(whole)["size"].kl or 0) < (by_name(found(lake, against="v2"))["size"].kl or 0)
    previous = found(lake, whole=True)
    assert (previous.baseline, previous.rows, previous.baseline_rows) == (("things@v3",), 1200, 900)
    season = found(lake, against="season")
    assert (season.baseline, season.baseline_rows) == (("things@v1",), 300)


def test_small_versions_before_are_taken_together_and_replays_left_out() -> None:
    lake = KeptLake(CONTRACT)
    for _ in range(4):
        lake.add(part(size={100: 40}, group={"a": 20, "b": 20}))
    lake.add(part(), made_by="replay_of")
    lake.add(part(size={100: 40}, group={"a": 20, "b": 20}))
    told = found(lake, "things@v6")
    assert (told.baseline, told.baseline_rows) == (("things@v4", "things@v3", "things@v2"), 120)
    assert by_name(told)["size"].why == "fewer than 100 values to compare"
    assert (told.finding, worst(told.columns)) == ("not compared", "not compared")


def test_column_that_became_personal_or_is_new_or_of_another_type_is_not_compared(lake: KeptLake) -> None:
    columns = (
        *CONTRACT.columns[:1],
        Column("size", "string"),
        Column("group", "string", classification="personal"),
        Column("new", "string"),
    )
    lake.contract = replace(CONTRACT, columns=columns, drift=Drift())
    told = by_name(found(lake))
    assert set(told) == {"group"}
    assert (told["group"].finding, told["group"].majority_share, told["group"].null_share) == (
        "not compared",
        None,
        0.0,
    )
    lake.contract = CONTRACT
    lake.add(Histograms(300, {**part().columns, "id": Histogram("integer", 300, bins=USUAL)}))
    told = by_name(found(lake, "things@v5", against="v4"))
    assert told["id"].why == "the contract leaves it out"
    assert told["id"].kl is None
