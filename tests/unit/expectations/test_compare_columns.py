"""Comparing a version with an earlier one: what is read, what is found of each column, and what makes no comparison."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scipy.stats import false_discovery_control

from catalog.contract import Column, Contract
from catalog.drift import Drift
from catalog.files import Catalog
from catalog.rules.distribution_rules import STATISTICS
from cli.read.compare import header
from expectations.drift.compare_columns import ComparedColumn, Thresholds, compare_columns, worst
from expectations.drift.histogram import Histogram, Histograms
from lake import paths
from lake.drift.histogram_store import VersionHistograms
from lake.reports.compare import VersionComparison, compare
from lakegate.errors import LakegateError, UsageError, VersionNotFound
from tests.support.histogram_lake import KeptLake

CONTRACT = Contract(
    name="things",
    kind="dataset",
    path=Path("things.odcs.yaml"),
    hash="",
    columns=(
        Column("id", "integer"),
        Column("size", "integer"),
        Column("group", "string"),
        Column("city", "string"),
        Column("person", "string", classification="personal"),
    ),
    key=("id",),
    write_mode="append",
    drift=Drift(left_out=("city",), pinned=1, season=3),
)
USUAL = dict.fromkeys(range(100, 130), 10)


def part(
    *,
    size: dict[int, int] | None = None,
    group: dict[str, int] | None = None,
    city: str = "x",
    nulls: int = 3,
) -> Histograms:
    """The rows of a version: 300 sizes, three groups, one city and a personal column of which NULL alone is counted."""
    sizes, groups = size or USUAL, group or {"a": 100, "b": 100, "c": 100}
    rows = sum(sizes.values())
    columns = {
        "size": Histogram("integer", rows, bins=sizes),
        "group": Histogram("class", rows, classes=groups),
        "city": Histogram("class", rows, classes={city: rows}),
        "person": Histogram("presence", rows, nulls=nulls),
    }
    return Histograms(rows, columns)


@pytest.fixture
def lake() -> KeptLake:
    """Four versions: like each other but for the last, whose sizes moved."""
    made = KeptLake(CONTRACT)
    for _ in range(3):
        made.add(part())
    made.add(part(size={code + 20: rows for code, rows in USUAL.items()}))
    return made


def found(lake: KeptLake, version: str = "things@v4", **options: Any) -> VersionComparison:
    lake.read.clear()
    told = compare(lake.session, version, **options)
    json.dumps(told.to_json(), allow_nan=False)
    return told


def by_name(told: VersionComparison) -> dict[str, ComparedColumn]:
    return {item.column: item for item in told.columns}


def test_a_column_that_moved_is_found_with_every_statistic_and_one_that_did_not_is_close(
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


def test_nothing_but_manifests_and_histograms_is_read(lake: KeptLake) -> None:
    for against in ("previous", "pinned", "season", "v2"):
        found(lake, against=against)
        assert {path.split("/")[1] for path in lake.read} == {"heads", "manifests", "histograms"}


@pytest.mark.parametrize("statistic", STATISTICS)
def test_any_statistic_decides_with_thresholds_of_its_own(lake: KeptLake, statistic: str) -> None:
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


def test_what_chance_explains_is_close_and_p_values_are_corrected_over_columns() -> None:
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


def test_a_column_that_turned_wholly_null_warns_whatever_is_asked(lake: KeptLake) -> None:
    lake.add(part(nulls=300))
    told = by_name(found(lake, "things@v5", warn=9, trigger=9, null_change=1))
    assert (told["person"].finding, told["person"].why) == ("warn", "all 300 rows are NULL, 1.00% before")
    assert found(lake, "things@v5").finding == "warn"
    lake.add(part(nulls=300))
    assert by_name(found(lake, "things@v6"))["person"].finding == "not compared"


def test_what_is_usual_warns_of_nothing_under_the_contracts_thresholds_and_does_under_others() -> None:
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


def test_a_column_that_became_personal_or_is_new_or_of_another_type_is_not_compared(lake: KeptLake) -> None:
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


@pytest.mark.parametrize(
    ("version", "options", "kind", "told"),
    [
        (
            "things@v9",
            {},
            VersionNotFound,
            ("things@v9 was never published here, the latest is things@v4", "versions things"),
        ),
        ("things@v4", {"against": "v9"}, VersionNotFound, ("things@v9 was never", "versions things")),
        ("things", {}, UsageError, ("not the name of a version", "flights@v6")),
        ("things@v4", {"against": "others@v1"}, UsageError, ("another table", "version of things")),
        (
            "things@v4",
            {"against": "before"},
            UsageError,
            ("'before' is nothing to compare with", "previous, pinned, season"),
        ),
        ("things@v4", {"against": "v4"}, UsageError, ("with itself", "--against")),
        ("things@v1", {"against": "pinned"}, UsageError, ("with itself", "--against")),
        ("things@v1", {}, UsageError, ("no version before things@v1", "--against")),
        ("things@v1", {"whole": True}, UsageError, ("no version before things@v1", "--against")),
        (
            "things@v3",
            {"against": "season"},
            UsageError,
            ("has 2 deliveries before it, and a season has 3", "until"),
        ),
        ("things@v4", {"statistic": "psi"}, UsageError, ("psi is asked for", "--warn and --trigger")),
        (
            "things@v4",
            {"statistic": "psi", "warn": 1.0},
            UsageError,
            ("psi is asked for", "--warn and --trigger"),
        ),
        ("things@v4", {"warn": 0.5}, UsageError, ("warn 0.5 lies above trigger 0.1", "--trigger")),
        (
            "things@v4",
            {"warn": 0.3, "trigger": 0.1},
            UsageError,
            ("warn 0.3 lies above trigger 0.1", "exchange them"),
        ),
        ("things@v4", {"warn": math.nan}, UsageError, ("warn is nan", "finite")),
        ("things@v4", {"warn": -0.1}, UsageError, ("warn is -0.1", "not below 0")),
        ("things@v4", {"trigger": math.nan}, UsageError, ("trigger is nan", "finite")),
        ("things@v4", {"trigger": math.inf}, UsageError, ("trigger is inf", "finite")),
        ("things@v4", {"null_change": math.nan}, UsageError, ("null_change is nan", "0 to 1")),
        ("things@v4", {"significance": 1.1}, UsageError, ("significance is 1.1", "0 to 1")),
    ],
)
def test_what_makes_no_comparison_is_told(
    lake: KeptLake, version: str, options: dict[str, Any], kind: type[LakegateError], told: tuple[str, str]
) -> None:
    with pytest.raises(kind) as caught:
        found(lake, version, **options)
    assert told[0] in caught.value.what
    assert told[1] in caught.value.fix


def test_a_version_without_histograms_or_a_season_says_so_and_one_that_was_counted_later_has_them(
    lake: KeptLake,
) -> None:
    lake.add(part(), made_by="replay_of")
    with pytest.raises(UsageError, match="things@v5 has no histograms: a replay made it"):
        found(lake, "things@v5")
    bare = KeptLake(replace(CONTRACT, drift=Drift()))
    bare.add(Histograms())
    with pytest.raises(UsageError, match="has no histograms: no rule of its contract"):
        found(bare, "things@v1", against="v1")
    lake.add(part())  # counts what the replay gave back
    assert found(lake, "things@v5", against="v4").rows == 0
    lake.contract = replace(CONTRACT, drift=Drift())
    with pytest.raises(UsageError, match="the contract of things has no season"):
        found(lake, against="season")


def test_a_raw_table_is_said_to_hold_files() -> None:
    catalog = Catalog({"things": CONTRACT}, {})
    session: Any = SimpleNamespace(repository=KeptLake(CONTRACT), catalog=catalog)
    with pytest.raises(UsageError, match="things_raw is a raw table: it holds files") as caught:
        compare(session, "things_raw@v2")
    assert caught.value.fix == "compare versions of things"
    with pytest.raises(UsageError, match="unknown dataset 'others_raw'"):
        compare(session, "others_raw@v2")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "things@v4 (300 rows that it added) with things@v3 (300 rows that it added): trigger"),
        (
            {"against": "season"},
            "things@v4 (300 rows that it added) with things@v1 (300 rows that it added): trigger",
        ),
        (
            {"against": "pinned"},
            "things@v4 (300 rows that it added) with things@v1 (its whole table, 300 rows): trigger",
        ),
        (
            {"against": "v3"},
            "things@v4 (300 rows that it added) with things@v3 (its whole table, 900 rows): trigger",
        ),
        (
            {"whole": True},
            "things@v4 (its whole table, 1,200 rows) with things@v3 (its whole table, 900 rows): close",
        ),
        (
            {"against": "season", "whole": True},
            "things@v4 (its whole table, 1,200 rows) with things@v1 (its whole table, 300 rows): close",
        ),
    ],
)
def test_the_header_says_which_rows_stand_on_each_side(
    lake: KeptLake, options: dict[str, Any], told: str
) -> None:
    assert header(found(lake, **options, warn=0.5, trigger=0.6)) == told


def test_the_header_names_several_versions_before() -> None:
    lake = KeptLake(CONTRACT)
    for _ in range(4):
        lake.add(part(size={100: 40}, group={"a": 20, "b": 20}))
    assert " with things@v1 to things@v3 (120 rows that they added): " in header(found(lake))


@pytest.mark.parametrize("write_mode", ["append", "replace"])
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("made_by", ["discards_of", "replay_of"])
def test_a_version_that_no_delivery_made_is_compared_at_once_and_the_next_delivery_changes_nothing(
    write_mode: Any, made_by: str, *, kept: bool
) -> None:
    if made_by == "replay_of" and not kept:
        return  # an earlier release didn't count what it gave back
    lake = KeptLake(replace(CONTRACT, write_mode=write_mode))
    for _ in range(3):
        lake.add(part())
    back = (
        part(size={100: 200}, group={"a": 200})
        if made_by == "replay_of"
        else part(size={100: 0}, group={"a": 0}, nulls=0)
    )
    lake.add(back, made_by=made_by, kept=kept)

    def told() -> list[VersionComparison]:
        return [
            found(lake, **options)
            for options in ({}, {"whole": True}, {"against": "pinned"}, {"against": "season"})
        ]

    before, whole = told(), 900 if write_mode == "append" else 300
    assert [item.rows for item in before] == [back.rows, whole + back.rows, back.rows, back.rows]
    assert [item.baseline for item in before] == [(f"things@v{number}",) for number in (3, 3, 1, 1)]
    lake.add(part())
    assert told() == before
    assert found(lake, "things@v5").baseline == ("things@v3",)
    assert found(lake, "things@v5", against="season").baseline == ("things@v1",)
    assert found(lake, "things@v5", whole=True).baseline_rows == whole + back.rows


def set_earlier(lake: KeptLake, number: int, earlier: dict[str, Any]) -> None:
    path = paths.histograms("things", number)
    lake.objects[path] = json.dumps(json.loads(lake.objects[path]) | {"earlier": earlier}).encode()
    lake.rewrite(number, drop="nothing")


def test_columns_that_were_counted_later_are_compared_beside_those_that_were_counted_at_once() -> None:
    lake = KeptLake(CONTRACT)
    lake.add(Histograms(300, {"size": part().columns["size"]}))
    lake.add(Histograms(300, {"size": part().columns["size"]}))
    later = part(size={100: 300}).columns
    counted = Histograms(300, {"size": later["size"], "group": later["group"]})
    set_earlier(lake, 2, {"1": VersionHistograms(counted, counted).to_json()})
    lake.add(part())
    told = by_name(found(lake, "things@v3", against="v1"))
    assert (told["size"].kl, told["group"].kl) == (0.0, 0.0)


def test_small_versions_before_do_without_one_that_has_no_histograms() -> None:
    lake = KeptLake(CONTRACT)
    lake.add(Histograms())
    small = part(size={100: 40}, group={"a": 20, "b": 20})
    for number in (2, 3):
        lake.add(small)
        set_earlier(lake, number, {})
    told = found(lake, "things@v3")
    assert (told.baseline, told.baseline_rows) == (("things@v2",), 40)


def test_what_was_counted_later_is_kept_over_a_discard() -> None:
    lake = KeptLake(replace(CONTRACT, drift=Drift(pinned=2)))
    lake.add(part())
    for _ in range(2):
        lake.add(part(), made_by="replay_of")
    lake.add(part())  # counts what the replays gave back
    before = found(lake, "things@v2", against="v1")
    lake.add(part(size={100: 0}, group={"a": 0}), made_by="discards_of", kept=True)
    assert found(lake, "things@v2", against="v1") == before


def test_a_file_that_its_manifest_does_not_vouch_for_is_as_good_as_none(lake: KeptLake) -> None:
    lake.objects["_lakegate/histograms/things/v3.json"] += b" "
    with pytest.raises(UsageError, match="things@v3 has no histograms"):
        found(lake)
