"""A home with its sensors, a landing folder, and a clock that tests can turn on."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from dagster import DagsterInstance, RunRequest, SensorResult, build_sensor_context

from lake.pipeline.demo_data import REFERENCES
from lake.session import Session
from lake.sources.landing_folder import UNCHANGED_SECONDS
from lake.versions.publish import head
from sensors.feature_sensor import follow_features
from sensors.landing_sensor import new_drops
from tests.support.orchestration.jobs import Jobs


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
