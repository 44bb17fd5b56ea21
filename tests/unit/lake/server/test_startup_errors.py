"""Why a server did not come up is told by what follows from it;
whose server can't be ended keeps its record.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lake.server import lifecycle, startup_errors
from lake.server import process as module
from lake.server.lifecycle import stop_server
from lake.server.startup_errors import why_not_started
from lakegate.errors import IntegrityError, LakegateError, Transient
from lakegate.home import Home
from lakegate.settings import Settings

FATAL = (
    'time="2026-11-30T08:42:16Z" level=fatal msg="Failed to '
    'open KV store" func=init file="cmd/run.go:91" error="{}"'
)
PANICS = (
    "  | panic({0x31041a0?, 0x33a8eaf64000?})\n"
    "  | github.com/dgraph-io/badger/v4/table.(*Table).initIndex(0x33a8eaf62000)"
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Settings.load(home=tmp_path / "home", project=tmp_path).home.prepare()


@pytest.mark.parametrize(
    ("log", "kind", "said"),
    [
        (FATAL.format("manifest has bad magic"), IntegrityError, "manifest has bad magic"),
        (
            FATAL.format('Open existing file: \\"kv/000001.vlog\\" err: Invalid datakey id'),
            IntegrityError,
            '"kv/000001.vlog" err: Invalid datakey id',
        ),
        (FATAL.format("Encryption key mismatch"), IntegrityError, "Encryption key mismatch"),
        (PANICS, IntegrityError, "panic"),
        (FATAL.format("write MANIFEST: no space left on device"), Transient, "disk is full"),
        (
            FATAL.format(
                'Cannot acquire directory lock on \\"kv\\". Another process is using this Badger database.'
            ),
            LakegateError,
            "another lakeFS",
        ),
        (FATAL.format("open kv/MANIFEST: permission denied"), LakegateError, "can't write"),
        (FATAL.format("open kv/000007.sst: too many open files"), LakegateError, "too few files"),
        ('level=fatal msg="Failed to listen" error="no such host"', LakegateError, "did not start"),
    ],
)
def test_log_is_told_by_what_follows_from_it(
    home: Home, log: str, kind: type[LakegateError], said: str
) -> None:
    found = why_not_started(home, log)
    assert type(found) is kind
    assert said in found.what
    assert found.fix
    if kind is IntegrityError:
        assert found.where == str(home.lakefs / "kv")
        assert "lakegate restore" in found.fix
        assert "level=fatal" not in str(found)


@pytest.fixture
def living() -> Iterator[psutil.Process]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield psutil.Process(process.pid)
    process.kill()
    process.wait()


def record(home: Home, process: psutil.Process, *, started: float = 0) -> None:
    told = {
        "format": 1,
        "pid": process.pid,
        "started": process.create_time() + started,
        "port": 9,
        "home": str(home.root),
    }
    home.server_file.write_text(json.dumps(told))


def test_down_leaves_the_record_of_a_server_that_is_another_users(
    home: Home, living: psutil.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which is one that answers, and that this user may not look at."""
    record(home, living)
    monkeypatch.setattr(module, "processes", lambda _: [])
    monkeypatch.setattr(startup_errors, "is_healthy", lambda _: True)
    with pytest.raises(LakegateError, match=f"process {living.pid}.*is {living.username()}'s") as told:
        stop_server(home)
    assert living.username() in told.value.fix
    assert home.server_file.exists()
    assert living.is_running()
    with pytest.raises(LakegateError), lifecycle.paused(home):
        pass
    assert home.server_file.exists()


@pytest.mark.parametrize(("answers", "started"), [([], 0.0), (["yes"], -100.0)])
def test_record_of_a_dead_server_goes(
    home: Home, living: psutil.Process, monkeypatch: pytest.MonkeyPatch, answers: list[str], started: float
) -> None:
    """Its process id may be somebody else's by now."""
    record(home, living, started=started)
    monkeypatch.setattr(module, "processes", lambda _: [])
    monkeypatch.setattr(startup_errors, "is_healthy", lambda _: bool(answers))
    assert stop_server(home) is False
    assert not home.server_file.exists()
    assert living.is_running()
