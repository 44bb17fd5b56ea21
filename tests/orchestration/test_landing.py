"""The sensors over a real home: files that land are received, carried, and put away."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import pytest
from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    RunRequest,
    RunsFilter,
    SensorResult,
    build_sensor_context,
)

from assets import run_tags
from assets.instance import open_instance
from assets.web.dev import dev_command
from catalog.contract import QualityRule
from lake.decisions import approvals
from lake.ledger.receipts import last_position, pending
from lake.maintenance.verify import audit_all
from lake.pipeline.demo_data import REFERENCES, deliver_sample
from lake.pipeline.ingest import ingest
from lake.session import Session, open_session
from lake.sources import Extract
from lake.sources.landing_folder import UNCHANGED_SECONDS
from lake.versions.publish import head
from lakegate.settings import Settings
from sensors import landing_sensor
from sensors.feature_sensor import follow_features
from sensors.landing_sensor import new_drops
from tests.support.jobs import Jobs
from tests.support.list_source import ListSource
from tests.support.places import ROOT

pytestmark = pytest.mark.server
CUT = 240
"""Records of a month that these tests deliver."""

END_TO_END_SECONDS = 300
"""When to give up; on an idle machine it takes well under a minute."""


@dataclass
class Home:
    """A home with its sensors, and a clock that tests can turn on."""

    session: Session
    instance: DagsterInstance
    files: Path
    clock: float = field(default_factory=time.time)
    cursor: str | None = None

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.session, self.instance)
        made = self.jobs.made.jobs
        self.new_drops = new_drops(
            self.jobs.lake, {name: job for name, job in made.items() if name != "flight_features"}
        )
        self.follow = follow_features(self.jobs.lake, {"flight_features": made["flight_features"]})

    @property
    def landing(self) -> Path:
        return self.session.settings.home.landing

    def put(self, dataset: str, name: str, content: bytes) -> Path:
        path = self.landing / dataset / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def sample(self, dataset: str, name: str, source: str) -> Path:
        return self.put(dataset, name, (self.files / source).read_bytes())

    def look(self, *, later: float = UNCHANGED_SECONDS + 1) -> list[RunRequest]:
        """One tick of `new_drops`, some seconds after the one before."""
        self.clock += later
        result = self.new_drops(build_sensor_context(instance=self.instance, cursor=self.cursor))
        assert isinstance(result, SensorResult)
        self.cursor = result.cursor
        return list(result.run_requests or [])

    def missing(self) -> list[RunRequest]:
        """One tick of `follow_features`."""
        result = self.follow(build_sensor_context(instance=self.instance))
        assert isinstance(result, SensorResult)
        return list(result.run_requests or [])

    def run(self, request: RunRequest) -> bool:
        """What the daemon does with a request."""
        return self.jobs.ask(request)

    def references(self) -> None:
        """See to it that each reference has a version, by way of the landing folder."""
        for name in REFERENCES:
            if self.version(name) == 0:
                self.sample(name, f"{name}.csv", f"{name}.csv")
                self.look()
                (request,) = [item for item in self.look() if item.job_name == f"carry_{name}"]
                assert self.run(request)

    def version(self, table: str) -> int:
        found = head(self.session.repository, table)
        return int(found["version"]) if found else 0

    def listed(self, dataset: str) -> list[str]:
        folder = self.landing / dataset
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    def empty(self) -> None:
        for path in self.landing.iterdir():
            shutil.rmtree(path)


@pytest.fixture(scope="module")
def opened(lakefs_home: Settings) -> Iterator[Home]:
    files = lakefs_home.home.root.parent / "deliveries"
    deliver_sample(files)
    for month in range(1, 13):
        path = files / f"flights-2013-{month:02}.csv"
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[: CUT + 1]))
    # A tenant of its own: an engine keeps a bucket's keys for as long as its process lives.
    session = open_session(replace(lakefs_home, tenant="landing"))
    with open_instance(lakefs_home) as instance:
        yield Home(session, instance, files)


@pytest.fixture
def home(opened: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The module's home with an empty landing folder."""
    monkeypatch.setattr(landing_sensor.time, "time", lambda: opened.clock)
    opened.empty()
    opened.cursor = None
    return opened


def test_what_is_half_written_is_not_touched_until_it_stands_still(home: Home) -> None:
    home.sample("airlines", "airlines.csv.part", "airlines.csv")
    home.sample("airlines", ".airlines.csv", "airlines.csv")
    growing = home.put("airlines", "airlines.csv", b"carrier,name\n")
    for _ in range(3):
        assert home.look() == []
        with growing.open("ab") as writer:
            writer.write(b"XX,Ten Air\n")
    assert home.look() == []
    (request,) = home.look()
    assert request.job_name == "carry_airlines"
    assert str(request.partition_key).startswith("airlines.csv~")
    assert home.listed("airlines") == [".airlines.csv", "airlines.csv", "airlines.csv.part"]
    assert not home.run(request)  # its key comes again and again


def test_a_file_is_carried_and_then_put_away(home: Home) -> None:
    before = home.version("airlines")
    home.sample("airlines", "airlines.csv", "airlines.csv")
    assert home.look() == []
    (request,) = home.look()
    assert home.listed("airlines") == ["airlines.csv"]
    assert home.run(request)
    assert home.look() == []
    assert home.listed("airlines") == [".done/airlines.csv"]
    assert home.version("airlines") == before + 1


def test_the_same_bytes_again_are_put_away_and_publish_nothing(home: Home) -> None:
    before = home.version("airlines")
    home.sample("airlines", "again.csv", "airlines.csv")
    home.look()
    for request in home.look():  # one, where another delivery of the table is still on its way
        assert home.run(request)
    assert home.look() == []
    assert home.listed("airlines") == [".done/again.csv"]
    assert home.version("airlines") == before


def test_a_blocked_file_is_put_away_with_a_note_that_quotes_no_value(home: Home) -> None:
    home.put("airlines", "bad.csv", b"carrier\nQQQSECRET\n")
    home.look()
    (request,) = home.look()
    assert not home.run(request)
    assert home.look() == []
    assert home.listed("airlines") == [".blocked/bad.csv", ".blocked/bad.csv.txt"]
    note = (home.landing / "airlines/.blocked/bad.csv.txt").read_text()
    assert "name" in note
    assert home.session.catalog.get("airlines").owner in note
    assert "QQQSECRET" not in note


def test_a_blocked_file_that_is_put_there_again_is_judged_again(home: Home) -> None:
    home.put("airlines", "bad.csv", b"carrier\nQQQSECRET\n")
    home.look()
    (request,) = home.look()
    assert not home.run(request)


def test_a_held_file_is_put_away_and_carried_by_the_sensor_once_it_is_approved(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = home.session.catalog.get("airlines")
    many = QualityRule(
        "many", "processed", "expect_table_row_count_to_be_between", {"min_value": 100}, "hold", "schema", 0
    )
    monkeypatch.setitem(
        home.session.catalog.contracts,
        "airlines",
        replace(contract, rules=(*contract.rules, many), max_shrink=None, hash="with-a-hold"),
    )
    held = Home(home.session, home.instance, home.files, clock=home.clock)
    monkeypatch.setattr(landing_sensor.time, "time", lambda: held.clock)
    content, before = b"carrier,name\nAD,Adagio\n", held.version("airlines")
    held.put("airlines", "few.csv", content)
    held.look()
    (request,) = held.look()
    assert not held.run(request)
    assert held.look() == []
    assert held.listed("airlines") == [".blocked/few.csv", ".blocked/few.csv.txt"]
    note = (held.landing / "airlines/.blocked/few.csv.txt").read_text()
    assert "lakegate approve" in note
    assert "put it into the folder" not in note
    found = approvals.find_held(held.session, hashlib.sha256(content).hexdigest())
    approvals._decide(
        held.session,
        found,
        "approved",
        "few it is",
        {"rules": ["many"], "suite_hash": found.body["suite_hash"]},
    )
    (request,) = held.look()
    assert held.run(request)
    assert held.version("airlines") == before + 1


def test_a_look_that_comes_too_early_asks_for_nothing_twice(home: Home) -> None:
    home.put("airlines", "other.csv", b"carrier,name\nAB,Able\n")
    home.look()
    (first,) = home.look()
    (second,) = home.look()  # the daemon died before it made the run: the same key
    assert first.run_key == second.run_key
    job = home.jobs.job("carry_airlines")
    home.instance.create_run_for_job(job, tags=dict(first.tags))
    assert home.look() == []


def test_a_drop_whose_runs_die_is_tried_a_few_times_and_then_left(home: Home) -> None:
    home.put("airlines", "unlucky.csv", b"carrier,name\nAC,Accident\n")
    home.look()
    job = home.jobs.job("carry_airlines")
    asked = 0
    while requests := home.look():
        asked += 1
        run = home.instance.create_run_for_job(job, tags=dict(requests[0].tags))
        home.instance.report_run_failed(run)
    assert asked == 3
    assert home.listed("airlines") == ["unlucky.csv"]


def test_a_folder_that_no_contract_knows_is_left_alone_and_said_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.put("mystery", "a.csv", b"x\n1\n")
    assert home.look() == []
    assert home.look() == []
    assert home.listed("mystery") == ["a.csv"]
    assert home.cursor is not None
    assert "folder mystery" in home.cursor


def test_drops_wait_for_references_and_features_follow(home: Home) -> None:
    home.sample("flights", "flights-2013-01.csv", "flights-2013-01.csv")
    home.look()
    (waits,) = home.look()
    assert home.run(waits)
    assert home.version("flights_raw") == 1
    assert home.version("flights") == 0
    assert home.look() == []
    home.references()
    (again,) = home.look()
    assert again.run_key != waits.run_key
    assert home.run(again)
    assert home.look() == []
    assert home.listed("flights") == [".done/flights-2013-01.csv"]
    (follows,) = home.missing()
    assert home.run(follows)
    assert home.missing() == []
    assert home.version("flight_features") == 1


def test_dagster_is_told_of_what_the_command_line_published(home: Home) -> None:
    home.references()
    month = home.sample("flights", "flights-2013-02.csv", "flights-2013-02.csv")
    ingest(home.session, "flights", [month])
    home.look()
    (tells,) = home.look()
    version = home.version("flights")
    assert home.run(tells)
    assert home.look() == []
    assert home.version("flights") == version
    assert home.listed("flights") == [".done/flights-2013-02.csv"]
    (follows,) = home.missing()
    assert str(follows.run_key).startswith("flight_features:tell ")
    assert home.run(follows)
    assert home.missing() == []


def test_a_source_with_positions_needs_no_other_sensor(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each delivery is received at the look that finds it; runs that a daemon lost are asked for again."""
    before = home.version("airlines")
    contents = [b"carrier,name\nAE,Aether\n", b"carrier,name\nAF,Afar\n"]
    source = ListSource("airlines", contents, home.landing.parent)
    monkeypatch.setattr(landing_sensor.Tick, "sources", lambda _: iter([source]))
    lost = home.look()
    assert [request.job_name for request in lost] == ["carry_airlines"] * 2
    assert last_position(home.session, "list") == "2"
    while requests := home.look():
        assert home.run(requests[0])
    assert home.version("airlines") == before + 2
    drops = {hashlib.sha256(content).hexdigest() for content in contents}
    assert drops.isdisjoint(pending(home.session, "airlines"))
    assert not any(home.files.parent.rglob("delivery-*.csv"))


def test_what_cannot_be_received_keeps_back_the_rest(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before = pending(home.session, "airlines")
    source = ListSource("mystery", [b"x\n1\n"], home.landing.parent, name="stuck")
    behind = Extract("airlines", home.put("airlines", "behind.csv", b"carrier,name\nAG,Agape\n"), "2", "2")
    monkeypatch.setattr(source, "poll", lambda position: [*ListSource.poll(source, position), behind])
    monkeypatch.setattr(landing_sensor.Tick, "sources", lambda _: iter([source]))
    assert home.look() == []
    assert last_position(home.session, "stuck") == ""
    assert pending(home.session, "airlines") == before


def _until(done: Callable[[], bool], *, seconds: float) -> float:
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if done():
            return time.monotonic() - start
        time.sleep(0.2)
    return float("inf")


@contextmanager
def dagster(home: Home, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Dagster's UI, daemon and code location on the home."""
    command, needs = dev_command(home.session.settings)
    with log.open("a") as out:
        environment = {**os.environ, **needs, "PYTHONPATH": str(ROOT)}
        dev = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield dev
        finally:
            with suppress(ProcessLookupError):
                os.killpg(dev.pid, signal.SIGINT)
            try:
                dev.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(dev.pid, signal.SIGKILL)


def test_files_reach_the_features_with_no_click_and_whatever_dies(home: Home, tmp_path: Path) -> None:
    """One that is put into the landing folder; and one whose run and daemon are killed, once they are started again."""
    home.references()
    tables, log = ("flights_raw", "flights", "flight_features"), tmp_path / "dev.log"
    before = [home.version(table) for table in tables]

    def claimed() -> bool:
        """Whether a process works on a run of the drop that came last."""
        started = home.instance.get_runs(
            RunsFilter(job_name="carry_flights", statuses=[DagsterRunStatus.STARTED])
        )
        return any(run_tags.PROCESS in run.tags for run in started)

    def carried(target: Path, times: int) -> None:
        put_away = target.parent / ".done" / target.name
        assert _until(put_away.is_file, seconds=END_TO_END_SECONDS) < END_TO_END_SECONDS, log.read_text()[
            -4000:
        ]
        reached = _until(
            lambda: home.version("flight_features") == before[2] + times, seconds=END_TO_END_SECONDS
        )
        assert reached < END_TO_END_SECONDS, log.read_text()[-4000:]
        assert [home.version(table) for table in tables] == [number + times for number in before]

    with dagster(home, log) as dev:
        carried(home.sample("flights", "flights-2013-03.csv", "flights-2013-03.csv"), 1)
        unlucky = home.sample("flights", "flights-2013-04.csv", "flights-2013-04.csv")
        assert _until(claimed, seconds=END_TO_END_SECONDS) < END_TO_END_SECONDS, log.read_text()[-4000:]
        for process in [*psutil.Process(dev.pid).children(recursive=True), psutil.Process(dev.pid)]:
            with suppress(psutil.Error):
                process.kill()
    assert home.version("flight_features") == before[2] + 1
    with dagster(home, log):
        carried(unlucky, 2)
    assert not any(audit_all(home.session).values())
