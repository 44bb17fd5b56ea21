"""What nobody has to think of, in Dagster: leftovers are mended, versions end when their time has come,
a source that waits is shown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from dagster import (
    AssetCheckKey,
    AssetKey,
    DagsterInstance,
    DefaultScheduleStatus,
    RunsFilter,
    SkipReason,
    build_sensor_context,
)

from assets import resource, run_tags
from assets.definitions import define
from assets.instance import open_instance
from assets.resource import LakegateResource
from benchmarks.rides import contract_text
from catalog.files import load_catalog
from lake.lakefs.branches import CANDIDATE, branch_of, new_attempt
from lake.lakefs.repository import MAIN
from lake.pipeline.ingest import ingest
from lake.reports.versions import list_versions
from lake.runtime.circuit_breaker import Breaker, State, folder
from lake.session import Session, open_session
from lakegate.settings import Settings
from sensors.maintenance import clean_up_nightly, mend
from tests.support.orchestration.jobs import Jobs

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def session(lakefs_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Session:
    project = tmp_path_factory.mktemp("project")
    contracts = project / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    text = contract_text(writeMode="append", maxQuarantined=1.0, retention="{versions: 1}")
    (contracts / "rides.odcs.yaml").write_text(text)
    return open_session(replace(lakefs_home, project=project, tenant="upkeep"))


@pytest.fixture(scope="module")
def instance(session: Session) -> Iterator[DagsterInstance]:
    with open_instance(session.settings) as found:
        yield found


def delivered(folder: Path, number: int) -> Path:
    path = folder / f"{number}.csv"
    path.write_text(f"ride,fare\n{number},1.5\n")
    return path


def test_sensor_mends_what_died(session: Session, instance: DagsterInstance) -> None:
    session.repository.branch(branch_of(CANDIDATE, new_attempt(), "rides", "0123456789ab"), MAIN)
    sensor = mend(LakegateResource(session.settings, session=session))
    told = sensor(build_sensor_context(instance=instance))
    assert isinstance(told, SkipReason)
    assert told.skip_message == "1 mended, 0 left."
    assert session.repository.branches("attempt-") == []


def test_versions_end_at_night(session: Session, instance: DagsterInstance, tmp_path: Path) -> None:
    for number in (1, 2):
        ingest(session, "rides", [delivered(tmp_path, number)])
    schedule = clean_up_nightly(load_catalog(session.settings.project))
    assert schedule.default_status is DefaultScheduleStatus.RUNNING
    job = define(session.settings).resolve_job_def("clean_up")
    lake = LakegateResource(session.settings, session=session)
    assert job.execute_in_process(instance=instance, resources={resource.NAME: lake}).success
    assert session.repository.get_json(MAIN, "_lakegate/expired/rides/v1.json") is not None
    assert [version["name"] for version in list_versions(session, "rides")] == ["rides@v1", "rides@v2"]


def test_source_that_waits_is_shown_by_a_check(
    session: Session, instance: DagsterInstance, tmp_path: Path
) -> None:
    key = AssetCheckKey(AssetKey("rides_raw"), "source")

    def shown() -> bool:
        record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
        assert record.evaluation
        return record.evaluation.passed

    jobs = Jobs(session, instance)
    assert jobs.carry("rides", delivered(tmp_path, 3))
    assert shown()
    state = folder(session.settings) / "rides.json"
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text(json.dumps(asdict(State("fffff", time.time() + 600))))
    assert not jobs.carry("rides", delivered(tmp_path, 4))
    (run,) = instance.get_runs(RunsFilter(tags={run_tags.FAILURE: "Transient"}))
    assert "rides waits" in "".join(str(entry) for entry in instance.all_logs(run.run_id))
    assert not shown()
    assert Breaker(session.settings, "rides").state.is_open
    state.unlink()
    assert jobs.carry("rides", tmp_path / "4.csv")
    assert shown()
