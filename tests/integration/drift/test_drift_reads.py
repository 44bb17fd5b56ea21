"""A comparison reads no file of earlier versions, and no histogram of a personal column."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.drift.drifting_flights import month
from tests.support.places import ROOT

pytestmark = pytest.mark.server

VERSIONS = int(os.environ.get("LAKEGATE_DRIFT_VERSIONS", "6"))
"""Versions that stand when one more is compared; each takes a second or two to make."""

ASK = """
import json, sys
from pathlib import Path
from expectations.drift.histogram_query import count_histograms
from expectations.building.build import build_suite
from expectations.plan.execute_distributions import judge_distributions
from expectations.plan.plan import make_plan
from lake.drift import version_histograms
from lake.pipeline.ingest import ingest
from lake.session import open_session
from lakegate.settings import Settings

session = open_session(Settings.load())
before, last = json.loads(sys.argv[1])
ingest(session, "flights", [Path(file) for file in before])

compared, counting = [], version_histograms.count_histograms
honest = version_histograms.Comparison.keep
def keep(self, *given):
    compared.append(self)
    return honest(self, *given)
version_histograms.Comparison.keep = keep
ingest(session, "flights", [Path(last)])
(found,) = compared
number = found.parent.version

engine, contract = session.engine, session.catalog.get("flights")
plan = make_plan(build_suite(contract, "processed", session.settings.project), contract)
def whole(version, where="true"):
    frame = engine.spark.read.format("delta").load(engine.uri(f"flights.v{version}", "processed/flights"))
    return count_histograms(frame.where(where), plan.histograms, engine.rows)
baselines = {"previous": whole(number, f"month = {number}"), "pinned": whole(1)}
again = judge_distributions(plan, whole(number + 1, f"month = {number + 1}"), baselines)
evidence = session.repository.get_json("main", f"_lakegate/evidence/flights/v{number + 1}.json")
told = {
    item["expectation_config"]["meta"]["lakegate"]["rule"]: item["result"]
    for item in evidence["report"]["results"]
}
stored = session.repository.get_json("main", f"_lakegate/histograms/flights/v{number + 1}.json")
print(json.dumps({
    "number": number,
    "read": found.read,
    "same table": version_histograms.VersionHistograms.from_json(stored).whole == whole(number + 1),
    "same answers": all(
        told[rule] == json.loads(json.dumps(item.to_gx()))["result"] for rule, item in again.items()
    ),
    "asked": sorted(again),
}))
"""


def test_version_is_compared_without_reading_a_file_of_those_before(
    empty_home: Path, open_lake: Any, project: Path, sample: Any
) -> None:
    lake = open_lake(empty_home, project=project)
    content = month(sample, 5, records=(VERSIONS + 1) * 150).decode().splitlines()
    files = []
    for number in range(1, VERSIONS + 2):
        rows = [
            f"{number},{line.split(',', 1)[1]}" for line in content[150 * number - 149 : 150 * number + 1]
        ]
        files.append(str(lake.file(f"part-{number}.csv", ("\n".join([content[0], *rows]) + "\n").encode())))
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps([files[:-1], files[-1]])],
        env=os.environ
        | {"LAKEGATE_HOME": str(lake.home), "LAKEGATE_PROJECT": str(project), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {
        "number": VERSIONS,
        "read": 0,
        "same table": True,
        "same answers": True,
        "asked": [
            "air-time-jump",
            "drift:pinned",
            "drift:pinned:trigger",
            "drift:previous",
            "imbalance",
            "nulls",
        ],
    }


STAFF = """\
apiVersion: v3.2.0
kind: DataContract
id: staff
name: staff
version: 1.0.0
status: active
schema:
  - name: staff
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1, \
classification: public}
      - {name: team, logicalType: string, classification: TEAM}
OTHERS
customProperties:
  - {property: writeMode, value: replace}
"""
NEEDLE = "Quintessa"


def staff(rows: int, *others: str) -> bytes:
    lines = [
        ",".join(["id", "team", *others]),
        *(",".join([str(row), f"{NEEDLE}{row % 2}", *others]) for row in range(rows)),
    ]
    return ("\n".join(lines) + "\n").encode()


def test_new_column_is_compared_with_nothing_and_one_that_becomes_personal_is_counted_no_more(
    empty_home: Path, open_lake: Any, command_line: Any, tmp_path: Path
) -> None:
    assert command_line("init", tmp_path / "project").code == 0
    contract = tmp_path / "project/catalog/contracts/staff.odcs.yaml"

    def declare(team: str, others: str = "") -> None:
        contract.write_text(STAFF.replace("TEAM", team).replace("OTHERS", others))

    declare("public")
    lake = open_lake(empty_home, project=tmp_path / "project")
    lake.ingest("staff", lake.file("one.csv", staff(200)))
    declare("public", "      - {name: city, logicalType: string, classification: public}")
    (widened,) = lake.ingest("staff", lake.file("two.csv", staff(201, "city")))
    assert (widened["verdict"], widened["hops"][-1]["version"]) == ("passed", 2)
    counts = lake.repository.get("main", "_lakegate/histograms/staff/v2.json")
    assert NEEDLE.encode() in counts
    declare("personal", "      - {name: city, logicalType: string, classification: public}")
    (masked,) = lake.ingest("staff", lake.file("three.csv", staff(202, "city")))
    assert (masked["verdict"], masked["hops"][-1]["version"]) == ("passed", 3)
    counts = lake.repository.get("main", "_lakegate/histograms/staff/v3.json")
    assert b"city" in counts
    assert NEEDLE.encode() not in counts
    assert lake.run("verify", "--all").code == 0
