"""Rows that were set aside come back under their own names, once, when contract or references let them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from dagster import AssetKey

from assets.instance import open_instance
from assets.report import report
from assets.reported_versions import reported_number
from expectations.verdict import Verdict
from lake.hops.job import HopResult
from lake.pipeline.ingest import DropResult
from lake.session import open_session
from lakegate import open_snapshot

pytestmark = pytest.mark.server

UNKNOWN = ("BQN", "PSE", "SJU", "STT")
RULE = "fk:dest->airports.faa"


def with_more_airports(sample: Any) -> bytes:
    """The airports file with the four that it lacks."""
    delivered = sample.reference("airports").read_text(encoding="utf-8")
    header = next(csv.reader([delivered.splitlines()[0]]))
    values = {
        "lat": "18.0",
        "lon": "-66.0",
        "alt": "10",
        "tz": "-4",
        "dst": "U",
        "tzone": "America/Puerto_Rico",
    }
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [[{"faa": code, "name": code, **values}[name] for name in header] for code in UNKNOWN]
    )
    return (delivered + out.getvalue()).encode()


def replay(lake: Any, *options: str) -> Any:
    done = lake.run("replay", "flights", "--json", *options)
    assert done.code == 0, done
    return done.json


def aside(lake: Any) -> list[tuple[str, int]]:
    return [(item["drop"], item["row"]) for item in lake.run("quarantine", "flights", "--json").json]


@pytest.fixture(scope="module")
def two_months(lake: Any, sample: Any) -> Any:
    lake.ingest("flights", lake.file("flights-2013-02.csv", sample.month(2)))
    return lake


def test_replay_brings_nothing_back_while_nothing_changed(two_months: Any) -> None:
    before, state = aside(two_months), two_months.state()
    found = replay(two_months)
    assert (found["rows_in"], found["rows_passing"], found["version"]) == (len(before), 0, None)
    assert found["still_broken"] == {RULE: len(before)}
    assert (aside(two_months), two_months.state()) == (before, state)


def test_dry_run_says_what_would_pass_and_publishes_nothing(two_months: Any, sample: Any) -> None:
    before = aside(two_months)
    assert before
    two_months.ingest("airports", two_months.file("airports-new.csv", with_more_airports(sample)))
    state = two_months.state()
    found = replay(two_months, "--dry-run")
    assert (found["rows_passing"], found["version"]) == (len(before), None)
    assert (aside(two_months), two_months.state()) == (before, state)


def test_rows_of_one_drop_come_back_and_the_others_stay(two_months: Any) -> None:
    before = aside(two_months)
    drop = before[0][0]
    mine = [row for row in before if row[0] == drop]
    rows = open_snapshot("flights@v2", home=two_months.home).arrow().num_rows
    found = replay(two_months, "--drop", drop[:12], "--rule", RULE)
    assert (found["rows_passing"], found["version"]) == (len(mine), "flights@v3")
    assert aside(two_months) == [row for row in before if row[0] != drop]
    table = open_snapshot("flights@v3", home=two_months.home).arrow()
    assert table.num_rows == rows + len(mine)
    names = list(zip(table["_drop"].to_pylist(), table["_row"].to_pylist(), strict=True))
    assert len(set(names)) == len(names)
    assert set(mine) <= set(names)


def test_version_says_what_it_replayed_and_the_features_follow(two_months: Any) -> None:
    manifest = two_months.manifest("flights", 3)
    assert manifest["source"]["replay_of"] == "flights@v2"
    counts = manifest["aside"]
    assert (
        counts["set_aside"]
        == counts["open"] + counts["replayed"] + counts["discarded"] + counts["superseded"]
    )
    assert (counts["open"], counts["replayed"]) == (len(aside(two_months)), manifest["counts"]["valid"])
    newest = two_months.run("versions", "flight_features", "--json").json[-1]
    assert newest["rows_total"] == manifest["counts"]["after"]
    assert two_months.run("verify", "flights@v3").code == 0
    compared = two_months.run("compare", "flights@v3", "--json").json
    assert (compared["rows"], compared["baseline"]) == (manifest["counts"]["valid"], ["flights@v2"])


def test_discarded_row_never_comes_back_and_says_why(two_months: Any) -> None:
    drop, row = aside(two_months)[0]
    done = two_months.run(
        "discard", "flights", "--drop", drop, "--row", row, "--reason", "no such flight", "--json"
    )
    assert done.json == {"dataset": "flights", "rows": 1, "version": "flights@v4"}
    assert (drop, row) not in aside(two_months)
    assert two_months.manifest("flights", 4)["source"]["reason"] == "no such flight"
    assert (
        two_months.manifest("flights", 4)["content_hash"] == two_months.manifest("flights", 3)["content_hash"]
    )
    compared = two_months.run("compare", "flights@v4", "--full-table", "--json").json
    assert (
        compared["rows"] == compared["baseline_rows"] == two_months.manifest("flights", 3)["counts"]["after"]
    )


def test_all_the_rest_comes_back_once(two_months: Any, sample: Any) -> None:
    rest = aside(two_months)
    found = replay(two_months)
    assert (found["rows_passing"], found["version"]) == (len(rest), "flights@v5")
    state = two_months.state()
    assert replay(two_months)["rows_in"] == 0
    assert (aside(two_months), two_months.state()) == ([], state)
    delivered = len(sample.lines(1)) + len(sample.lines(2)) - 2
    counts = two_months.manifest("flights", 5)["aside"]
    assert (
        open_snapshot("flights@v5", home=two_months.home).arrow().num_rows + counts["discarded"] == delivered
    )
    assert two_months.left_over() == []


def test_replay_is_followed_by_the_features_and_told_to_dagster(two_months: Any) -> None:
    def newest(table: str) -> Any:
        return two_months.run("versions", table, "--json").json[-1]

    assert newest("flight_features")["made_from"] == "flights@v5"
    wrong = two_months.run("rollback", "weather", "--to", "flights@v4", "--reason", "a test")
    assert (wrong.code, "flights@v4 is no version of weather" in wrong.err) == (2, True), wrong
    back = two_months.run("rollback", "flights", "--to", "v4", "--reason", "a test", "--json")
    assert (back.code, back.json["version"], newest("flight_features")["made_from"]) == (
        0,
        "flights@v6",
        "flights@v6",
    )
    assert two_months.run("reprocess", "flights", "--json").code == 0
    assert (newest("flights")["made_by"], newest("flight_features")["made_from"]) == (
        "reprocess",
        "flights@v7",
    )
    with open_instance(two_months.settings) as instance:
        assert [reported_number(instance, table) for table in ("flights", "flight_features")] == [7, 7]
        told = instance.fetch_materializations(AssetKey("flights"), limit=100).records
        hop = HopResult("processed", "flights", Verdict.PASSED, "flights@v7", {}, [])
        report(open_session(two_months.settings), [DropResult("flights", "", (hop,))])
        assert len(instance.fetch_materializations(AssetKey("flights"), limit=100).records) == len(told), (
            "told again of what it knows"
        )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("replay", "flights", "--rule", "no-such-rule"),
            "no open row was quarantined by rule 'no-such-rule'",
        ),
        (("replay", "flight_features"), "is a feature table"),
        (("discard", "flights", "--reason", "x"), "nothing says which rows"),
        (("discard", "flights", "--rule", RULE, "--reason", " "), "needs a reason"),
        (("discard", "flights", "--row", "3", "--reason", "x"), "names no row"),
    ],
)
def test_wrong_call_is_told_and_changes_nothing(
    two_months: Any, arguments: tuple[str, ...], words: str
) -> None:
    state = two_months.state()
    done = two_months.run(*arguments)
    assert (done.code, words in done.err) == (2, True), done
    assert two_months.state() == state
