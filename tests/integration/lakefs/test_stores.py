"""One lake, whatever way its files take: beside the embedded lakeFS, from another disk,
or through the gateway of one elsewhere.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lake.server.lifecycle import ensure_server, stop_server
from lake.session import open_session
from lakegate import open_snapshot
from lakegate.settings import Settings
from tests.support.commands.started import Started

pytestmark = pytest.mark.server

RIDES = """
apiVersion: v3.2.0
kind: DataContract
id: rides
name: rides
version: 1.0.0
status: draft
schema:
  - name: rides
    properties:
      - {name: ride, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: fare, logicalType: number}
      - {name: at, logicalType: timestamp}
      - {name: rider, logicalType: string, classification: personal}
      - {name: city, logicalType: string}
customProperties:
  - {property: writeMode, value: WRITTEN}
  - {property: maxQuarantined, value: 1.0}
"""
FIRST = """ride,fare,at,rider,city
1,2.5,2024-01-01T00:00:00Z,Ada,\x85 the least
2,far,2024-01-01T01:00:00Z,Bob,Oslo
3,1e1,2024-01-01 02:00:00,,\u2028 the greatest
"""
SECOND = """ride,fare,at,rider,city
4,.5,2024-01-02T00:00:00Z,Eve,
1,7,2024-01-02T01:00:00Z,Ada,Oslo
5,,never,Zoë,Oslo
6,-0.0,,Ada,Ōtsu
"""


@dataclass(frozen=True)
class Lake:
    """A home, and what the environment says of its store."""

    home: Path
    env: dict[str, str]

    def run(self, project: Path, *arguments: object) -> Any:
        told = ("--home", self.home, "--project", project, "--json")
        process = Started({}, [*map(str, (*arguments, *told))], os.environ | self.env)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return json.loads(out)


def elsewhere(lakefs: Settings, tenant: str) -> dict[str, str]:
    """An environment in which that lakeFS is somebody else's: files then take the gateway."""
    endpoint = ensure_server(lakefs, say=print)
    keys = {"URL": endpoint.url, "KEY_ID": endpoint.key_id, "SECRET": endpoint.secret}
    told = {f"LAKEGATE_LAKEFS_{name}": value for name, value in keys.items()}
    return told | {"LAKEGATE_LAKEFS_NAMESPACE": "local://elsewhere", "LAKEGATE_TENANT": tenant}


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    contracts = tmp_path / "a project" / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    (contracts / "rides.odcs.yaml").write_text(RIDES.replace("WRITTEN", request.param))
    return tmp_path / "a project"


@pytest.mark.parametrize("project", ["append", "replace"], indirect=True)
def test_stores_give_the_same_of_the_same_drops(
    project: Path, tmp_path: Path, lakefs_home: Settings, request: pytest.FixtureRequest
) -> None:
    files = [tmp_path / "first.csv", tmp_path / "second, of two.csv"]
    for path, text in zip(files, (FIRST, SECOND), strict=True):
        path.write_text(text, encoding="utf-8")
    tenant = request.node.callspec.id  # a repository of its own in the server that the module's tests share
    names = ("home", "my home, %41") if tenant == "append" else ("home",)
    homes = [Lake(tmp_path / name, {"LAKEGATE_TENANT": tenant}) for name in names]
    told, rows = [], []
    try:
        for lake in (*homes, Lake(tmp_path / "far", elsewhere(lakefs_home, tenant))):
            told.append([drop["hops"] for drop in lake.run(project, "ingest", "rides", *files)])
            manifests = sorted((lake.home / "manifests" / tenant / "rides").glob("v*.json"))
            rows.append(
                [
                    (found["content_hash"], found["aside"])
                    for found in (json.loads(path.read_bytes()) for path in manifests)
                ]
            )
        assert all(item == told[0] for item in told)
        assert all(item == rows[0] for item in rows)
        assert len(rows[0]) == 2
        snapshot = (
            open_snapshot("rides@v2", home=homes[0].home, tenant=tenant)
            .arrow(["ride", "fare"])
            .sort_by("ride")
        )
        assert snapshot["ride"].to_pylist() == {"append": [1, 3, 4, 6], "replace": [1, 4, 6]}[tenant]
    finally:
        for lake in homes:
            stop_server(Settings.load(home=lake.home).home)


@pytest.mark.parametrize("project", ["append"], indirect=True)
@pytest.mark.parametrize("far", [False, True])
def test_column_that_is_personal_by_now_leaves_no_more_statistics(
    project: Path,
    tmp_path: Path,
    lakefs_home: Settings,
    far: bool,
) -> None:
    """What was written before stays as it was: this is of the rows that come."""
    lake = Lake(
        tmp_path / "home", elsewhere(lakefs_home, "classified") if far else {"LAKEGATE_TENANT": "classified"}
    )
    contract = project / "catalog" / "contracts" / "rides.odcs.yaml"
    for name, text in (("first.csv", FIRST), ("second.csv", SECOND)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    settings = Settings.load(home=lake.home, project=project, environ=lake.env)
    try:
        lake.run(project, "ingest", "rides", tmp_path / "first.csv")
        repository = open_session(settings).repository
        before = {item.path for item in repository.listing("main", "processed/rides/_delta_log/")}
        contract.write_text(
            contract.read_text().replace(
                "{name: city, logicalType: string}",
                "{name: city, logicalType: string, classification: personal}",
            )
        )
        lake.run(project, "ingest", "rides", tmp_path / "second.csv")
        added = [
            item.path
            for item in repository.listing("main", "processed/rides/_delta_log/")
            if item.path not in before
        ]
        logs = [(repository.get("main", path) or b"").decode() for path in added]
        assert any('"add"' in log for log in logs)
        assert not any("tsu" in log for log in logs)
        assert "the greatest" in "".join((repository.get("main", path) or b"").decode() for path in before)
    finally:
        if not far:
            stop_server(settings.home)
