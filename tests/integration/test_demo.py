"""The main job: a year of real flights, from drop to tagged version, as `lakegate demo` carries it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from dagster import AssetKey

from assets.instance import open_instance
from lake.lakefs.repository import MAIN
from lake.pipeline.demo_data import MONTHS, REFERENCES
from lake.reports.versions import list_versions
from lake.server.lifecycle import stop_server
from lake.session import Session, open_session
from lake.tables.quarantine import read_rows
from lake.versions.publish import manifest_at
from lakegate import open_snapshot
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.commands.demo_command import call, demo
from tests.support.places import ROOT

PROJECT = ROOT
SIX_MONTHS = 162_267
YEAR, PASSED, ASIDE = 336_776, 329_174, 7_602
WITHOUT_WEATHER = 1_500
WARN = 0.05
"""The bound of the default rules."""
UNKNOWN_TAILNUM, UNKNOWN_TAILNUM_PASSED = 50_094, 48_693


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A home after six months, and what flights@v6 looked like then."""
    home = tmp_path_factory.mktemp("demo") / "home"
    results = demo(home, "--months", "6")
    table = open_snapshot("flights@v6", home=home).arrow()
    yield {"home": home, "results": results, "rows": table.num_rows, "sum": pc.sum(table["distance"]).as_py()}
    stop_server(Settings.load(home=home, project=PROJECT).home)


@pytest.fixture(scope="module")
def year(half: dict[str, Any]) -> Session:
    demo(half["home"])
    return open_session(Settings.load(home=half["home"], project=PROJECT))


@pytest.mark.server
def test_twelve_drops_make_twelve_versions_in_the_order_of_months(year: Session) -> None:
    versions = list_versions(year, "flights")
    assert [version["name"] for version in versions] == [f"flights@v{number}" for number in MONTHS]
    received = [
        manifest_at(year.repository, MAIN, VersionName("flights", number)).source["delivered_name"]
        for number in MONTHS
    ]
    assert received == [f"flights-2013-{month:02}.csv" for month in MONTHS]
    assert [version["name"] for version in list_versions(year, "flight_features")] == [
        f"flight_features@v{number}" for number in MONTHS
    ]


@pytest.mark.server
def test_every_flight_of_the_year_is_in_the_table_or_set_aside(year: Session) -> None:
    versions = list_versions(year, "flights")
    assert (
        sum(version["rows_valid"] + version["rows_quarantined"] for version in versions)
        == YEAR
        == PASSED + ASIDE
    )
    assert (versions[-1]["rows_total"], sum(version["rows_quarantined"] for version in versions)) == (
        PASSED,
        ASIDE,
    )


@pytest.mark.server
@pytest.mark.parametrize("table", [*REFERENCES, "flights"])
def test_both_equations_hold_by_an_independent_count(year: Session, table: str) -> None:
    before = 0
    for version in list_versions(year, table):
        name = VersionName(table, version["version"])
        manifest = manifest_at(year.repository, MAIN, name)
        counts = manifest.counts
        with (year.settings.home.root / "demo" / manifest.source["delivered_name"]).open(
            newline=""
        ) as delivered:
            records = sum(1 for _ in csv.reader(delivered)) - 1
        snapshot = open_snapshot(str(name), home=year.settings.home.root)
        drops = snapshot.arrow(columns=["_drop"])["_drop"]
        mine = pc.sum(pc.equal(drops, manifest.drop)).as_py()
        aside_drops = read_rows(year, manifest, manifest.quarantine, ["_drop"])["_drop"]
        aside = pc.sum(pc.equal(aside_drops, manifest.drop)).as_py() or 0
        assert records == mine + aside + counts.unreadable == counts.records_in, name
        assert len(drops) == before + mine == counts.after == before + counts.inserted - counts.deleted, name
        assert counts.gaps() == [], name
        before = counts.after


@pytest.mark.server
def test_unknown_tail_number_is_counted_and_sets_nothing_aside(year: Session) -> None:
    failed = passed = 0
    for number in MONTHS:
        rules = {
            item["rule"]: item
            for item in manifest_at(year.repository, MAIN, VersionName("flights", number)).rules
        }
        rule = rules["fk:tailnum->planes.tailnum"]
        assert rule["severity"] == "warn"
        failed += rule["failed"]
    known = set(
        open_snapshot("planes@v1", home=year.settings.home.root)
        .arrow(columns=["tailnum"])["tailnum"]
        .to_pylist()
    )
    tails = (
        open_snapshot("flights@v12", home=year.settings.home.root)
        .arrow(columns=["tailnum"])["tailnum"]
        .to_pylist()
    )
    passed = sum(tail is not None and tail not in known for tail in tails)
    assert (failed, passed) == (UNKNOWN_TAILNUM, UNKNOWN_TAILNUM_PASSED)


@pytest.mark.server
def test_summer_is_far_from_january_and_no_month_of_a_healthy_year_is_warned_of(year: Session) -> None:
    far = set()
    for number in MONTHS:
        manifest = manifest_at(year.repository, MAIN, VersionName("flights", number))
        evidence = year.repository.get_json(MAIN, f"_lakegate/evidence/flights/v{number}.json") or {}
        told = {
            item["expectation_config"]["meta"]["lakegate"]["rule"]: item["result"]
            for item in evidence["report"]["results"]
        }
        air_time = told["drift:pinned"].get("columns", {}).get("air_time")
        far |= {number} if air_time is not None and air_time > WARN else set()
        broken = {
            rule["rule"]
            for rule in manifest.rules
            if rule["failed"] and rule["rule"].startswith(("drift", "nulls", "imbalance"))
        }
        assert (number, broken, manifest.notes.get("triggers")) == (number, set(), None)
    assert far
    assert far <= set(range(5, 11)), "summer is far from January, autumn comes back"
    with open_instance(year.settings) as instance:
        assert instance.fetch_materializations(AssetKey(["retrain", "flights"]), limit=100).records == []


@pytest.mark.server
def test_version_reads_the_same_before_and_after_later_ones(half: dict[str, Any], year: Session) -> None:
    table = open_snapshot("flights@v6", home=year.settings.home.root).arrow()
    assert half["rows"] == table.num_rows == SIX_MONTHS
    assert half["sum"] == pc.sum(table["distance"]).as_py()


@pytest.mark.server
def test_features_have_one_row_per_flight_and_count_what_has_no_weather(year: Session) -> None:
    features = open_snapshot("flight_features@v12", home=year.settings.home.root)
    table = features.arrow()
    assert table.num_rows == PASSED
    assert table.group_by(["time_hour", "carrier", "flight", "origin"]).aggregate([]).num_rows == PASSED
    assert pc.sum(pc.invert(table["has_weather"])).as_py() == WITHOUT_WEATHER
    assert pc.all(pc.equal(table["label_known"], pc.is_valid(table["arr_delay"]))).as_py()
    later = {"dep_time", "dep_delay", "arr_time", "air_time"}
    assert not later & set(features.columns)
    assert [str(parent.name) for parent in features.parents] == ["flights@v12", "weather@v1"]


@pytest.mark.server
def test_second_demo_does_no_work(year: Session) -> None:
    before = (year.repository.commit_of(MAIN), year.repository.commit_of("ledger"))
    results = demo(year.settings.home.root)
    assert {result["verdict"] for result in results} == {"unchanged"}
    assert (year.repository.commit_of(MAIN), year.repository.commit_of("ledger")) == before


@pytest.mark.server
def test_replay_gives_back_every_flight_once_the_airports_are_known(year: Session, tmp_path: Path) -> None:
    """The last test of this file: it adds versions."""
    delivery = tmp_path / "airports-more.csv"
    lines = (
        (year.settings.home.root / "demo" / "airports.csv")
        .read_text(encoding="utf-8")
        .splitlines(keepends=True)
    )
    named = {
        "lat": "18.0",
        "lon": "-66.0",
        "alt": "10",
        "tz": "-4",
        "dst": "U",
        "tzone": "America/Puerto_Rico",
    }
    header = lines[0].strip().split(",")
    more = [
        ",".join({"faa": code, "name": code, **named}[name] for name in header) + "\n"
        for code in ("BQN", "PSE", "SJU", "STT")
    ]
    delivery.write_text("".join([*lines, *more]), encoding="utf-8")
    home = year.settings.home.root
    (airports,) = call(home, "ingest", "airports", str(delivery))
    assert airports["verdict"] == "passed"
    found = call(home, "replay", "flights")
    assert (found["rows_in"], found["rows_passing"], found["version"]) == (ASIDE, ASIDE, "flights@v13")
    manifest = manifest_at(year.repository, MAIN, VersionName("flights", 13))
    assert manifest.balance == {
        "set_aside": ASIDE,
        "open": 0,
        "replayed": ASIDE,
        "discarded": 0,
        "superseded": 0,
    }
    assert open_snapshot("flights@v13", home=year.settings.home.root).arrow(columns=["_row"]).num_rows == YEAR
    assert call(home, "replay", "flights")["rows_in"] == 0
