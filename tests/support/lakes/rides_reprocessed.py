"""Rides whose rules change after drops were published, and what a table holds of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from lake.pipeline.ingest import ingest
from lake.reports.versions import list_quarantine
from lake.session import Session, open_session
from lake.versions.publish import manifest_at
from lakegate.manifest import Manifest
from lakegate.names import VersionName
from lakegate.settings import Settings

CONTRACT = """
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
      - {name: at, logicalType: integer, required: true}
    quality:
      - id: fare-plausible
        type: custom
        engine: greatExpectations
        severity: SEVERITY
        implementation:
          type: expect_column_values_to_be_between
          kwargs: {column: fare, min_value: 0, max_value: MOST}
customProperties:
  - {property: writeMode, value: MODE}
  - {property: maxQuarantined, value: 1.0}
"""
DROPS = {
    "a.csv": ["1,1.5,1", "2,25,2", "3,free,1"],
    "b.csv": ["4,4.5,2", "2,9.5,1", "5,99,2"],
    "c.csv": ["2,12,3", "6,30,3"],
}


def project(folder: Path, *, mode: str, most: int, severity: str = "quarantine") -> None:
    contracts = folder / "catalog" / "contracts"
    contracts.mkdir(parents=True, exist_ok=True)
    text = CONTRACT.replace("MODE", mode).replace("MOST", str(most)).replace("SEVERITY", severity)
    (contracts / "rides.odcs.yaml").write_text(
        text + "  - {property: upsert, value: {orderBy: at}}\n" * (mode == "upsert")
    )


def opened(home: Settings, folder: Path, tenant: str) -> Session:
    return open_session(replace(home, project=folder, tenant=tenant), say=print)


def take(session: Session, folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("\n".join(["ride,fare,at", *DROPS[name]]) + "\n")
        ingest(session, "rides", [folder / name])


def latest(session: Session, version: str | None) -> Manifest:
    assert version is not None
    return manifest_at(session.repository, "main", VersionName.parse(version))


def aside(session: Session) -> list[Any]:
    return [
        (row["file"], row["row"], row["rules"])
        for row in list_quarantine(session, session.catalog.get("rides"))
    ]
