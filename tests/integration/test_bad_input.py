"""Bad input: each with a clear message and the right exit code, everything else untouched, the delivery kept."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lake.server.lifecycle import stop_server
from tests.support.places import ROOT

pytestmark = pytest.mark.server

TAKEN = "flights-2013-01.csv"
"""The name of the drop that the stocked home has published."""


def without_column(lines: list[bytes], position: int) -> bytes:
    return b"".join(
        b",".join(field for index, field in enumerate(line.split(b",")) if index != position)
        for line in lines
    )


def with_column(lines: list[bytes]) -> bytes:
    return b"".join(
        line.rstrip(b"\r\n") + b"," + (b"0" if index else b"surplus") + b"\n"
        for index, line in enumerate(lines)
    )


def half_a_gzip(lines: list[bytes]) -> bytes:
    packed = gzip.compress(b"".join(lines), mtime=0)
    return packed[: len(packed) // 2]


def half_a_zip(lines: list[bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("flights.csv", b"".join(lines))
    return packed.getvalue()[: len(packed.getvalue()) // 2]


def bomb(lines: list[bytes]) -> bytes:
    return gzip.compress(b"".join(lines) + b"0" * (192 * 1024**2), 6, mtime=0)


def million_columns(_: list[bytes]) -> bytes:
    return b",".join(b"column%d" % number for number in range(10**6)) + b"\n" + b"0," * (10**6 - 1) + b"0\n"


BLOCKED: dict[str, tuple[str, Callable[[list[bytes]], bytes], tuple[str, ...]]] = {
    "a missing column": (
        "missing.csv",
        lambda lines: without_column(lines, 3),
        ("missing: dep_time", "compare the header"),
    ),
    "a missing column that rules ask": (
        "unasked.csv",
        lambda lines: without_column(lines, 12),
        ("missing: origin", "compare the header"),
    ),
    "an extra column": ("extra.csv", with_column, ("unexpected: surplus", "compare the header")),
    "a truncated gzip": ("cut.csv.gz", half_a_gzip, ("the gzip is truncated", "deliver it again")),
    "a truncated zip": ("cut.csv.zip", half_a_zip, ("the zip is damaged or truncated", "deliver it again")),
    "an empty file": ("empty.csv", lambda _: b"", ("is the file empty", "0 records", "ask the sender")),
    "a header alone": ("header.csv", lambda lines: lines[0], ("0 records", "ask the sender")),
    "a binary file named .csv": (
        "picture.csv",
        lambda _: b"\x89PNG\r\n\x1a\n" + random.Random(7).randbytes(4000),
        ("it looks like a PNG image", "deliver delimited text"),
    ),
    "a gzip bomb": ("bomb.csv.gz", bomb, ("decompression bombs", "deliver it uncompressed")),
    "a header of a million columns": (
        "wide.csv",
        million_columns,
        ("the header is", "bytes long", "deliver delimited text"),
    ),
}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def broken(result: dict[str, Any]) -> set[str]:
    return {
        rule["rule"]
        for hop in result["hops"]
        for rule in hop["rules"]
        if rule["failed"] and rule["severity"] == "block"
    }


@pytest.mark.parametrize("kind", BLOCKED)
def test_blocked_with_a_clear_message_and_all_else_untouched(kind: str, lake: Any, sample: Any) -> None:
    name, spoil, words = BLOCKED[kind]
    content = spoil(sample.lines(2))
    path, before = lake.file(name, content), lake.state()
    done = lake.run("ingest", "flights", path, "--json")
    assert done.code == 3, done
    result = done.one
    assert (result["dataset"], result["drop"], result["verdict"]) == ("flights", sha(content), "blocked")
    (hop,) = result["hops"]
    assert (hop["hop"], hop["verdict"], hop["version"]) == ("raw", "blocked", None)
    assert broken(result), "no rule says why"
    assert f"{name}: blocked: " in done.err
    for word in words:
        assert word in done.err
        assert word in hop["reason"]
    assert "Traceback" not in done.err
    assert lake.state() == before
    assert lake.left_over() == []
    assert lake.raw("flights", sha(content)) == content
    assert path.read_bytes() == content
    (record,) = lake.ledger("flights", sha(content))
    assert record["state"] == "blocked"
    failed = {
        item["expectation_config"]["meta"]["lakegate"]["rule"]
        for item in record["report"]["results"]
        if not item["success"]
    }
    assert failed == broken(result)
    assert record["suite"]["expectations"]


def test_the_name_of_a_published_drop_with_other_bytes_is_blocked_on_an_append_table(
    lake: Any, sample: Any
) -> None:
    content = b"".join(sample.lines(1)[:-1])
    before = lake.state()
    done = lake.run("ingest", "flights", lake.file(f"again/{TAKEN}", content), "--json")
    assert done.code == 3, done
    assert [(hop["table"], hop["verdict"]) for hop in done.one["hops"]] == [
        ("flights_raw", "passed"),
        ("flights", "blocked"),
    ]
    assert f"a published drop was delivered as {TAKEN} with other bytes" in done.err
    assert (
        "Deliver it under a name of its own where its rows are further ones, or by `lakegate ingest flights FILE --supersede`"
        in done.err
    )
    assert "contract" not in done.err
    after = lake.state()
    for part in ("tags", "heads", "keeps"):  # what was read well is a version of raw; nothing else moved
        assert {key: value for key, value in after[part].items() if "flights_raw" not in key} == {
            key: value for key, value in before[part].items() if "flights_raw" not in key
        }
    assert lake.left_over() == []
    assert lake.raw("flights", sha(content)) == content
    assert [
        record["state"] for record in lake.ledger("flights", sha(content)) if record["table"] == "flights"
    ] == ["blocked"]


@pytest.mark.parametrize(("name", "table"), [("repeat.csv", "flights_raw"), (TAKEN, "flights")])
def test_a_blocked_verdict_is_repeated_without_the_work_until_again_is_asked(
    name: str, table: str, lake: Any, sample: Any
) -> None:
    lines = sample.lines(1)[:-2]
    content = without_column(lines, 4) if table == "flights_raw" else b"".join(lines)
    path = lake.file(f"repeat/{name}", content)

    def verdicts() -> int:
        return sum(record["state"] == "blocked" for record in lake.ledger("flights", sha(content)))

    first = lake.ingest("flights", path, code=3)
    assert verdicts() == 1
    main = lake.repository.commit_of("main")
    again = lake.ingest("flights", path, code=3)
    assert verdicts() == 1, "it was judged again"
    assert lake.repository.commit_of("main") == main
    assert [hop["rules"] for hop in again[0]["hops"]] == [hop["rules"] for hop in first[0]["hops"]]
    assert again[0]["hops"][-1]["reason"] == first[0]["hops"][-1]["reason"]
    lake.ingest("flights", path, code=3, options=("--force",))
    assert verdicts() == 2
    assert lake.left_over() == []


@pytest.fixture(scope="module")
def spoilt(lake: Any, sample: Any) -> dict[str, Any]:
    """February with text in a number, an invalid UTF-8 record, a ragged row and two quotes that never close; as published."""
    lines = list(sample.lines(2))
    lines[10] = lines[10].replace(b"2013,2,", b"2013,two,", 1)
    lines[20] = lines[20].replace(b"EWR", b"E\xffR").replace(b"LGA", b"L\xffA").replace(b"JFK", b"J\xffK")
    lines[30] = lines[30].replace(b",", b"", 1)
    lines[40] = b'"' + lines[40]
    fields = lines[50].split(b",")
    lines[50] = b",".join([*fields[:11], b'"' + fields[11], *fields[12:]])
    content = b"".join(lines)
    done = lake.run("ingest", "flights", lake.file("spoilt.csv", content), "--json")
    return {"done": done, "content": content, "lines": lines}


def test_bad_records_are_counted_and_the_rest_is_published(lake: Any, spoilt: dict[str, Any]) -> None:
    assert spoilt["done"].code == 0, spoilt["done"]
    raw, processed, features = spoilt["done"].one["hops"]
    records = len(spoilt["lines"]) - 1
    assert (raw["rows_in"], raw["rows_unreadable"], raw["rows_valid"]) == (records, 4, records - 4)
    assert processed["rows_in"] == records - 4 == processed["rows_valid"] + processed["rows_quarantined"]
    assert features["verdict"] == "passed"
    assert lake.left_over() == []
    assert lake.raw("flights", sha(spoilt["content"])) == spoilt["content"]


def test_text_in_a_number_costs_its_own_row_set_aside_with_its_record(
    lake: Any, spoilt: dict[str, Any]
) -> None:
    listed = lake.run("quarantine", "flights", "--json").json
    (row,) = [
        item for item in listed if item["drop"] == sha(spoilt["content"]) and "type:month" in item["rules"]
    ]
    assert (row["row"], row["file"]) == (10, "spoilt.csv")
    assert row["record"] == spoilt["lines"][10].decode().rstrip("\r\n")


@pytest.mark.parametrize(
    ("row", "reason"), [(20, "encoding"), (30, "fields"), (40, "open_quote"), (50, "open_quote")]
)
def test_an_unreadable_record_costs_itself_and_no_neighbour(
    row: int, reason: str, lake: Any, spoilt: dict[str, Any]
) -> None:
    number = spoilt["done"].one["hops"][0]["version"]
    evidence = lake.repository.get_json("main", f"_lakegate/evidence/flights_raw/v{number}.json")
    found = {item["row"]: item for item in evidence["unreadable"]}
    assert sorted(found) == [20, 30, 40, 50]
    assert found[row]["reason"] == reason
    cut = spoilt["content"][found[row]["start"] : found[row]["end"]]
    assert cut == spoilt["lines"][row].rstrip(b"\r\n")

    from lakegate import open_snapshot

    rows = (
        open_snapshot(spoilt["done"].one["hops"][1]["name"], home=lake.home)
        .arrow(["_drop", "_row"])
        .to_pylist()
    )
    there = {item["_row"] for item in rows if item["_drop"] == sha(spoilt["content"])}
    aside = {
        item["row"]
        for item in lake.run("quarantine", "flights", "--json").json
        if item["drop"] == sha(spoilt["content"])
    }
    assert row not in there | aside
    assert {row - 1, row + 1} <= there | aside


def test_the_same_bytes_are_unchanged_twice_and_under_another_name(lake: Any, sample: Any) -> None:
    before = lake.state()
    for name in (TAKEN, "other-name.csv"):
        (result,) = lake.ingest("flights", lake.file(f"same/{name}", sample.month(1)))
        assert result["verdict"] == "unchanged"
        assert [hop["version"] for hop in result["hops"]] == [1, 1]
    for dataset in ("airlines", "planes"):
        assert (
            lake.ingest(dataset, lake.file(f"same/{dataset}-2.csv", sample.reference(dataset).read_bytes()))[
                0
            ]["verdict"]
            == "unchanged"
        )
    assert lake.state() == before
    assert lake.left_over() == []


def copied_project(folder: Path) -> Path:
    """The project's contracts, suites and SQL, to be spoilt."""
    for name in ("catalog", "expectations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def test_a_misspelt_key_in_a_contract_names_file_and_line_and_stops_nobody_else(
    lake: Any, sample: Any, tmp_path: Path
) -> None:
    copied_project(tmp_path)
    contract = tmp_path / "catalog/contracts/planes.odcs.yaml"
    text = contract.read_text()
    line = 1 + text[: text.index("primaryKey:")].count("\n")
    contract.write_text(text.replace("primaryKey:", "primariKey:", 1))
    before, spoilt_project = lake.state(), replace(lake, settings=replace(lake.settings, project=tmp_path))
    done = spoilt_project.run("ingest", "planes", sample.reference("planes"), "--json")
    assert done.code == 2, done
    assert done.out == ""
    assert f"planes.odcs.yaml:{line}" in done.err
    assert "primariKey" in done.err
    assert "primaryKey" in done.err.replace("primariKey", ""), "it doesn't say what to write"
    assert spoilt_project.ingest("airlines", sample.reference("airlines"))[0]["verdict"] == "unchanged"
    assert lake.state() == before


def test_a_broken_suite_of_a_feature_stops_the_feature_alone_until_it_is_mended(
    lake: Any, sample: Any, tmp_path: Path
) -> None:
    suite = copied_project(tmp_path) / "expectations/suites/flight_features.json"
    suite.parent.mkdir(exist_ok=True)
    suite.write_text(
        '{"name": "flight_features",\n "expectations": [{"type": "expect_nonsense", "kwargs": {}, "severity": "critical"}]}'
    )
    spoilt_project = replace(lake, settings=replace(lake.settings, project=tmp_path))
    path = lake.file("flights-2013-10.csv", sample.month(10))
    done = spoilt_project.run("ingest", "flights", path, "--json")
    assert done.code == 2, done
    assert [(hop["table"], hop["version"] is not None) for hop in done.one["hops"]] == [
        ("flights_raw", True),
        ("flights", True),
    ]
    assert "flight_features.json:2" in done.err
    assert "expect_nonsense" in done.err
    (mended,) = lake.ingest("flights", path)
    assert [(hop["table"], hop["verdict"]) for hop in mended["hops"]] == [
        ("flights_raw", "unchanged"),
        ("flights", "unchanged"),
        ("flight_features", "passed"),
    ]
    assert lake.left_over() == []


def test_a_feature_whose_contract_is_broken_is_named_by_an_ingest(
    lake: Any, sample: Any, tmp_path: Path
) -> None:
    contract = copied_project(tmp_path) / "catalog/contracts/flight_features.odcs.yaml"
    contract.write_text(contract.read_text().replace("value: flight_features.sql", "value: nowhere.sql"))
    spoilt_project = replace(lake, settings=replace(lake.settings, project=tmp_path))
    done = spoilt_project.run("ingest", "planes", sample.reference("planes"), "--json")
    assert done.code == 0, done
    assert "left out: flight_features, whose contract or SQL has a mistake" in done.err
    clean = spoilt_project.run("expire", "--dry-run")
    assert "left out: flight_features, whose contract or SQL has a mistake" in clean.err
    assert "the project has no contract of it that can be used, so nothing ends it" in clean.out


def test_a_suite_of_no_table_is_named_wherever_its_rules_are_not_asked(
    lake: Any, sample: Any, tmp_path: Path
) -> None:
    suites = copied_project(tmp_path) / "expectations/suites"
    suites.mkdir(parents=True, exist_ok=True)
    (suites / "planes.procesed.json").write_text("{}")
    spoilt_project = replace(lake, settings=replace(lake.settings, project=tmp_path))
    for verb in (
        ("ingest", "planes", sample.reference("planes"), "--json"),
        ("plan", "planes"),
        ("expire", "--dry-run"),
    ):
        done = spoilt_project.run(*verb)
        assert done.code == 0, done
        assert "left out: the rules of planes.procesed.json: " in done.err, verb
        assert "planes.processed" in done.err, verb


def test_an_unknown_dataset_takes_nothing_in(lake: Any, sample: Any) -> None:
    main = lake.repository.commit_of("main")
    done = lake.run("ingest", "flightz", sample.reference("planes"), "--json")
    assert (done.code, done.out) == (2, "")
    assert "unknown dataset 'flightz'" in done.err
    assert "'flights'" in done.err
    assert lake.repository.commit_of("main") == main


@pytest.mark.parametrize("kind", ["link", "folder", "absent"])
def test_what_is_no_plain_file_takes_nothing_in_not_even_the_good_one_beside_it(
    kind: str, lake: Any, sample: Any
) -> None:
    good = lake.file("good.csv", sample.month(3))
    link = lake.files / "link.csv"
    if not link.is_symlink():
        link.symlink_to(good)
    bad = {"link": link, "folder": lake.files, "absent": lake.files / "absent.csv"}[kind]
    main = lake.repository.commit_of("main")
    done = lake.run("ingest", "flights", good, bad, "--json")
    assert (done.code, done.out) == (2, ""), done
    words = {"link": "symbolic link", "folder": "not a regular file", "absent": "can't be read"}
    assert str(bad) in done.err
    assert words[kind] in done.err
    assert "->" in done.err
    assert lake.repository.commit_of("main") == main
    assert lake.raw("flights", sha(sample.month(3))) is None
    assert lake.left_over() == []


def test_exit_codes_and_streams_are_those_of_the_real_process(lake: Any, sample: Any, tmp_path: Path) -> None:
    """A blocked drop, and a home below a regular file: a process each. Afterwards the good home works as before."""
    file = tmp_path / "file"
    file.write_text("not a folder")
    path = lake.file("process.csv", without_column(sample.lines(4), 2))

    def lakegate(home: Path) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "cli.main",
            "ingest",
            "flights",
            str(path),
            "--json",
            "--home",
            str(home),
        ]
        return subprocess.run(
            command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=300
        )

    refused = lakegate(file / "home")
    assert (refused.returncode, refused.stdout) == (1, ""), refused
    assert "the home folder can't be written" in refused.stderr
    assert str(file / "home") in refused.stderr
    assert "--home" in refused.stderr
    assert "Traceback" not in refused.stderr
    blocked = lakegate(lake.home)
    assert blocked.returncode == 3, blocked
    assert blocked.stdout.count("\n") == 1
    assert '"verdict": "blocked"' in blocked.stdout
    assert "process.csv: blocked: " in blocked.stderr
    assert lake.ingest("flights", lake.file(f"works/{TAKEN}", sample.month(1)))[0]["verdict"] == "unchanged"


def test_a_port_in_use_makes_it_take_another(lake: Any, sample: Any) -> None:
    port = urlsplit(lake.repository.endpoint.url).port
    stop_server(lake.settings.home)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert lake.ingest("airlines", sample.reference("airlines"))[0]["verdict"] == "unchanged"
        assert urlsplit(lake.repository.endpoint.url).port != port
