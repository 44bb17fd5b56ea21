"""Columns that nobody announced, through a lake: published, kept with their rows, given back by a replay,
and shown to nobody.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from lakegate import open_snapshot
from tests.integration.conftest import Open
from tests.support.catalog.unannounced_columns import NEEDLE, READINGS, RIDES, contract
from tests.support.commands.command_line import Lake

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def rides(open_lake: Open, empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    project = tmp_path_factory.mktemp("project")
    (project / "catalog" / "contracts").mkdir(parents=True)
    lake = open_lake(empty_home, project=project)
    contract(lake, "9")
    return lake


def kept(lake: Lake, version: str) -> dict[str, str | None]:
    table = open_snapshot(version, home=lake.home).arrow(["ride", "_rescued"])
    return dict(zip(table["ride"].to_pylist(), table["_rescued"].to_pylist(), strict=True))


def test_unexpected_columns_are_kept_with_their_rows_and_come_back_with_a_replay(rides: Lake) -> None:
    rides.ingest("rides", rides.file("plain.csv", b"ride,size,extras\na,1,\n"))
    out = io.StringIO()
    seats = [
        {"seat": 1, "mail": f"{NEEDLE}@x"},
        None,
        {"seat": 2},
        {"seat": f"{NEEDLE}"},
        {"mail": "", "x": 1},
    ]
    rows = [
        (f'{NEEDLE}, "x"', "b", 1, "red"),
        ("", "c", 2, ""),
        (NEEDLE, "d", 70, "blue"),
        ("", "e", 3, ""),
        ("", "f", 4, ""),
    ]
    written = [[*row, json.dumps(extras) if extras else ""] for row, extras in zip(rows, seats, strict=True)]
    csv.writer(out).writerows([["note", "ride", "size", "colour", "extras"], *written])
    raw, processed = rides.ingest("rides", rides.file("more.csv", out.getvalue().encode()))[0]["hops"]
    assert [(rule["rule"], rule["failed"]) for rule in raw["rules"] if rule["failed"]] == [
        ("unexpected-columns", 2)
    ]
    assert (raw["verdict"], processed["verdict"], processed["rows_quarantined"]) == (
        "passed",
        "quarantined",
        3,
    )
    assert [(rule["rule"], rule["failed"]) for rule in processed["rules"] if rule["failed"]] == [
        ("unexpected:extras", 1),
        ("required:extras.seat", 1),
        ("type:extras.seat", 1),
        ("size", 1),
    ]
    aside = {
        row["row"]: (row["rules"], row["record"]) for row in rides.run("quarantine", "rides", "--json").json
    }
    assert {row: rules for row, (rules, _) in aside.items()} == {
        3: ["size"],
        4: ["type:extras.seat"],
        5: ["required:extras.seat"],
    }
    assert [
        word
        for word in (NEEDLE, "blue", "mail", "seat")
        if word in str([record for _, record in aside.values()])
    ] == []
    assert ",d,70," in aside[3][1]
    first = {
        "a": None,
        "b": json.dumps({"colour": "red", "note": f'{NEEDLE}, "x"'}, separators=(",", ":")),
        "c": None,
    }
    assert kept(rides, "rides@v2") == first
    evidence = [
        item.path
        for item in rides.repository.listing("rides_raw.v2", "_lakegate/")
        if "rides_raw" in item.path
    ]
    told = b"unexpected: note, colour; kept in _rescued of 2 rows"
    assert any(told in (rides.repository.get("rides_raw.v2", path) or b"") for path in evidence)
    asked = rides.run("replay", "rides", "--rule", "type:extras.seat", "--dry-run", "--json").json
    assert (
        asked["rows_in"],
        asked["still_broken"]["type:extras.seat"],
        sum(asked["still_broken"].values()),
    ) == (1, 1, 1)
    contract(rides, "99")
    assert rides.run("replay", "rides", "--json").json["rows_passing"] == 1
    assert kept(rides, "rides@v3") == first | {
        "d": json.dumps({"colour": "blue", "note": NEEDLE}, separators=(",", ":"))
    }
    assert rides.run("verify", "rides@v3").code == 0


def test_replay_onto_a_table_without_the_column_is_refused_by_name(rides: Lake) -> None:
    path = rides.settings.project / "catalog" / "contracts" / "trams.odcs.yaml"
    trams = RIDES.replace("rides", "trams").replace("value: append", "value: replace").replace("LARGEST", "9")
    path.write_text(trams.replace("value: rescue", "value: ignore"))
    rows = "".join(f"r{number},1,\n" for number in range(20))
    rides.ingest("trams", rides.file("trams.csv", f"ride,size,extras\n{rows}b,70,\n".encode()))
    path.write_text(trams)
    refused = rides.run("replay", "trams")
    assert (refused.code, "_rescued is new" in refused.err, "next delivery" in refused.err) == (2, True, True)
    assert "unexpectedColumns: rescue" in refused.err


def test_rescued_values_stand_in_data_files_and_nowhere_else(rides: Lake) -> None:
    logs = [item.path for item in rides.repository.listing("main", "") if item.path.endswith(".json")]
    assert any("_delta_log" in path for path in logs)
    assert [path for path in logs if NEEDLE.encode() in (rides.repository.get("main", path) or b"")] == []
    places = [
        path
        for path in rides.home.rglob("*")
        if path.is_file() and (path.suffix in (".log", ".json") or "manifests" in path.parts)
    ]
    assert places
    assert [path for path in places if NEEDLE.encode() in path.read_bytes()] == []


def test_columns_under_headers_that_are_no_names_are_judged_ordered_shown_and_given_back(rides: Lake) -> None:
    path = rides.settings.project / "catalog" / "contracts" / "readings.odcs.yaml"
    path.write_text(READINGS.replace("LARGEST", "9"))
    file = rides.file("readings.csv", f"Nr.,CO(GT),E-Mail,\n1,2.5,a@b,\n2,70,{NEEDLE},\n".encode())
    answer = rides.run("ingest", "readings", file, "--json")
    assert answer.code == 0, answer.err
    raw, processed = answer.one["hops"]
    assert (raw["verdict"], processed["rows_valid"], processed["rows_quarantined"]) == ("passed", 1, 1)
    (aside,) = rides.run("quarantine", "readings", "--json").json
    assert (aside["rules"], aside["record"]) == (["co"], "2,70,***,")
    # The sender writes the header otherwise from now on; the row that was set aside is read as it was
    # delivered.
    path.write_text(READINGS.replace("LARGEST", "99").replace("CO(GT)", "CO in mg"))
    assert rides.run("replay", "readings", "--json").json["rows_passing"] == 1
    table = open_snapshot("readings@v2", home=rides.home).arrow(["reading", "co_gt", "mail"])
    assert sorted(table.to_pylist(), key=lambda row: row["reading"]) == [
        {"reading": 1, "co_gt": 2.5, "mail": "a@b"},
        {"reading": 2, "co_gt": 70.0, "mail": NEEDLE},
    ]
    refused = rides.run("ingest", "readings", rides.file("later.csv", b"Nr.,CO(GT),E-Mail\n3,1,a@b\n"))
    assert refused.code == 3
    assert "missing: 'CO in mg'" in refused.err + refused.out
    assert "unexpected: 'CO(GT)'" in refused.err + refused.out


def test_table_without_a_key_takes_rows_that_repeat_sets_aside_and_gives_back(rides: Lake) -> None:
    path = rides.settings.project / "catalog" / "contracts" / "pings.odcs.yaml"
    text = (
        RIDES.replace("rides", "pings")
        .replace(", required: true, primaryKey: true, primaryKeyPosition: 1", "")
        .replace("rescue", "refuse")
    )
    path.write_text(text.replace("LARGEST", "9"))
    rides.file(
        "pings/first.csv",
        b'ride,size,extras\na,1,"{""seat"": 1}"\na,1,"{""seat"": 1}"\nb,70,"{""seat"": 2}"\n',
    )
    (rides.files / "elsewhere").mkdir()
    answer = rides.run("ingest", "pings", "../pings/first.csv", "--json", folder=rides.files / "elsewhere")
    assert answer.code == 0, answer.err
    assert [(hop["rows_valid"], hop["rows_quarantined"]) for hop in answer.one["hops"]] == [(3, 0), (2, 1)]
    path.write_text(text.replace("LARGEST", "99"))
    assert rides.run("replay", "pings", "--json").json["rows_passing"] == 1
    rides.ingest("pings", rides.file("pings/second.csv", b'ride,size,extras\na,1,"{""seat"": 1}"\n'))
    table = open_snapshot("pings@v3", home=rides.home).arrow(["ride", "size"])
    assert sorted(map(tuple, zip(*table.to_pydict().values(), strict=True))) == [
        ("a", 1),
        ("a", 1),
        ("a", 1),
        ("b", 70),
    ]
    assert rides.run("verify", "pings@v3").code == 0
    # A column that the table hasn't: each drop is stopped alike, which is told once, with the files.
    path.write_text(
        path.read_text().replace(
            "      - {name: size", "      - {name: colour, logicalType: string}\n      - {name: size"
        )
    )
    files = [
        rides.file(f"pings/{name}.csv", b"ride,colour,size,extras\n" + name.encode() + b",red,1,\n")
        for name in ("third", "fourth")
    ]
    stopped = rides.run("ingest", "pings", *files)
    assert (
        stopped.code,
        stopped.err.count("the contract's columns are not those of pings@v3: colour is new"),
    ) == (2, 1)
    assert "error: pings: third.csv, fourth.csv: " in stopped.err
