"""A command line that runs in a worker process, a lake under it, and the demo's deliveries cut short."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from lake.lakefs.repository import Repository
from lake.server.lifecycle import ensure_server
from lakegate.settings import Settings
from tests.support.places import ROOT

CUT = 240
"""Records of a month that these tests deliver."""


@dataclass(frozen=True)
class Answer:
    """What a command ended with and wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it wrote to stdout, which has to be one JSON value."""
        return json.loads(self.out)

    @property
    def one(self) -> Any:
        """The only item of the list that it wrote."""
        (item,) = self.json
        return item


class CommandLine:
    """`lakegate` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        worker = [sys.executable, str(ROOT / "tests/support/commands/command_worker.py")]
        self.errors = (folder / "worker.log").open("w")
        self.process = subprocess.Popen(
            worker,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=dict(os.environ),
        )

    def __call__(self, *arguments: object, folder: Path | None = None) -> Answer:
        """Run a command and wait for it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(
            json.dumps({"arguments": [str(item) for item in arguments], "folder": str(folder or ROOT)}) + "\n"
        )
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the worker died: {(self.folder / 'worker.log').read_text()[-2000:]}"
        return Answer(**json.loads(line))

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)
        self.errors.close()


@dataclass
class Lake:
    """A home, its command line, and a look at what the lake itself holds."""

    settings: Settings
    command_line: CommandLine
    files: Path

    @property
    def home(self) -> Path:
        return self.settings.home.root

    def run(self, *arguments: object, folder: Path | None = None) -> Answer:
        """A command on this home and project."""
        where = ("--home", self.home, "--project", self.settings.project)
        return self.command_line(*arguments, *where, folder=folder)

    def ingest(self, dataset: str, *paths: Path, code: int = 0, options: tuple[str, ...] = ()) -> Any:
        """What `ingest --json` printed, where it ended with `code`."""
        done = self.run("ingest", dataset, *paths, "--json", *options)
        assert done.code == code, done
        return done.json

    @property
    def repository(self) -> Repository:
        """The repository, its server started where it is not running."""
        endpoint = ensure_server(self.settings, say=lambda _: None)
        name = self.settings.repository
        return Repository(endpoint, name, namespace=f"local://{name}")

    def file(self, name: str, content: bytes) -> Path:
        """A delivery."""
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def state(self) -> dict[str, Any]:
        """All that a reader can see: tags with their commits, and every table's head with its manifest's
        hash.
        """
        repository = self.repository
        heads = {
            item.path: repository.get_json("main", item.path)
            for item in repository.listing("main", "_lakegate/heads/")
        }
        keeps = {name: repository.commit_of(name) for name in repository.branches("keep-")}
        return {"tags": repository.tags(""), "heads": heads, "keeps": keeps}

    def left_over(self) -> list[str]:
        """Work that was begun and never ended: candidates, receptions, uncommitted objects, scratch folders;
        the ledger commits its records later.
        """
        repository = self.repository
        branches = repository.branches("attempt-")
        return [
            *branches,
            *repository.uncommitted("main"),
            *(str(path) for path in self.settings.scratch_dir.iterdir()),
        ]

    def raw(self, dataset: str, drop: str) -> bytes | None:
        """The bytes that raw keeps of a drop."""
        return self.repository.get("main", f"raw/{dataset}/{drop}/data")

    def manifest(self, table: str, number: int) -> dict[str, Any]:
        """A version's manifest, as its tag holds it."""
        found = self.repository.get_json(f"{table}.v{number}", f"_lakegate/manifests/{table}/v{number}.json")
        assert found is not None
        return found

    def ledger(self, dataset: str, drop: str) -> list[dict[str, Any]]:
        """The ledger's records of a drop, oldest first."""
        repository = self.repository
        paths = sorted(item.path for item in repository.listing("ledger", f"{dataset}/{drop}/"))
        return [found for path in paths if (found := repository.get_json("ledger", path)) is not None]


@dataclass(frozen=True)
class Sample:
    """The demo's deliveries, and months of flights cut down to a few hundred records."""

    folder: Path

    def reference(self, dataset: str) -> Path:
        return self.folder / f"{dataset}.csv"

    def lines(self, month: int) -> list[bytes]:
        """Header and first records of a month."""
        return (
            (self.folder / f"flights-2013-{month:02}.csv").read_bytes().splitlines(keepends=True)[: CUT + 1]
        )

    def month(self, month: int) -> bytes:
        return b"".join(self.lines(month))


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker makes who wants it, and all read."""
    among = factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else factory.getbasetemp()
    folder = among / name
    with FileLock(among / f"{name}.lock"):
        if not folder.exists():
            shutil.rmtree(
                among / f"{name}.begun", ignore_errors=True
            )  # a worker that failed to make it tells why
            make(among / f"{name}.begun")
            (among / f"{name}.begun").rename(folder)
    return folder
