"""A small lake that things happen to: a table that drops are appended to,
and one that each delivery replaces.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from benchmarks.rides import contract_text, write_contracts
from lake.lakefs.repository import MAIN
from lake.maintenance.reconcile import reconcile
from lake.maintenance.verify import audit_all
from lake.reports.versions import list_quarantine, list_versions, table_names
from lake.server.lifecycle import stop_server
from lake.session import Session, open_session
from lakegate.settings import Settings
from tests.support.commands.started import Started
from tests.support.places import ROOT

LEASE = 2
"""Seconds that the scene's queues wait for whoever is silent."""
FIRST = 6
"""Differences that are told of each table."""
KEPT = ("name", "drop", "rows_valid", "rows_quarantined", "rows_unreadable", "rows_total", "content_hash")


@dataclass(frozen=True)
class Scene:
    """A project and a home."""

    folder: Path
    home: Path
    tenant: str = "default"
    environ: dict[str, str] = field(default_factory=dict)
    """What its commands find in their environment beside the usual."""

    @property
    def settings(self) -> Settings:
        return replace(
            Settings.load(home=self.home, project=self.folder / "project", tenant=self.tenant), lease=LEASE
        )

    @classmethod
    def made(
        cls,
        folder: Path,
        *,
        appended: Sequence[str] = ("rides",),
        replaced: Sequence[str] = ("rates",),
        ordered: bool = False,
        home: Path | None = None,
        tenant: str = "default",
    ) -> Scene:
        """A project, without a home unless one is named; `ordered`:
        drops of what is appended follow each other by their rides.
        """
        for mode, names in (("append", appended), ("replace", replaced)):
            order = {"orderBy": "ride"} if ordered and mode == "append" else {}
            made = {name: contract_text(name, writeMode=mode, maxQuarantined=1.0, **order) for name in names}
            write_contracts(folder / "project", made)
        return cls(folder, home or folder / "home", tenant)

    def copied(self, folder: Path) -> Scene:
        """The same lake elsewhere; its server must be down."""
        shutil.copytree(self.folder, folder)
        return Scene(folder, folder / "home")

    def drop(self, name: str, rides: range) -> Path:
        """A delivery of these rides, the last of them broken."""
        path = self.folder / name
        body = "".join(f"{ride},{ride % 97}.5\n" for ride in rides[:-1]) + f"{rides[-1]},free\n"
        path.write_text(f"ride,fare\n{body}")
        return path

    def start(self, *arguments: object, plan: dict[str, Any] | None = None) -> Started:
        """A command in a process group of its own."""
        told = ("--home", str(self.home), "--project", str(self.folder / "project"), "--json")
        environ = os.environ | {"PYTHONPATH": str(ROOT), "LAKEGATE_LEASE": str(LEASE)} | self.environ
        return Started(plan or {}, [*map(str, arguments), *told], environ)

    def run(
        self, *arguments: object, plan: dict[str, Any] | None = None, code: int = 0, timeout: float = 120
    ) -> Any:
        """What a command printed, which must end with `code`."""
        return answer(self.start(*arguments, plan=plan), code=code, timeout=timeout)

    def open(self) -> Session:
        return open_session(self.settings)

    def close(self) -> None:
        """Stop its server."""
        stop_server(self.settings.home)

    def published(self) -> dict[str, list[dict[str, Any]]]:
        """What two lakes with the same history agree on."""
        session = self.open()
        return {
            table: [{key: version[key] for key in KEPT} for version in list_versions(session, table)]
            for table in table_names(session)
        }

    def differences(self, other: Scene) -> list[str]:
        """Where the versions of two lakes differ, the first few of each table:
        nothing is left of them once a test has ended.
        """
        mine, theirs = self.published(), other.published()
        told = []
        for table in sorted({*mine, *theirs}):
            pairs = zip_longest(mine.get(table, ()), theirs.get(table, ()))
            told += [f"{table}: {one} is {two} there" for one, two in pairs if one != two][:FIRST]
        return told

    def aside(self, dataset: str = "rides") -> list[tuple[str, int, list[str]]]:
        """The rows set aside."""
        session = self.open()
        return [
            (row["drop"], row["row"], row["rules"])
            for row in list_quarantine(session, session.catalog.get(dataset))
        ]

    def forgotten(self, prefix: str) -> None:
        """Reconcile, as a daemon does that looks in now and then, until no branch of that name is left."""
        session = self.open()
        while session.repository.branches(prefix):
            reconcile(session)
            time.sleep(LEASE / 4)

    def left_over(self) -> list[str]:
        """Everything that an attempt should have taken with it, and every gap of a version."""
        session = self.open()
        found = [name for name in session.repository.branches("") if name.startswith("attempt-")]
        found += session.repository.uncommitted(MAIN)
        found += [item.path for item in session.repository.listing(MAIN, "_lakegate/pending/")]
        return found + [f"{name}: {gap}" for name, gaps in audit_all(session).items() for gap in gaps]


def answer(process: Started, *, code: int = 0, timeout: float = 120) -> Any:
    """What a command printed."""
    out, err = process.communicate(timeout=timeout)
    assert process.returncode == code, f"ended with {process.returncode}: {err[-3000:]}"
    return json.loads(out) if out.strip() else None


@contextmanager
def stopped(process: Started, *, timeout: float = 60) -> Iterator[None]:
    """Wait until a process has stopped itself, and let it go on afterwards."""
    end = time.monotonic() + timeout
    try:
        while state(process.pid) != "T":
            assert process.poll() is None, (
                f"it ended with {process.returncode} and never stopped: {process.communicate()[1][-3000:]}"
            )
            assert time.monotonic() < end, "it never stopped"
            time.sleep(0.02)
        yield
    except BaseException:
        process.kill()
        raise
    os.kill(process.pid, signal.SIGCONT)


def state(pid: int) -> str:
    """The kernel's letter for what a process does; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def steps_of(timeline: Path) -> list[tuple[str, str, int]]:
    """Table, step and how often it was reached by then, of each step in a timeline."""
    seen: dict[tuple[str, str], int] = {}
    found = []
    for line in timeline.read_text().splitlines():
        _, table, step = line.split()
        seen[table, step] = seen.get((table, step), 0) + 1
        found.append((table, step, seen[table, step]))
    return found
