"""Promises about what was published: conservation by a count of our own, dry runs, versions that stay,
damage that is named.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from lake.server.lifecycle import server_status, stop_server
from lakegate import open_snapshot
from lakegate.home import Home
from tests.support.deliveries.hashes import sha

pytestmark = pytest.mark.server

KEYS = {"airlines": "carrier", "airports": "faa", "planes": "tailnum", "weather": "origin", "flights": "dest"}
"""A text column of each dataset, compared value by value with the delivered record."""


def readable(content: bytes) -> tuple[dict[int, str], int]:
    """Readable records of a delivery by number, and how many records there are;
    counted with the csv module alone.
    """
    header, *lines = [line for line in content.splitlines() if line]
    columns = len(next(csv.reader([header.decode()])))
    found = {}
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode()
            (fields,) = csv.reader([text], strict=True)
        except (UnicodeDecodeError, csv.Error):
            continue
        if len(fields) == columns:
            found[number] = text
    return found, len(lines)


@pytest.fixture(scope="module")
def delivered(lake: Any, sample: Any) -> dict[str, dict[str, bytes]]:
    """Each dataset's drops with their bytes, all of them published:
    besides the stocked home's a spoilt and a clean month.
    """
    lines = list(sample.lines(2))
    lines[5] = lines[5].replace(b"2013,", b"year,", 1)
    lines[15] = b"\xff" + lines[15]
    lines[25] = b'"' + lines[25]
    lines[35] = lines[35].rstrip(b"\r\n") + b",surplus\n"
    lines[45:45] = [b"\n", b"\r\n"]
    flights = [sample.month(1), b"".join(lines), sample.month(3)]
    for number, content in enumerate(flights[1:], start=2):
        lake.ingest("flights", lake.file(f"flights-2013-{number:02}.csv", content))
    found = {
        name: {sha(content): content}
        for name in KEYS
        if name != "flights"
        for content in [sample.reference(name).read_bytes()]
    }
    return found | {"flights": {sha(content): content for content in flights}}


def set_aside(lake: Any, name: str) -> list[dict[str, Any]]:
    """A version's quarantined rows, read from its manifest's files by pyarrow."""
    snapshot = open_snapshot(name, home=lake.home)
    rows: list[dict[str, Any]] = []
    for file in snapshot.manifest.quarantine:
        read = parquet.ParquetFile(Home(Path(lake.home)).blocks / file.physical).read()
        assert read.num_rows == file.rows
        rows += read.to_pylist()
    return rows


@pytest.mark.parametrize("dataset", KEYS)
def test_both_equations_hold_for_every_drop_by_a_count_of_our_own(
    dataset: str, lake: Any, delivered: dict[str, dict[str, bytes]]
) -> None:
    raw = lake.run("versions", f"{dataset}_raw", "--json").json
    assert {item["drop"] for item in raw} == set(delivered[dataset])
    for item in raw:
        content = delivered[dataset][item["drop"]]
        rows, records = readable(content)
        assert (item["rows_valid"], item["rows_unreadable"], item["rows_quarantined"]) == (
            len(rows),
            records - len(rows),
            0,
        )
        assert lake.manifest(f"{dataset}_raw", item["version"])["counts"]["records_in"] == records
        assert sum(lake.manifest(f"{dataset}_raw", item["version"])["notes"]["bytes"].values()) == len(
            content
        )
        with open_snapshot(item["name"], home=lake.home).open() as file:
            assert file.read() == content
    before: Counter[int] = Counter()
    for item in lake.run("versions", dataset, "--json").json:
        rows, _ = readable(delivered[dataset][item["drop"]])
        table = open_snapshot(item["name"], home=lake.home).arrow().to_pylist()
        valid = {row["_row"]: row for row in table if row["_drop"] == item["drop"]}
        aside = {row["_row"]: row for row in set_aside(lake, item["name"]) if row["_drop"] == item["drop"]}
        assert len(table) - before["valid"] == len(valid), "rows after = rows before + inserted"
        assert not valid.keys() & aside.keys()
        assert valid.keys() | aside.keys() == rows.keys(), (
            "records in = valid + quarantined, by record number"
        )
        assert (item["rows_valid"], item["rows_quarantined"], item["rows_total"]) == (
            len(valid),
            len(aside),
            len(table),
        )
        for number, row in aside.items():
            assert row["_record"] == rows[number]
        header = next(csv.reader([delivered[dataset][item["drop"]].splitlines()[0].decode()]))
        for number, row in valid.items():
            (fields,) = csv.reader([rows[number]])
            assert row[KEYS[dataset]] == fields[header.index(KEYS[dataset])]
        counts = lake.manifest(dataset, item["version"])["counts"]
        assert (
            counts["records_in"]
            == counts["valid"] + counts["quarantined"] + counts["unreadable"]
            == len(rows)
        )
        assert counts["after"] == counts["before"] + counts["inserted"] - counts["deleted"] == len(table)
        before["valid"] = len(table)


def test_features_hold_one_row_for_each_row_of_their_flights(
    lake: Any, delivered: dict[str, dict[str, bytes]]
) -> None:
    for number in (1, 2, 3):
        flights = open_snapshot(f"flights@v{number}", home=lake.home).arrow(["_drop", "_row"])
        features = open_snapshot(f"flight_features@v{number}", home=lake.home)
        assert (
            features.arrow().num_rows
            == flights.num_rows
            == lake.manifest("flight_features", number)["counts"]["after"]
        )
        assert {(item.table, item.version) for item in features.parents} >= {
            ("flights", number),
            ("weather", 1),
        }


def summary(results: list[dict[str, Any]], hops: tuple[str, ...] = ("raw", "processed")) -> list[Any]:
    kept = ("hop", "table", "verdict", "rows_in", "rows_valid", "rows_quarantined", "rows_unreadable")
    found = []
    for result in results:
        rules = [
            sorted(tuple(sorted(rule.items())) for rule in hop["rules"])
            for hop in result["hops"]
            if hop["hop"] in hops
        ]
        found.append(
            (
                result["drop"],
                [{key: hop[key] for key in kept} for hop in result["hops"] if hop["hop"] in hops],
                rules,
            )
        )
    return found


@pytest.mark.parametrize(
    "kind",
    [
        "published",
        "spoilt",
        "unchanged",
        "cut gzip",
        "header alone",
        "name taken",
        "over a tenth",
        "replaced",
        "packed",
    ],
)
def test_dry_run_publishes_nothing_and_says_what_the_real_one_will(
    kind: str, lake: Any, sample: Any, delivered: dict[str, dict[str, bytes]]
) -> None:
    spoilt = [
        b"2013,4,x" + line[8:] if number % 50 == 7 else line for number, line in enumerate(sample.lines(5))
    ]
    planes = sample.reference("planes").read_bytes().splitlines(keepends=True)
    dataset, name, content, code = {
        "published": ("flights", "flights-2013-04.csv", sample.month(4), 0),
        "spoilt": ("flights", "flights-2013-05.csv", b"".join(spoilt), 0),
        "unchanged": ("flights", "another.csv", sample.month(1), 0),
        "cut gzip": ("flights", "cut.csv.gz", b"\x1f\x8b\x08\x00", 3),
        "header alone": ("flights", "header.csv", sample.lines(1)[0], 3),
        "name taken": ("flights", "flights-2013-01.csv", sample.month(6), 3),
        "over a tenth": ("airlines", "airlines.csv", b"carrier,name\nAA,American\ntoo long,United\n", 3),
        "replaced": ("planes", "planes.csv", b"".join(planes[:-20]), 0),
        "packed": ("flights", "packed.csv.gz", gzip.compress(sample.month(1), mtime=0), 4),
    }[kind]
    path, before, main = lake.file(f"dry/{name}", content), lake.state(), lake.repository.commit_of("main")
    dry = lake.ingest(dataset, path, code=code, options=("--dry-run",))
    assert lake.state() == before
    assert lake.repository.commit_of("main") == main
    assert kind == "unchanged" or lake.raw(dataset, sha(content)) is None
    assert kind == "unchanged" or lake.ledger(dataset, sha(content)) == []
    assert lake.left_over() == []
    real = lake.ingest(dataset, path, code=code)
    assert summary(dry) == summary(real)
    assert [hop.get("reason") for hop in dry[0]["hops"]] == [
        hop.get("reason") for hop in real[0]["hops"] if hop["hop"] != "features"
    ]
    assert kind == "packed" or not any("no row was taken" in hop.get("reason", "") for hop in real[0]["hops"])
    if kind == "packed":  # other bytes of rows that the table holds
        for told in (real, lake.ingest(dataset, path, code=4)):
            reason = told[0]["hops"][1]["reason"]
            assert reason.startswith(
                f"no row was taken, all {real[0]['hops'][1]['rows_in']} are quarantined by key ("
            )
            assert "Did the same rows come before, in a file of other bytes?" in reason


def read(lake: Any, name: str) -> list[tuple[Any, ...]]:
    return sorted(map(repr, open_snapshot(name, home=lake.home).arrow().to_pylist()))


def test_version_reads_the_same_after_later_ones_exist_and_with_lakefs_down(lake: Any, sample: Any) -> None:
    names = ["flights@v1", "flight_features@v1", "planes@v1"]
    before = {name: (read(lake, name), open_snapshot(name, home=lake.home).manifest) for name in names}
    lake.ingest("flights", lake.file("later/flights-2013-09.csv", sample.month(9)))
    lake.ingest(
        "planes",
        lake.file(
            "later/planes.csv", sample.reference("planes").read_bytes().replace(b"EMBRAER", b"Embraer")
        ),
    )
    assert {
        name: (read(lake, name), open_snapshot(name, home=lake.home).manifest) for name in names
    } == before
    newest = lake.run("versions", "planes", "--json").json[-1]["name"]
    later = read(lake, newest)
    assert later != before["planes@v1"][0]
    stop_server(lake.settings.home)
    assert {
        name: (read(lake, name), open_snapshot(name, home=lake.home).manifest) for name in names
    } == before
    assert read(lake, newest) == later
    assert server_status(lake.settings.home).state != "running", "reading started a server"
