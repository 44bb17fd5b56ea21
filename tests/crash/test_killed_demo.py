"""P3, exactly once: kill -9 anywhere, start again, and the lake ends up as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, DagsterRunStatus, RunsFilter

from assets.instance import open_instance
from lake.lakefs.repository import MAIN
from lake.maintenance.verify import audit_all
from lake.reports.versions import list_versions, table_names
from lake.session import Session, open_session
from lakegate.settings import Settings
from tests.crash.conftest import Tried
from tests.support.commands.started import Started
from tests.support.places import ROOT

PROJECT = ROOT
MONTHS = int(os.environ.get("LAKEGATE_CRASH_MONTHS", "2"))
"""The whole year (12) by hand; two months in CI keep the suite short."""

SEED = int(os.environ.get("LAKEGATE_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@dataclass(frozen=True)
class Kill:
    """Where a run dies: the n-th time that a table reaches a step, and whether lakeFS dies with it."""

    table: str
    step: str
    latest: int
    lakefs: bool = False


KILLS = [
    Kill("flights_raw", "merge.done", MONTHS),
    Kill(
        "flights", "write.quarantine", min(2, MONTHS - 1)
    ),  # a later kill needs a month that is not published yet
    Kill("flight_features", "commit", 1, lakefs=True),
    Kill("flights", "tag.done", 1),
    Kill("flight_features", "tell", 1),
]


def run_demo(home: Path, *, code: int, plan: dict[str, Any] | None = None) -> None:
    """The demo, which must end with `code`."""
    arguments = ["demo", "--months", str(MONTHS), "--home", str(home), "--project", str(PROJECT)]
    process = Started(plan or {}, arguments, os.environ | {"PYTHONPATH": str(PROJECT)})
    _, told = process.communicate(timeout=600)
    assert process.returncode == code, f"{plan}: it ended with {process.returncode}: {told[-3000:]}"


def opened(home: Path) -> Session:
    return open_session(Settings.load(home=home, project=PROJECT))


def published(session: Session) -> dict[str, list[dict[str, Any]]]:
    kept = ("name", "drop", "rows_valid", "rows_quarantined", "rows_unreadable", "rows_total", "content_hash")
    return {
        table: [{key: version[key] for key in kept} for version in list_versions(session, table)]
        for table in table_names(session)
    }


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """A home of an undisturbed run, and one whose runs were killed five times."""
    from lake.server.lifecycle import stop_server

    folder = tmp_path_factory.mktemp("killed")
    made = {name: folder / name for name in ("undisturbed", "killed")}
    run_demo(made["undisturbed"], code=0)
    chance = random.Random(SEED)
    for kill in KILLS:
        does = "kill-both" if kill.lakefs else "kill"
        plan = {
            "table": kill.table,
            "step": kill.step,
            "occurrence": chance.randint(1, kill.latest),
            "does": does,
        }
        print(f"seed {SEED}: {plan}")
        run_demo(made["killed"], code=-signal.SIGKILL, plan=plan)
    run_demo(made["killed"], code=0)
    yield made
    for home in made.values():
        stop_server(Settings.load(home=home, project=PROJECT).home)


@pytest.mark.server
def test_killed_five_times_gives_the_same_versions_and_content_hashes(
    homes: dict[str, Path], tried: Tried
) -> None:
    undisturbed = published(opened(homes["undisturbed"]))
    assert [version["name"] for version in undisturbed["flights"]] == [
        f"flights@v{number}" for number in range(1, MONTHS + 1)
    ]
    assert published(opened(homes["killed"])) == undisturbed, f"seed {SEED}"
    tried("P3 exactly once", f"the demo of {MONTHS} months is killed, at every hop", len(KILLS))


@pytest.mark.server
def test_killed_runs_leave_nothing_behind_that_blocks_anything(homes: dict[str, Path]) -> None:
    session = opened(homes["killed"])
    leftover = [name for name in session.repository.branches("") if name.startswith("attempt-")]
    assert leftover == []
    assert session.repository.uncommitted(MAIN) == []
    assert not any(audit_all(session).values())
    with open_instance(session.settings) as instance:
        alive = [
            DagsterRunStatus.STARTED,
            DagsterRunStatus.STARTING,
            DagsterRunStatus.QUEUED,
            DagsterRunStatus.NOT_STARTED,
        ]
        assert instance.get_runs(RunsFilter(statuses=alive)) == []


@pytest.mark.server
def test_dagster_was_told_of_every_version_in_the_end(homes: dict[str, Path]) -> None:
    session = opened(homes["killed"])
    with open_instance(session.settings) as instance:
        for table in ("flights_raw", "flights", "flight_features"):
            events = instance.fetch_materializations(AssetKey(table), limit=1000).records
            told = {
                event.asset_materialization.metadata["version"].value
                for event in events
                if event.asset_materialization
            }
            assert {version["name"] for version in list_versions(session, table)} <= told, table
