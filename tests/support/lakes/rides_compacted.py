"""A lake of rides whose small files are merged, and what a version of it holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from lake.pipeline.ingest import ingest
from lake.session import Session, open_session
from lake.versions.publish import manifest_at
from lakegate import open_snapshot
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
      - {name: rider, logicalType: string, classification: personal}
      - {name: at, logicalType: timestamp, required: true}
customProperties:
  - {property: writeMode, value: MODE}
  - {property: maxQuarantined, value: 1.0}
  - {property: drift, value: none}
"""
MANY = 4


def opened(settings: Settings, folder: Path, tenant: str, mode: str) -> Session:
    contracts = folder / "catalog" / "contracts"
    contracts.mkdir(parents=True, exist_ok=True)
    text = CONTRACT.replace("MODE", mode) + "  - {property: upsert, value: {orderBy: at}}\n" * (
        mode == "upsert"
    )
    (contracts / "rides.odcs.yaml").write_text(text)
    return open_session(replace(settings, project=folder, tenant=tenant), say=print)


def deliver(session: Session, folder: Path, number: int, *, taken: int = 0) -> Manifest:
    """Six rides, of which the last has no fare; `taken`: the ride whose number the first one has."""
    first = 1 + 6 * number
    rides = [taken or first, *range(first + 1, first + 6)]
    rows = [
        f"{ride},{'none' if ride == rides[-1] else ride / 4},Ada{ride},2024-01-{number + 1:02}T00:00:00Z"
        for ride in rides
    ]
    path = folder / f"{number}.csv"
    path.write_text("\n".join(["ride,fare,rider,at", *rows]) + "\n")
    (result,) = ingest(session, "rides", [path])
    assert result.hops[1].version is not None, result
    return manifest(session, result.hops[1].version)


def manifest(session: Session, version: str) -> Manifest:
    return manifest_at(session.repository, "main", VersionName.parse(version))


def told(found: Manifest) -> tuple[Any, ...]:
    return found.content_hash, found.counts, found.balance


def rows(session: Session, version: VersionName) -> list[dict[str, Any]]:
    table = open_snapshot(
        str(version), home=session.settings.home.root, tenant=session.settings.tenant
    ).arrow()
    found: list[dict[str, Any]] = table.sort_by([("_drop", "ascending"), ("_row", "ascending")]).to_pylist()
    return found
