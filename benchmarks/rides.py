"""Rides and their fares: the contract of small lakes that something happens to, in benchmarks and tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lake.server.lifecycle import ensure_server, stop_server
from lakegate.settings import Settings

_HEAD: Final = """
apiVersion: v3.2.0
kind: DataContract
id: {name}
name: {name}
version: 1.0.0
status: draft
schema:
  - name: {name}
    properties:
      - {{name: ride, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}}
      - {{name: fare, logicalType: number}}
"""


def contract_text(name: str = "rides", more: str = "", **properties: object) -> str:
    """A contract; `more` comes after its columns (another column, or rules), then its properties."""
    own = [f"  - {{property: {key}, value: {value}}}\n" for key, value in properties.items()]
    return _HEAD.format(name=name) + more + "customProperties:\n" * bool(own) + "".join(own)


def write_contracts(project: Path, contracts: Mapping[str, str]) -> None:
    """Write contracts, by their names, into a project's folder."""
    folder = project / "catalog" / "contracts"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contracts.items():
        (folder / f"{name}.odcs.yaml").write_text(text)


def settings_of(folder: Path) -> Settings:
    """The home and the project in a lake's folder."""
    return Settings.load(home=folder / "home", project=folder / "project")


@contextmanager
def running(folder: Path, *, tables: int) -> Iterator[Path]:
    """A new lake, its lakeFS running, with tables `rides0`, `rides1` ... of mode append; gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    properties = {"writeMode": "append", "maxQuarantined": 1.0, "drift": "none"}
    names = [f"rides{number}" for number in range(tables)]
    write_contracts(folder / "project", {name: contract_text(name, **properties) for name in names})
    try:
        ensure_server(settings_of(folder), say=lambda _: None)
        yield folder
    finally:
        stop_server(settings_of(folder).home)
        shutil.rmtree(folder, ignore_errors=True)
