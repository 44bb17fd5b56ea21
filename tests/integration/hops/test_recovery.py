"""What a dead attempt, a second process or a second delivery must not do: double, lose,
or leave a version without its name.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands.started import Started
from tests.support.places import ROOT

pytestmark = pytest.mark.server
ROWS = 20


def airlines(*names: str) -> bytes:
    """A full delivery of as many rows as any other here, of which these are the first."""
    every, out = [*names, *(f"airline {index}" for index in range(len(names), ROWS))], io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [
            ("carrier", "name"),
            *[(f"{chr(65 + index)}{chr(65 + index)}", name) for index, name in enumerate(every)],
        ]
    )
    return out.getvalue().encode()


def versions(lake: Any, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = lake.run("versions", table, "--json").json
    return found


def started(lake: Any, dataset: str, path: Path, plan: dict[str, Any]) -> Started:
    """An ingest in a process of its own."""
    arguments = ["ingest", dataset, str(path), "--home", str(lake.home), "--project", str(ROOT), "--json"]
    return Started(plan, arguments, os.environ | {"PYTHONPATH": str(ROOT)})


def killed(lake: Any, dataset: str, table: str, step: str, path: Path) -> None:
    lake.repository.commit_of("main")
    process = started(lake, dataset, path, {"table": table, "step": step, "occurrence": 1, "does": "kill"})
    _, told = process.communicate(timeout=180)
    assert process.returncode == -9, told[-2000:]


@pytest.fixture(scope="module")
def fresh(open_lake: Any, empty_home: Any) -> Any:
    return open_lake(empty_home)


def test_same_command_twice_publishes_nothing_the_second_time(fresh: Any) -> None:
    first, second = (fresh.file(f"airlines-{name}.csv", airlines(name)) for name in ("one", "two"))
    assert [result["hops"][1]["version"] for result in fresh.ingest("airlines", first, second)] == [1, 2]
    before = fresh.state()
    assert [result["verdict"] for result in fresh.ingest("airlines", first, second)] == [
        "unchanged",
        "unchanged",
    ]
    assert fresh.state() == before
    assert fresh.repository.listing("main", "_lakegate/pending/") == []


def test_full_delivery_that_comes_anew_is_published_again_and_holds_last(fresh: Any) -> None:
    again = fresh.file("delivered-anew/airlines-one.csv", airlines("one"))
    (result,) = fresh.ingest("airlines", again)
    assert result["hops"][1]["version"] == 3
    assert versions(fresh, "airlines")[2]["content_hash"] == versions(fresh, "airlines")[0]["content_hash"]


def test_replaced_table_keeps_only_its_own_rows_aside(fresh: Any) -> None:
    many = [f"name {index}" for index in range(ROWS)]
    broken = airlines(*many).replace(b"AA,name 0", b"AA,")
    (result,) = fresh.ingest("airlines", fresh.file("airlines-broken.csv", broken))
    assert result["hops"][1]["rows_quarantined"] == 1
    assert len(fresh.run("quarantine", "airlines", "--json").json) == 1
    fresh.ingest("airlines", fresh.file("airlines-mended.csv", airlines(*many)))
    assert fresh.run("quarantine", "airlines", "--json").json == []
    assert fresh.run("verify", "--all").code == 0


@pytest.mark.parametrize("step", ["merge.done", "tag.done"])
@pytest.mark.parametrize("table", ["airlines_raw", "airlines"])
def test_killed_before_it_was_named_a_version_is_named_by_whoever_comes_next(
    fresh: Any, table: str, step: str
) -> None:
    name = f"{table}-{step}"
    killed(fresh, "airlines", table, step, fresh.file(f"{name}-dead.csv", airlines(name, "dead")))
    fresh.ingest("airlines", fresh.file(f"{name}-next.csv", airlines(name, "next")))
    for every in ("airlines_raw", "airlines"):
        numbers = [version["version"] for version in versions(fresh, every)]
        assert numbers == list(range(1, len(numbers) + 1))
    assert fresh.run("verify", "--all").code == 0
    assert fresh.repository.listing("main", "_lakegate/pending/") == []
    assert fresh.left_over() == []


@pytest.mark.parametrize("step", ["receive.upload", "receive.merge", "receive.done"])
def test_killed_while_it_was_received_a_drop_is_received_once(fresh: Any, step: str) -> None:
    content = airlines("received", step)
    path = fresh.file(f"{step}.csv", content)
    killed(fresh, "airlines", "airlines", step, path)
    (result,) = fresh.ingest("airlines", path)
    assert result["hops"][1]["version"] is not None
    digest = hashlib.sha256(content).hexdigest()
    assert len(fresh.repository.listing("main", f"raw/airlines/{digest}/receipts/")) == 1
    assert fresh.raw("airlines", digest) == content
    assert fresh.left_over() == []


def test_two_processes_at_once_publish_once(fresh: Any) -> None:
    path = fresh.file("both.csv", airlines("both", "at", "once"))
    before = len(versions(fresh, "airlines"))
    both = [started(fresh, "airlines", path, {}) for _ in range(2)]
    for process in both:
        _, told = process.communicate(timeout=180)
        assert process.returncode == 0, told[-2000:]
    assert len(versions(fresh, "airlines")) == before + 1
    assert fresh.left_over() == []


def test_rows_that_a_join_doubled_are_never_published(fresh: Any) -> None:
    """The drop equation starts from the raw tally: what comes in at the processed hop is what raw found
    readable.
    """
    doubled = """
import sys
from pathlib import Path
import lake.hops.evaluate
from lake.pipeline.ingest import ingest
from lake.session import open_session
from lakegate.settings import Settings
honest = lake.hops.evaluate.label
def label(*args, **kwargs):
    frame = honest(*args, **kwargs)
    return frame.unionByName(frame)
lake.hops.evaluate.label = label
ingest(open_session(Settings.load()), "airlines", [Path(sys.argv[1])])
"""
    before = versions(fresh, "airlines")
    environment = os.environ | {
        "LAKEGATE_HOME": str(fresh.home),
        "LAKEGATE_PROJECT": str(ROOT),
        "PYTHONPATH": str(ROOT),
    }
    path = fresh.file("doubled.csv", airlines("doubled"))
    done = subprocess.run(
        [sys.executable, "-c", doubled, str(path)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "IntegrityError" in done.stderr
    assert "do not add up" in done.stderr
    assert versions(fresh, "airlines") == before
    assert fresh.ingest("airlines", path)[0]["hops"][1]["version"] == len(before) + 1


def test_version_tells_its_contract_its_receipt_and_both_times(fresh: Any) -> None:
    manifest = fresh.manifest("airlines", 1)
    receipt = fresh.repository.get_json("main", manifest["source"]["receipt"])
    assert (manifest["delivered_at"], manifest["extracted_at"]) == (
        receipt["received_at"],
        receipt["modified_at"],
    )
    evidence = fresh.repository.get("airlines.v1", "_lakegate/evidence/airlines/v1.json")
    assert hashlib.sha256(evidence).hexdigest() == manifest["evidence_sha256"]
    assert (ROOT / "catalog" / "contracts" / "airlines.odcs.yaml").read_text() in fresh.repository.get_json(
        "airlines.v1", "_lakegate/evidence/airlines/v1.json"
    )["contract"]


def test_full_delivery_that_was_held_up_is_not_published_over_a_later_one(fresh: Any) -> None:
    late, current = (
        fresh.file(f"held-up-{name}.csv", airlines("held up", name)) for name in ("late", "current")
    )
    killed(fresh, "airlines", "airlines", "stage", late)
    results = fresh.ingest("airlines", current)
    assert {result["verdict"] for result in results} <= {"passed", "unchanged"}
    assert versions(fresh, "airlines")[-1]["drop"] == hashlib.sha256(current.read_bytes()).hexdigest()
    fresh.ingest("airlines", late)
    assert versions(fresh, "airlines")[-1]["drop"] == hashlib.sha256(current.read_bytes()).hexdigest()
    assert fresh.repository.listing("main", "_lakegate/pending/") == []
