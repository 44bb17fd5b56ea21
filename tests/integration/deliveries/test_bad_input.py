"""Bad input: each with a clear message and the right exit code, everything else untouched,
the delivery kept.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lake.server.lifecycle import stop_server
from tests.support.deliveries.broken_files import (
    bomb,
    broken,
    half_a_gzip,
    half_a_zip,
    million_columns,
    with_column,
    without_column,
)
from tests.support.deliveries.hashes import sha
from tests.support.places import ROOT

pytestmark = pytest.mark.server

TAKEN = "flights-2013-01.csv"
"""The name of the drop that the stocked home has published."""

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


@pytest.mark.parametrize("kind", BLOCKED)
def test_bad_file_is_blocked_with_a_clear_message_and_all_else_untouched(
    kind: str, lake: Any, sample: Any
) -> None:
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


def test_name_of_a_published_drop_with_other_bytes_is_blocked_on_an_append_table(
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
        "Deliver it under a name of its own where its rows are further ones, or by `lakegate ingest "
        "flights FILE --supersede`" in done.err
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
def test_blocked_verdict_is_repeated_without_the_work_until_again_is_asked(
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


def test_same_bytes_are_unchanged_twice_and_under_another_name(lake: Any, sample: Any) -> None:
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


def test_unknown_dataset_takes_nothing_in(lake: Any, sample: Any) -> None:
    main = lake.repository.commit_of("main")
    done = lake.run("ingest", "flightz", sample.reference("planes"), "--json")
    assert (done.code, done.out) == (2, "")
    assert "unknown dataset 'flightz'" in done.err
    assert "'flights'" in done.err
    assert lake.repository.commit_of("main") == main


@pytest.mark.parametrize("kind", ["link", "folder", "absent"])
def test_path_that_is_no_plain_file_takes_nothing_in_not_even_the_good_one_beside_it(
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
    """A blocked drop, and a home below a regular file: a process each.
    Afterwards the good home works as before.
    """
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


def test_port_in_use_makes_it_take_another(lake: Any, sample: Any) -> None:
    port = urlsplit(lake.repository.endpoint.url).port
    stop_server(lake.settings.home)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert lake.ingest("airlines", sample.reference("airlines"))[0]["verdict"] == "unchanged"
        assert urlsplit(lake.repository.endpoint.url).port != port
