"""A lake of rides and trips that several work on, and deliveries of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lake.pipeline.ingest import DropResult, ingest
from lake.session import Session, open_session
from lakegate.settings import Settings
from tests.support.lakes.rides_rolled_back import CONTRACT


def open_rides(settings: Settings, folder: Path, name: str) -> Session:
    """A lake with two contracts, in a tenant that is named for the test."""
    contracts = folder / "project" / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    text = CONTRACT.replace("MODE", "append")
    (contracts / "rides.odcs.yaml").write_text(text + "  - {property: retention, value: {versions: 2}}\n")
    (contracts / "trips.odcs.yaml").write_text(text.replace("rides", "trips"))
    return open_session(
        replace(settings, project=folder / "project", tenant=f"b{abs(hash(name)) % 10**8}"),
        say=lambda _: None,
    )


def delivered(
    session: Session,
    folder: Path,
    name: str,
    header: str = "ride,fare,at",
    *,
    first: int = 0,
    table: str = "rides",
) -> list[DropResult]:
    file = folder / name
    file.write_text(f"{header}\n" + "".join(f"{first + row},1.5,1\n" for row in range(3)))
    return ingest(session, table, [file])
