"""A lake of rides whose ledger is read, and deliveries of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.rides import contract_text
from lake.session import Session, open_session
from lakegate.settings import Settings


def open_rides(settings: Settings, project: Path, name: str) -> Session:
    """A lake with one contract, in a tenant that is named for the test."""
    contracts = project / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    (contracts / "rides.odcs.yaml").write_text(contract_text(writeMode="append", maxQuarantined=1.0))
    return open_session(replace(settings, project=project, tenant=f"l{abs(hash(name)) % 10**8}"), say=print)


def delivered(folder: Path, name: str, *rows: str) -> Path:
    (folder / name).write_text("\n".join(["ride,fare", *rows]) + "\n")
    return folder / name
