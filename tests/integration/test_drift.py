"""Drift in the lake: what a comparison reads, and a drop in another unit that is held, then approved or rejected."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey

from assets.instance import open_instance
from tests.support.places import ROOT

pytestmark = pytest.mark.server

FLIGHTS = """\
apiVersion: v3.2.0
kind: DataContract
id: flights
name: flights
version: 1.0.0
status: active
schema:
  - name: flights
    properties:
      - {name: month, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1, classification: public}
      - {name: record, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 2, classification: public}
      - {name: carrier, logicalType: string, classification: public}
      - {name: air_time, logicalType: integer, classification: public}
    quality:
      - id: air-time-jump
        type: custom
        engine: greatExpectations
        severity: hold
        implementation:
          type: expect_column_distribution_to_stay_close
          kwargs: {column: air_time, baseline: previous, statistic: ks, max_value: 0.5}
customProperties:
  - {property: writeMode, value: append}
  - {property: orderBy, value: month}
  - {property: file, value: {format: csv, delimiter: ",", nullValues: [NA]}}
"""
MINUTES, SECONDS = 1, 60


@pytest.fixture(scope="module")
def project(command_line: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drift") / "project"
    assert command_line("init", folder).code == 0
    (folder / "catalog/contracts/flights.odcs.yaml").write_text(FLIGHTS)
    return folder


def month(sample: Any, number: int, unit: int = MINUTES, *, records: int | None = None) -> bytes:
    """Carrier and air time of a month's real flights."""
    header, *lines = (
        (sample.folder / f"flights-2013-{number:02}.csv").read_text().splitlines()[: records and records + 1]
    )
    names = header.split(",")
    carrier, air_time = names.index("carrier"), names.index("air_time")
    rows = ["month,record,carrier,air_time"]
    for record, line in enumerate(lines, 1):
        fields = line.split(",")
        value = fields[air_time] if fields[air_time] in ("", "NA") else str(int(fields[air_time]) * unit)
        rows.append(f"{number},{record},{fields[carrier]},{value}")
    return ("\n".join(rows) + "\n").encode()


def outcome(lake: Any, version: int, rule: str) -> dict[str, Any]:
    """What a version's evidence tells of a rule."""
    evidence = lake.repository.get_json("main", f"_lakegate/evidence/flights/v{version}.json")
    (found,) = [
        item
        for item in evidence["report"]["results"]
        if item["expectation_config"]["meta"]["lakegate"]["rule"] == rule
    ]
    return found


def drop(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def two_months(open_lake: Any, empty_home: Path, project: Path, sample: Any) -> Any:
    lake = open_lake(empty_home, project=project)
    lake.ingest("flights", *[lake.file(f"month-{number}.csv", month(sample, number)) for number in (1, 2)])
    return lake


def test_a_month_in_seconds_is_held_and_rejected_and_the_next_is_compared_with_what_stands(
    two_months: Any, sample: Any
) -> None:
    lake, content = two_months, month(sample, 3, SECONDS)
    (held,) = lake.ingest("flights", lake.file("month-3.csv", content), code=3)
    assert (held["verdict"], held["hops"][-1]["version"]) == ("held", None)
    assert (
        "air-time-jump (Kolmogorov-Smirnov statistic of air_time from the previous version is 1.0000"
        in held["hops"][-1]["reason"]
    )
    assert lake.run("reject", drop(content)[:12], "--reason", "seconds").code == 0
    (corrected,) = lake.ingest("flights", lake.file("month-3-again.csv", month(sample, 3)))
    assert (corrected["verdict"], corrected["hops"][-1]["version"]) == ("passed", 3)
    assert outcome(lake, 3, "air-time-jump")["result"]["observed_value"] < 0.1


def test_a_month_in_seconds_is_held_and_approved_and_is_what_the_next_is_compared_with(
    two_months: Any, sample: Any
) -> None:
    lake, content = two_months, month(sample, 3, SECONDS)
    lake.ingest("flights", lake.file("month-3.csv", content), code=3)
    assert lake.run("approve", drop(content)[:12], "--reason", "seconds from now on").code == 0
    assert lake.manifest("flights", 3)["notes"]["approved"]["rules"] == ["air-time-jump"]
    assert "drift:pinned:trigger" in lake.manifest("flights", 3)["notes"]["triggers"]
    with open_instance(lake.settings) as instance:
        assert len(instance.fetch_materializations(AssetKey(["retrain", "flights"]), limit=9).records) == 1
    assert not outcome(lake, 3, "air-time-jump")["success"]
    (next_one,) = lake.ingest("flights", lake.file("month-4.csv", month(sample, 4, SECONDS)))
    assert next_one["verdict"] == "passed"
    assert outcome(lake, 4, "air-time-jump")["result"]["observed_value"] < 0.1
    again = lake.run(
        "compare", "flights@v4", "--statistic", "ks", "--warn", "0.5", "--trigger", "0.5", "--json"
    ).json
    (air_time,) = [item for item in again["columns"] if item["column"] == "air_time"]
    assert (again["baseline"], again["finding"], air_time["finding"]) == (["flights@v3"], "close", "close")
    assert air_time["ks_least"] == outcome(lake, 4, "air-time-jump")["result"]["observed_value"]
    pinned = lake.run("compare", "flights@v4", "--against", "pinned", "--fail-on", "trigger")
    assert (pinned.code, "flights@v1" in pinned.out, "air_time" in pinned.out) == (3, True, True)
    assert (
        lake.run("compare", "flights@v4", "--against", "v1").code
        == lake.run("compare", "flights@v4", "--fail-on", "warn").code
        == 0
    )
    assert lake.run("compare", "flights@v9").code == lake.run("compare", "flights_raw@v1").code == 2


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
version_histograms.Comparison.keep = (lambda keep: lambda self, *given: (compared.append(self), keep(self, *given))[1])(version_histograms.Comparison.keep)
ingest(session, "flights", [Path(last)])
(found,) = compared
number = found.parent.version

engine, contract = session.engine, session.catalog.get("flights")
plan = make_plan(build_suite(contract, "processed", session.settings.project), contract)
def whole(version, where="true"):
    frame = engine.spark.read.format("delta").load(engine.uri(f"flights.v{version}", "processed/flights")).where(where)
    return count_histograms(frame, plan.histograms, engine.rows)
again = judge_distributions(plan, whole(number + 1, f"month = {number + 1}"), {"previous": whole(number, f"month = {number}"), "pinned": whole(1)})
evidence = session.repository.get_json("main", f"_lakegate/evidence/flights/v{number + 1}.json")
told = {item["expectation_config"]["meta"]["lakegate"]["rule"]: item for item in evidence["report"]["results"]}
print(json.dumps({
    "number": number,
    "read": found.read,
    "same table": version_histograms.VersionHistograms.from_json(session.repository.get_json("main", f"_lakegate/histograms/flights/v{number + 1}.json")).whole == whole(number + 1),
    "same answers": all(told[rule]["result"] == json.loads(json.dumps(item.to_gx()))["result"] for rule, item in again.items()),
    "asked": sorted(again),
}))
"""


def test_a_version_is_compared_without_reading_a_file_of_those_before(
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
      - {name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1, classification: public}
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


def test_a_new_column_is_compared_with_nothing_and_one_that_becomes_personal_is_counted_no_more(
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
