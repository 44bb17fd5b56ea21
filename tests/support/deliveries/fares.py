"""Fares of each write mode, deliveries of them, and all that a hop of theirs leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lake import paths
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.session import Session

FARES = """
apiVersion: v3.2.0
kind: DataContract
id: fares
name: fares
version: 1.0.0
status: draft
schema:
  - name: fares
    properties:
      - {name: ride, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: fare, logicalType: number}
      - {name: day, logicalType: integer, required: true}
    quality:
      - id: fare-mean
        type: custom
        engine: greatExpectations
        severity: hold
        implementation: {type: expect_column_mean_to_be_between, kwargs: {column: fare, min_value: 0, \
max_value: 100}}
customProperties:
  - {property: writeMode, value: MODE}
  - {property: maxQuarantined, value: 0.5}
  - {property: drift, value: none}
"""
MORE = {
    "append": "orderBy, value: day",
    "replace": "maxShrink, value: none",
    "upsert": "upsert, value: {orderBy: day}",
}


def write_contract(project: Path, mode: str) -> None:
    """The contract of fares in a project without any, with that write mode."""
    contracts = project / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    (contracts / "fares.odcs.yaml").write_text(
        FARES.replace("MODE", mode) + f"  - {{property: {MORE[mode]}}}\n"
    )


def state(session: Session) -> dict[str, Any]:
    """All that a hop leaves behind somewhere, and the receipts that it begins with."""
    repository, home = session.repository, session.settings.home
    folders = (
        home.manifest_copy(session.settings.tenant, "fares", 1).parents[1],
        home.spool,
        home.root / "breakers",
        home.locks,
    )
    return {
        "main": repository.commit_of(MAIN),
        "ledger": (repository.commit_of(paths.LEDGER), [item.path for item in records.find(session)]),
        "main's files": [item.path for item in repository.listing(MAIN, "")],
        "branches": repository.branches(""),
        "tags": repository.tags(""),
        "home": sorted(
            str(path)
            for folder in folders
            for path in folder.rglob("*")
            if session.settings.tenant in str(path)
        ),
        "scratch": [path.name for path in session.settings.scratch_dir.iterdir()],
    }


def file(session: Session, name: str, *rows: str) -> Path:
    path = session.settings.project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["ride,fare,day", *rows]) + "\n")
    return path
