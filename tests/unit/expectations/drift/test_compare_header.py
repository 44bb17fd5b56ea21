"""What a comparison says of its two sides, and what makes no comparison."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from catalog.drift import Drift
from catalog.files import Catalog
from cli.read.compare import header
from expectations.drift.histogram import Histograms
from lake.reports.compare import compare
from lakegate.errors import LakegateError, UsageError, VersionNotFound
from tests.support.drift.compared_lake import CONTRACT, found, part
from tests.support.drift.histogram_lake import KeptLake


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
def test_request_that_makes_no_comparison_is_told(
    lake: KeptLake, version: str, options: dict[str, Any], kind: type[LakegateError], told: tuple[str, str]
) -> None:
    with pytest.raises(kind) as caught:
        found(lake, version, **options)
    assert told[0] in caught.value.what
    assert told[1] in caught.value.fix


def test_version_without_histograms_or_a_season_says_so_and_one_that_was_counted_later_has_them(
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


def test_raw_table_is_said_to_hold_files() -> None:
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
def test_header_says_which_rows_stand_on_each_side(
    lake: KeptLake, options: dict[str, Any], told: str
) -> None:
    assert header(found(lake, **options, warn=0.5, trigger=0.6)) == told


def test_header_names_several_versions_before() -> None:
    lake = KeptLake(CONTRACT)
    for _ in range(4):
        lake.add(part(size={100: 40}, group={"a": 20, "b": 20}))
    assert " with things@v1 to things@v3 (120 rows that they added): " in header(found(lake))
