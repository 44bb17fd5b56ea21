"""A home of the release before is opened by this one: migrated, proved,
and as right in its answers as it was.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lake.decisions.approvals import find_rejectable, reject
from lake.lakefs.repository import Repository
from lake.ledger import records
from lake.server.lifecycle import stop_server
from lake.session import Session, open_session
from lakegate import open_snapshot
from lakegate.errors import IntegrityError
from lakegate.settings import Settings
from tests.support.places import ROOT

pytestmark = pytest.mark.server

ARCHIVE = ROOT / "tests/fixtures/home-format-1.tar.xz"
REJECTED = {
    "day-2.csv": "of another system",
    "day-4.csv": "of another system, too",
    "day-5.csv": "seconds, not minutes",
}


class KilledError(BaseException):
    """As a kill: no Exception."""


@pytest.fixture
def old(tmp_path: Path, open_lake: Any, command_line: Any) -> Any:
    """The home as the release before left it, with its contract and files."""
    assert command_line("init", tmp_path / "project").code == 0
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "readings.odcs.yaml").rename(tmp_path / "project/catalog/contracts/readings.odcs.yaml")
    lake = open_lake(tmp_path / "home", project=tmp_path / "project")
    lake.files = tmp_path / "files"
    assert format_of(lake) == {"format": 1}
    return lake


@pytest.fixture
def settings(old: Any) -> Iterator[Settings]:
    """Those of it, for a session in this process."""
    yield old.settings
    stop_server(old.settings.home)


def format_of(lake: Any) -> Any:
    return json.loads((lake.home / "lakegate.json").read_text())


def words_of(session: Session) -> dict[str, list[str]]:
    """The states on record, by file of the drop, oldest first."""
    said: dict[str, list[str]] = {}
    for item in records.find(session):
        body = records.read(session, item)
        assert (body["state"], body["at"], body["table"]) == (item.state, item.at, item.table)
        said.setdefault(item.cause, []).append(item.state)
    return said


def test_opened_by_this_release_it_answers_as_before_and_a_rejected_drop_is_rejected(old: Any) -> None:
    first = open_snapshot("readings@v1", home=old.home).arrow()  # a reader takes it as it is
    assert (first.num_rows, format_of(old)) == (19, {"format": 1})

    done = old.run("ledger", "--json")
    assert done.code == 0, done
    assert "from format 1 to 3: drops that a person rejected are `rejected`" in done.err
    assert format_of(old) == {"format": 3}
    rejected = {item["cause"]: item for item in done.json if item["state"] == "rejected"}
    assert sorted(item["reason"].split(": ")[1].split(" (")[0] for item in rejected.values()) == [
        "of another system",
        "seconds, not minutes",
    ]
    assert "discarded" not in done.out

    waiting = sorted(path.name.split("~")[-3] for path in (old.home / "spool/default").glob("*.json"))
    assert waiting == ["rejected"]
    told = old.run("reconcile", "--json").json
    assert [item["what"] for item in told] == ["a record of the ledger waited in the spool"]
    assert old.run("reconcile", "--json").json == []

    again = old.run("ledger", "--json")
    assert "format" not in again.err
    states = sorted((item["table"], item["state"]) for item in again.json)
    raw = ("readings_raw", "published")
    assert states == sorted(
        [
            ("readings", "published"),
            ("readings", "held"),
            ("readings", "rejected"),
            raw,
            raw,
            raw,
            *[("readings_raw", "rejected")] * 2,
        ]
    )
    opened = old.run("status", "--json").json["open"]
    assert [(item["file"], item["state"]) for item in opened] == [("day-3.csv", "held")]
    assert old.run("verify", "--all").code == 0
    assert open_snapshot("readings@v1", home=old.home).arrow().equals(first)
    assert len(old.run("quarantine", "readings", "--json").json) == 1

    for name, reason in REJECTED.items():
        (result,) = old.ingest("readings", old.files / name, code=3)
        assert result["verdict"] == "blocked", name
        assert f": {reason} (" in result["hops"][-1]["reason"], name
    run = next(item["run"] for item in again.json if item["state"] == "rejected")
    assert "rejected" in {item["state"] for item in old.run("trace", "--run", run, "--json").json}
    (anew,) = old.ingest("readings", old.files / "day-2.csv", code=3, options=("--force",))
    assert "rejected" not in anew["hops"][-1]["reason"]


def test_each_of_its_tenants_is_migrated_when_it_is_opened(old: Any) -> None:
    assert old.run("status", "--json").code == 0
    for tenant, drops in (("default", 2), ("other", 1)):
        done = old.run("ledger", "--json", "--tenant", tenant)
        assert [item["state"] for item in done.json].count("rejected") == drops, done
        assert "discarded" not in done.out


STEPS = [("delete", 1), ("put", 1), ("delete", 2), ("put", 2), ("delete", 3), ("put", 3)]
"""Changes of the lake in the middle of a step: markers, records, and the format in the end."""


@pytest.mark.parametrize(("kind", "number"), STEPS)
def test_killed_in_the_middle_of_a_step_the_next_open_completes_it(
    settings: Settings, old: Any, kind: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = getattr(Repository, kind), []

    def dies(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == number:
            raise KilledError
        return real(*given)

    with monkeypatch.context() as patched:
        patched.setattr(Repository, kind, dies)
        with pytest.raises(KilledError):
            open_session(settings, say=print)
    assert format_of(old) == {"format": 3, "from": 1}
    told: list[str] = []
    session = open_session(settings, say=told.append)
    assert format_of(old) == {"format": 3}
    said = words_of(session)
    assert [states for states in said.values() if "discarded" in states] == []
    assert sorted(states for states in said.values() if "rejected" in states) == [
        ["blocked", "rejected"],
        ["published", "held", "rejected"],
    ]
    assert records.unspool(session) == 1
    assert sum(states[-1] == "rejected" for states in words_of(session).values()) == len(REJECTED)


def test_several_that_open_it_at_once_migrate_it_once(settings: Settings, old: Any) -> None:
    told: list[str] = []
    with ThreadPoolExecutor(3) as pool:
        sessions = list(pool.map(lambda _: open_session(settings, say=told.append), range(3)))
    assert len([text for text in told if "from format 1 to 3" in text]) == 1
    assert format_of(old) == {"format": 3}
    for session in sessions:
        assert sum(states[-1] == "rejected" for states in words_of(session).values()) == len(REJECTED) - 1


def test_migrated_home_can_be_decided_on_as_ever(settings: Settings) -> None:
    session = open_session(settings, say=print)
    (held,) = [
        item
        for item in records.find(session)
        if item.state == "held" and words_of(session)[item.cause][-1] == "held"
    ]
    list(reject(session, find_rejectable(session, held.cause), reason="seconds, too"))
    assert words_of(session)[held.cause][-2:] == ["held", "rejected"]


def test_backup_of_it_is_restored_and_migrated_then(old: Any, tmp_path: Path) -> None:
    assert old.run("backup", tmp_path / "backup").code == 0
    assert format_of(old) == json.loads((tmp_path / "backup/lakegate.json").read_text()) == {"format": 1}
    restored = ("--home", tmp_path / "restored", "--project", old.settings.project)
    assert old.command_line("restore", tmp_path / "backup", *restored).code == 0
    assert json.loads((tmp_path / "restored/lakegate.json").read_text()) == {"format": 1}
    try:
        done = old.command_line("verify", "--all", *restored)
        assert (done.code, json.loads((tmp_path / "restored/lakegate.json").read_text())) == (
            0,
            {"format": 3},
        ), done
    finally:
        old.command_line("down", *restored)


def test_home_or_backup_of_a_later_format_is_refused_by_name(old: Any, tmp_path: Path) -> None:
    assert old.run("backup", tmp_path / "backup").code == 0
    for folder in (old.home, tmp_path / "backup"):
        (folder / "lakegate.json").write_text('{"format": 4}\n')
    opened = old.run("ledger")
    restored = old.command_line("restore", tmp_path / "backup", "--home", tmp_path / "restored")
    for done in (opened, restored):
        assert done.code != 0
        assert "home format 4, this release reads up to 3" in done.err
        assert "use the release that wrote it, or a later one" in done.err
    with pytest.raises(IntegrityError, match="home format 4, this release reads up to 3"):
        open_snapshot("readings@v1", home=old.home)
    assert format_of(old) == {"format": 4}
