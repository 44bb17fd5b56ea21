from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from lake.server.lifecycle import server_status
from lakegate.errors import IntegrityError, LakegateError, Transient, UsageError
from lakegate.home import Endpoint
from lakegate.settings import Settings
from tests.support.places import ROOT
from tests.support.server.lakefs_server import pid_of, start

pytestmark = pytest.mark.server

START = """
import sys
from lakegate.settings import Settings
from lake.server.lifecycle import ensure_server
print(ensure_server(Settings.load(home=sys.argv[1]), say=lambda line: print(line, file=sys.stderr)).url)
"""


def starter(settings: Settings) -> subprocess.Popen[str]:
    """Another process that wants the same server; its pipes are ours."""
    command = [sys.executable, "-c", START, str(settings.home.root)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_fresh_home_answers_soon_and_says_how_it_is(settings: Settings) -> None:
    assert server_status(settings.home).state == "stopped"
    began = time.monotonic()
    endpoint = start(settings)
    assert time.monotonic() - began < 3
    status = server_status(settings.home)
    assert (status.state, status.url, status.pid) == ("running", endpoint.url, pid_of(settings))
    assert status.version
    assert 0 < (status.memory_bytes or 0) < 400 * 1024**2
    assert 0 <= (status.uptime or -1) < 60


def test_running_server_is_returned_at_once(lakefs_home: Settings) -> None:
    first = start(lakefs_home)
    began = time.monotonic()
    again = [start(lakefs_home) for _ in range(10)]
    assert set(again) == {first}
    assert (time.monotonic() - began) / 10 < 0.02


def test_server_listens_on_loopback_alone(lakefs_home: Settings) -> None:
    listening = [
        one
        for one in psutil.Process(pid_of(lakefs_home)).net_connections("all")
        if one.status == psutil.CONN_LISTEN
    ]
    assert [one.laddr.ip for one in listening] == ["127.0.0.1"]


def test_server_opens_no_connection_by_itself(lakefs_home: Settings) -> None:
    text = (lakefs_home.home.lakefs / "config.yaml").read_text()
    config = json.loads(text.partition("\n")[2])
    assert text.startswith("# format: 1.")
    assert config["stats"] == {"enabled": False}
    assert config["security"] == {"check_latest_version": False, "audit_check_url": ""}


def test_servers_environment_is_its_own(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEFS_LISTEN_ADDRESS", "0.0.0.0:0")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not yours")
    start(settings)
    assert set(psutil.Process(pid_of(settings)).environ()) <= {
        "HOME",
        "TMPDIR",
        "GOMEMLIMIT",
        "NO_PROXY",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
    }


def test_keys_are_random_and_for_the_owner_only(settings: Settings, lakefs_home: Settings) -> None:
    here, there = start(settings), start(lakefs_home)
    assert here.secret != there.secret
    assert here.key_id != there.key_id
    for name in ("keys.json", "config.yaml", "server.json", "lakefs.log"):
        assert stat.S_IMODE((settings.home.lakefs / name).stat().st_mode) == 0o600
    assert here.secret not in (settings.home.lakefs / "lakefs.log").read_text()


def test_processes_that_start_it_at_once_share_one(settings: Settings) -> None:
    several = [starter(settings) for _ in range(4)]
    answers = [one.communicate(timeout=60) for one in several]
    assert [one.returncode for one in several] == [0] * 4, answers
    assert len({out for out, _ in answers}) == 1
    started = [line for _, err in answers for line in err.splitlines() if "lakeFS runs at" in line]
    assert len(started) == 1


def test_server_never_holds_the_pipes_of_whoever_started_it(settings: Settings) -> None:
    one = starter(settings)
    out, _ = one.communicate(timeout=30)  # ends at end-of-file: not before every holder of the pipe let go
    assert out.startswith("http://127.0.0.1:")
    process = psutil.Process(pid_of(settings))
    assert os.getsid(process.pid) != os.getsid(0)
    targets = (
        {str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in (0, 1, 2)}
        if sys.platform == "linux"
        else set()
    )
    assert targets <= {"/dev/null", str(settings.home.lakefs / "lakefs.log")}


def test_start_that_fails_quotes_the_log(settings: Settings) -> None:
    settings.home.prepare()
    (settings.home.lakefs / "blocks").write_text("a file where a folder must be")
    with pytest.raises(LakegateError, match="its log ends with") as caught:
        start(settings)
    assert "blocks" in str(caught.value)
    assert server_status(settings.home).state == "stopped"


@pytest.mark.parametrize("name", ["keys.json", "server.json"])
def test_file_of_another_format_stops_it(settings: Settings, name: str) -> None:
    settings.home.prepare()
    (settings.home.lakefs / name).write_text('{"format": 7}')
    with pytest.raises(IntegrityError, match="format 7"):
        start(settings)
    (settings.home.lakefs / name).unlink()


def test_wrong_binary_is_the_callers_mistake(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="LAKEGATE_LAKEFS"):
        start(replace(settings, lakefs_binary=tmp_path / "no such"))


def test_external_lakefs_is_used_as_it_is(settings: Settings, lakefs_home: Settings) -> None:
    external = start(lakefs_home)
    assert start(replace(settings, lakefs=external)) is external
    assert not settings.home.root.exists()


def test_external_lakefs_that_is_away_is_worth_another_try(settings: Settings) -> None:
    with pytest.raises(Transient, match="health check"):
        start(replace(settings, lakefs=Endpoint("http://127.0.0.1:9", "key", "secret")))
