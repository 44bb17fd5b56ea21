"""The place that all contestants write to: a home of its own per run, its lakeFS running, the reference delivered."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.case import Case
from benchmarks.contract import write_project
from benchmarks.rules import DATASET, REFERENCE
from lake.lakefs.repository import Repository
from lake.server.lifecycle import ensure_server, stop_server
from lake.server.state_files import read_server
from lakegate.home import Endpoint
from lakegate.settings import Settings

BUCKET: Final = "bench"
ROOT: Final = Path(__file__).resolve().parents[1]


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
        """Rows of both tables as their Delta logs tell; no table, no rows."""
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        names = ("trips", "quarantine")
        uris = [
            f"{self.case.place}/{name}" if self.case.kind == "local" else f"s3://{self.case.place}/{name}"
            for name in names
        ]
        if self.case.kind == "lakegate":
            uris = [
                f"s3://lakegate-default/{DATASET}.v1/{folder}/{DATASET}"
                for folder in ("processed", "quarantine")
            ]
        found = []
        for uri in uris:
            try:
                actions = DeltaTable(
                    uri, storage_options={} if self.case.kind == "local" else self.options
                ).get_add_actions(flatten=True)
                found.append(sum(int(count) for count in actions["num_records"].to_pylist()))
            except TableNotFoundError:
                found.append(0)
        return found[0], found[1]


def stock(folder: Path, case: Case, airports: Path) -> None:
    """Make the home that runs are copies of: the reference published, and laid into the rivals' bucket; stopped again."""
    write_project(folder / "project", columns=case.columns, rules=case.rules)
    told = [str(folder / "home"), str(folder / "project"), str(airports)]
    subprocess.run([sys.executable, "-m", "benchmarks.stock", *told], cwd=ROOT, check=True)


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
        told = {"scratch": str(scratch), "home": str(settings.home.root), "project": str(settings.project)}
        if case.kind == "local":
            shutil.copy(folder / "home" / f"{REFERENCE}.parquet", local)
            case = replace(case, place=str(local), **told)
        else:
            keys = {"url": endpoint.url, "key_id": endpoint.key_id, "secret": endpoint.secret}
            case = replace(case, place=f"{BUCKET}/main", **told, **keys)
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


def machine() -> dict[str, Any]:
    """What it ran on."""
    import platform

    import psutil

    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next(
        (line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")),
        platform.processor(),
    )
    memory = round(psutil.virtual_memory().total / 1024**3, 1)
    return {
        "cpu": model,
        "cores": psutil.cpu_count(),
        "memory_gib": memory,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def versions(python: str) -> dict[str, str]:
    """The versions of the packages in question, as an interpreter has them."""
    names = (
        "deltalake",
        "duckdb",
        "great-expectations",
        "pandera",
        "polars",
        "pyarrow",
        "pysail",
        "pyspark",
        "delta-spark",
    )
    code = (
        "import json,importlib.metadata as m\nfound={}\n"
        f"for name in {names!r}:\n  try: found[name]=m.version(name)\n  except m.PackageNotFoundError: pass\nprint(json.dumps(found))"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found
