"""A lake of rides in each write mode, and the drops that are rolled back in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lake.pipeline.ingest import ingest
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
customProperties:
  - {property: writeMode, value: MODE}
  - {property: maxQuarantined, value: 1.0}
  - {property: drift, value: none}
"""

DROPS = {
    "a.csv": ["1,1.5,1", "2,2.5,1", "3,free,1"],
    "b.csv": ["4,4.5,2", "2,9.5,2", "5,none,2"],
    "c.csv": ["6,6.5,3"],
}


def open_rides(settings: Settings, project: Path, name: str, *, mode: str) -> Session:
    """A lake with one contract of this write mode, in a tenant that is named for the test."""
    contracts = project / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    text = CONTRACT.replace("MODE", mode)
    (contracts / "rides.odcs.yaml").write_text(
        text + "  - {property: upsert, value: {orderBy: at}}\n" * (mode == "upsert")
    )
    return open_session(replace(settings, project=project, tenant=f"r{abs(hash(name)) % 10**8}"), say=print)


def take(session: Session, folder: Path, name: str) -> Manifest:
    path = folder / name
    path.write_text("\n".join(["ride,fare,at", *DROPS[name]]) + "\n")
    (result,) = ingest(session, "rides", [path])
    assert result.hops[1].version is not None, result
    return manifest(session, result.hops[1].version)


def manifest(session: Session, version: str) -> Manifest:
    return manifest_at(session.repository, "main", VersionName.parse(version))
