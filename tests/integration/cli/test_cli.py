"""The command line: the shapes of its JSON, what it tells a person, a lake of the user's own,
and discretion.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.deliveries.hashes import sha

pytestmark = pytest.mark.server


def shape(item: dict[str, Any], kinds: dict[str, Any]) -> None:
    for key, kind in kinds.items():
        assert isinstance(item[key], kind), (key, item[key])
        assert not (kind is int and isinstance(item[key], bool))


def test_ingest_prints_the_shape_that_machines_rely_on(lake: Any, sample: Any) -> None:
    done = lake.run("ingest", "flights", lake.file("flights-2013-02.csv", sample.month(2)), "--json")
    assert done.code == 0, done
    result = done.one
    assert set(result) == {"dataset", "drop", "verdict", "hops"}
    assert (result["dataset"], result["drop"], result["verdict"]) == (
        "flights",
        sha(sample.month(2)),
        "quarantined",
    )
    assert [(hop["hop"], hop["table"], hop["version"]) for hop in result["hops"]] == [
        ("raw", "flights_raw", 2),
        ("processed", "flights", 2),
        ("features", "flight_features", 2),
    ]
    rows = dict.fromkeys(("rows_in", "rows_valid", "rows_quarantined", "rows_unreadable"), int)
    for hop in result["hops"]:
        shape(hop, {"hop": str, "table": str, "verdict": str, "version": int, "rules": list, **rows})
        assert hop["rules"]
        for rule in hop["rules"]:
            assert set(rule) == {"rule", "family", "severity", "failed"}
            shape(rule, {"rule": str, "family": str, "severity": str, "failed": int})
            assert rule["severity"] in {"warn", "trigger", "quarantine", "hold", "block"}
            assert rule["family"] in {
                "schema",
                "range",
                "distribution",
                "duplicate",
                "temporal",
                "consistency",
            }


def test_versions_prints_the_shape_that_machines_rely_on_oldest_first(lake: Any, sample: Any) -> None:
    for table in ("flights_raw", "flights", "flight_features", "planes"):
        listed = lake.run("versions", table, "--json").json
        assert [item["version"] for item in listed] == list(range(1, len(listed) + 1))
        for item in listed:
            text = dict.fromkeys(
                ("table", "name", "commit", "published_at", "drop", "content_hash", "made_by", "made_from"),
                str,
            )
            rows = dict.fromkeys(
                ("version", "rows_valid", "rows_quarantined", "rows_unreadable", "rows_total"), int
            )
            assert set(item) == {*text, *rows, "expired"}
            shape(item, {**text, **rows, "expired": bool})
            assert item["made_by"] == ("inputs" if table == "flight_features" else "drop")
            assert item["name"] == f"{table}@v{item['version']}"
            assert item["commit"] == lake.repository.commit_of(f"{table}.v{item['version']}")
    unknown = lake.run("versions", "flightz", "--json")
    assert (unknown.code, unknown.out) == (2, "")
    assert "flight_features" in unknown.err


def test_quarantine_prints_the_shape_that_machines_rely_on(lake: Any, sample: Any) -> None:
    listed = lake.run("quarantine", "flights", "--json").json
    assert listed
    lines = sample.lines(1)
    for item in listed:
        assert set(item) == {"drop", "file", "row", "rules", "record"}
        shape(item, {"drop": str, "file": str, "row": int, "rules": list, "record": str})
        if item["drop"] == sha(sample.month(1)):
            assert item["file"] == "flights-2013-01.csv"
            assert item["record"] == lines[item["row"]].decode().rstrip("\r\n")
    assert lake.run("quarantine", "planes", "--json").json == []
    assert lake.run("quarantine", "flight_features", "--json").code == 2


def test_person_sees_a_line_for_each_hop_and_results_alone_go_to_stdout(lake: Any, sample: Any) -> None:
    done = lake.run("ingest", "flights", lake.file("flights-2013-01.csv", sample.month(1)))
    assert (done.code, done.out) == (0, ""), done
    for word in ("flights-2013-01.csv", "flights_raw@v1", "flights@v1", "unchanged"):
        assert word in done.err
    blocked = lake.run("ingest", "flights", lake.file("cut.csv.gz", b"\x1f\x8b\x08\x00"))
    assert (blocked.code, blocked.out) == (3, ""), blocked
    assert "cut.csv.gz: the gzip is truncated" in blocked.err
    listed = lake.run("versions", "flights")
    assert listed.code == 0
    assert "flights@v1" in listed.out
    assert ("made by" in listed.out, "state" in listed.out) == (True, False), "nothing expired"


def test_feature_table_takes_no_delivery(lake: Any, sample: Any) -> None:
    for options in ((), ("--dry-run",)):
        done = lake.run("ingest", "flight_features", lake.file("features.csv", sample.month(1)), *options)
        assert (done.code, done.out) == (2, "")
        assert "flight_features is a feature table" in done.err


@pytest.mark.parametrize(
    "arguments", [("ingest", "flights"), ("versions",), ("nonsense",), ("ingest", "--nonsense"), ("verify",)]
)
def test_wrong_call_ends_with_2_and_says_why(arguments: tuple[str, ...], command_line: Any) -> None:
    done = command_line(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.strip()
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "verb", ["ingest", "versions", "quarantine", "verify", "up", "down", "status", "init"]
)
def test_each_verb_has_help(verb: str, command_line: Any) -> None:
    done = command_line(verb, "--help")
    assert done.code == 0
    assert "Usage: " in done.out
    assert "--json" in done.out
