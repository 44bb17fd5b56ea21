"""The place that all contestants write to: per run a home of its own with the reference."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.machine import ROOT
from benchmarks.rivals.case import Case
from benchmarks.rivals.contract import write_project
from benchmarks.rivals.rules import DATASET, REFERENCE
from lake.lakefs.repository import Repository
from lake.server.lifecycle import ensure_server, stop_server
from lake.server.state_files import read_server
from lakegate.home import Endpoint
from lakegate.settings import Settings

BUCKET: Final = "bench"


@dataclass(frozen=True)
class Arena:
    """A running lake, the case with its keys, and the process to watch beside the program's own."""

    case: Case
    server: int
    home: Path
    options: dict[str, str]

    @property
    def stored(self) -> int:
        """Bytes that lie in the place."""
        folder = Path(self.case.place) if self.case.kind == "local" else self.home / "lakefs" / "blocks"
        return sum(item.stat().st_size for item in folder.rglob("*") if item.is_file())

    def rows(self) -> tuple[int, int]:
        """Rows of both tables by their Delta logs; no table, no rows."""
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        local = self.case.kind == "local"
        place = self.case.place if local else f"s3://{self.case.place}"
        uris = [f"{place}/{name}" for name in ("trips", "quarantine")]
        if self.case.kind == "lakegate":
            version = f"s3://lakegate-default/{DATASET}.v1"
            uris = [f"{version}/{folder}/{DATASET}" for folder in ("processed", "quarantine")]
        found = []
        for uri in uris:
            try:
                table = DeltaTable(uri, storage_options={} if local else self.options)
                actions = table.get_add_actions(flatten=True)
                found.append(sum(int(count) for count in actions["num_records"].to_pylist()))
            except TableNotFoundError:
                found.append(0)
        return found[0], found[1]


def stock(folder: Path, case: Case, airports: Path) -> None:
    """Make the home that runs are copies of: the reference published, and in the rivals' bucket; stopped."""
    write_project(folder / "project", columns=case.columns, rules=case.rules)
    command = [sys.executable, "-m", "benchmarks.rivals.stock", str(folder / "home"), str(folder / "project")]
    subprocess.run([*command, str(airports)], cwd=ROOT, check=True)


@contextmanager
def opened(stocked: Path, folder: Path, case: Case) -> Iterator[Arena]:
    """A copy of the stocked home, running; gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(stocked, folder)
    settings = Settings.load(home=folder / "home", project=folder / "project")
    try:
        endpoint = ensure_server(settings, say=lambda _: None)
        recorded = read_server(settings.home)
        if recorded is None:
            raise AssertionError("lakeFS runs and isn't recorded")
        scratch, local = folder / "scratch", folder / "place"
        scratch.mkdir()
        local.mkdir()
        home, project = str(settings.home.root), str(settings.project)
        case = replace(case, scratch=str(scratch), home=home, project=project)
        if case.kind == "local":
            shutil.copy(folder / "home" / f"{REFERENCE}.parquet", local)
            case = replace(case, place=str(local))
        else:
            keys = {"url": endpoint.url, "key_id": endpoint.key_id, "secret": endpoint.secret}
            case = replace(case, place=f"{BUCKET}/main", **keys)
        yield Arena(case, recorded.pid, settings.home.root, delta_options(endpoint))
    finally:
        stop_server(settings.home)
        shutil.rmtree(folder, ignore_errors=True)


def bucket(endpoint: Endpoint) -> Repository:
    """The rivals' repository."""
    return Repository(endpoint, BUCKET, namespace=f"local://{BUCKET}")


def delta_options(endpoint: Endpoint) -> dict[str, str]:
    """How delta-rs reaches lakeFS's gateway."""
    return {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": endpoint.key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret,
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
