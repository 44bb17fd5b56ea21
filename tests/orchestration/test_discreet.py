"""Promise P6: what stands in a personal column stands in delivered files and data files,
and in no other byte of the home.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from dagster import SensorResult, build_sensor_context

from assets.instance import open_instance
from assets.report import report
from lake.decisions import approvals
from lake.decisions.discard import discard
from lake.decisions.replay import replay
from lake.ledger import records
from lake.pipeline.ingest import DropResult, ingest
from lake.reports.data_docs import write_docs
from lake.server.lifecycle import stop_server
from lake.session import open_session
from lake.sources.landing_folder import UNCHANGED_SECONDS
from lakegate.errors import Transient
from lakegate.names import VersionName
from lakegate.settings import Settings
from sensors import landing_sensor
from sensors.landing_sensor import new_drops
from tests.support.orchestration.jobs import Jobs
from tests.support.security.discreet_people import BORN, HEADLESS, NAME, NEEDLES, PAY, RULES, contract, drop
from tests.support.security.every_byte import searched

pytestmark = pytest.mark.server


@dataclass
class Lived:
    """A home through which personal data went in every way that there is, with its server stopped."""

    home: Path
    verdicts: list[str]
    delivered: list[bytes]
    told: list[str]
    versions: dict[str, str]
    stores: dict[Path, bytes] = field(default_factory=dict)

    def store(self, start: str) -> bytes:
        """What all files below a folder of the home say."""
        return b"\n".join(content for path, content in self.stores.items() if str(path).startswith(start))


def ticks(jobs: Jobs, patch: pytest.MonkeyPatch) -> None:
    """The sensor takes a file in, has it carried, and puts it away with a note."""
    sensor, clock, cursor = new_drops(jobs.lake, jobs.made.jobs), time.time(), None
    for _ in range(4):
        clock += UNCHANGED_SECONDS + 1
        patch.setattr(landing_sensor.time, "time", lambda now=clock: now)
        looked = sensor(build_sensor_context(instance=jobs.instance, cursor=cursor))
        assert isinstance(looked, SensorResult)
        cursor = looked.cursor
        for request in looked.run_requests or []:
            jobs.ask(request)


@pytest.fixture(scope="module")
def lived(lakefs_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder = tmp_path_factory.mktemp("people")
    contracts = folder / "project/catalog/contracts"
    contracts.mkdir(parents=True)
    (contracts / "people.odcs.yaml").write_text(contract(RULES))
    settings = replace(lakefs_home, project=folder / "project", tenant="people")
    told: list[str] = []
    session = open_session(settings, say=told.append)
    verdicts: list[str] = []
    delivered: list[bytes] = []

    def carry(name: str, content: bytes) -> list[DropResult]:
        """By a command that tells Dagster of it, and by a run of Dagster's."""
        (folder / name).write_bytes(content)
        delivered.append(content)
        found = ingest(session, "people", [folder / name], on_error=lambda _, error: told.append(str(error)))
        report(session, found)
        jobs.carry("people", folder / name)
        verdicts.extend(f"{name} {item.verdict}" for item in found)
        return found

    def fail(table: str, step: str) -> None:
        if (table, step) == ("people", "write"):
            raise ZeroDivisionError(f"engines quote {NAME} {BORN} {PAY}")

    def away(*_: object) -> None:
        raise Transient("lakeFS is away")

    with open_instance(settings) as instance, pytest.MonkeyPatch.context() as patch:
        jobs = Jobs(session, instance)
        for name, content in (
            ("people-1.csv", drop(0)),
            ("people-2.csv", drop(1000, age=34)),
            ("headless.csv", HEADLESS),
            ("older.csv", drop(2000, age=70)),
            ("oldest.csv", drop(3000, age=80)),
        ):
            carry(name, content)
        for name, decide in (("older.csv", approvals.approve), ("oldest.csv", approvals.reject)):
            held = approvals.find_held(session, hashlib.sha256((folder / name).read_bytes()).hexdigest())
            report(session, list(decide(session, held, reason="on record")))
        session.watcher = fail
        carry("failing.csv", drop(4000))
        session.watcher = None
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(records, "_put", away)
            carry("spooled.csv", HEADLESS + b"\n")
        blocked = session.settings.home.landing / "people/blocked.csv"
        blocked.parent.mkdir(parents=True, exist_ok=True)
        blocked.write_bytes(HEADLESS + b"\n\n")
        delivered.append(blocked.read_bytes())
        ticks(jobs, patch)
        (contracts / "people.odcs.yaml").write_text(
            contract([item for item in RULES if item["id"] != "name-shape"])
        )
        again = open_session(settings, say=told.append)
        people = again.catalog.get("people")
        replay(again, people, dry_run=True)
        replay(again, people)
        discard(again, people, reason="on record", rule="type:age")
        pages = [VersionName("people_raw", 1), *(VersionName("people", number) for number in (1, 2, 5))]
        write_docs(again, pages, settings.home.root / "docs")
        versions = {
            name: again.repository.commit_and_metadata(name)[1]["lakegate_manifest_sha256"]
            for name in again.repository.tags("people.")
        }
    stop_server(settings.home)
    found = Lived(settings.home.root, verdicts, delivered, told, versions)
    found.stores = searched(found.home, delivered)
    return found


def test_personal_data_went_every_way_that_there_is(lived: Lived) -> None:
    assert lived.verdicts == [
        "people-1.csv quarantined",
        "people-2.csv quarantined",
        "headless.csv blocked",
        "older.csv held",
        "oldest.csv held",
        "spooled.csv blocked",
        "spooled.csv quarantined",  # the one that failed, carried along
    ]
    assert any("ZeroDivisionError" in text for text in lived.told)
    assert len(lived.versions) >= 5  # two deliveries, one that was approved, a replay and a discard


def test_every_store_is_searched_and_says_what_is_looked_for_in_it(lived: Lived) -> None:
    first = hashlib.sha256(lived.delivered[0]).hexdigest().encode()
    holding = {
        "lakefs/kv": [
            first,
            b"lakegate-people",
        ],  # the server's key-value store: commits, branches, staged paths
        "lakefs/cache": [first],
        "lakefs/blocks": [
            first,
            b"minValues",
            b"age-range",
            b'"held"',
            b'"approved"',
            b"rejected by",
            b"drift:previous",
            b'"bins"',
        ],
        "lakefs/lakefs.log": [b"lakeFS"],
        "manifests": [first, b"content_hash"],
        "dagster": [first[:12], b"name-shape", b"ZeroDivisionError", b"people-1.csv", b"pay-most"],
        "docs": [b"people@v1", b"people_raw@v1", b"Quantile"],
        "spool": [b"blocked", b"unexpected-columns"],
        "landing": [b"blocked.csv"],
    }
    for start, words in holding.items():
        content = lived.store(start)
        for word in words:
            assert word in content, (start, word)
    commits = lived.store("lakefs/kv")
    assert all(manifest.encode() in commits for manifest in lived.versions.values())
    assert all(any(needle in content for content in lived.delivered) for needle in NEEDLES)


def test_compressed_stores_are_taken_apart(lived: Lived) -> None:
    """The server writes again what it wrote before as a reference: each commit's metadata names its manifest,
    few do so in plain bytes.
    """
    plain = b"\n".join(path.read_bytes() for path in sorted((lived.home / "lakefs/kv").iterdir()))
    word = b"lakegate_manifest_sha256"
    assert plain.count(word) < len(lived.versions) <= lived.store("lakefs/kv").count(word)


def test_no_personal_value_is_anywhere_but_in_delivered_files_and_data_files(lived: Lived) -> None:
    found = [
        (str(path), needle)
        for path, content in lived.stores.items()
        for needle in NEEDLES
        if needle in content
    ]
    assert found == []
    named = [str(path) for path in lived.home.rglob("*") if NAME in str(path.relative_to(lived.home))]
    assert named == []
    assert not [text for text in lived.told for needle in NEEDLES if needle.decode() in text]
