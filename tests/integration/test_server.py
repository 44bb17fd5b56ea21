from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from lake.server.lifecycle import ensure_server, server_status, stop_server
from lake.server.state_files import read_server
from lakegate.errors import IntegrityError, LakegateError, Transient, UsageError
from lakegate.home import Endpoint
from lakegate.settings import Settings
from tests.support.places import ROOT

pytestmark = pytest.mark.server

START = """
import sys
from lakegate.settings import Settings
from lake.server.lifecycle import ensure_server
print(ensure_server(Settings.load(home=sys.argv[1]), say=lambda line: print(line, file=sys.stderr)).url)
"""


def start(settings: Settings) -> Endpoint:
    return ensure_server(settings, say=print)


def starter(settings: Settings) -> subprocess.Popen[str]:
    """Another process that wants the same server; its pipes are ours."""
    command = [sys.executable, "-c", START, str(settings.home.root)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def pid_of(settings: Settings) -> int:
    recorded = read_server(settings.home)
    assert recorded is not None
    return recorded.pid


def request(
    endpoint: Endpoint, method: str, path: str, body: object = None, *, raw: bytes | None = None
) -> bytes:
    basic = b64encode(f"{endpoint.key_id}:{endpoint.secret}".encode()).decode()
    data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
    kind = "application/octet-stream" if raw is not None else "application/json"
    asked = urllib.request.Request(
        f"{endpoint.url}/api/v1/{path}",
        data,
        {"Authorization": f"Basic {basic}", "Content-Type": kind},
        method=method,
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return answer.read()


def put_something(endpoint: Endpoint) -> None:
    request(
        endpoint,
        "POST",
        "repositories",
        {"name": "kept", "storage_namespace": "local://kept", "default_branch": "main"},
    )
    request(endpoint, "POST", "repositories/kept/branches/main/objects?path=a", raw=b"still here")
    request(endpoint, "POST", "repositories/kept/branches/main/commits", {"message": "kept"})


def read_it_back(endpoint: Endpoint) -> bytes:
    return request(endpoint, "GET", "repositories/kept/refs/main/objects?path=a")


def address(endpoint: Endpoint) -> str:
    return json.loads(request(endpoint, "GET", "repositories/kept/refs/main/objects/stat?path=a"))[
        "physical_address"
    ]


def test_a_fresh_home_answers_soon_and_says_how_it_is(settings: Settings) -> None:
    assert server_status(settings.home).state == "stopped"
    began = time.monotonic()
    endpoint = start(settings)
    assert time.monotonic() - began < 3
    status = server_status(settings.home)
    assert (status.state, status.url, status.pid) == ("running", endpoint.url, pid_of(settings))
    assert status.version
    assert 0 < (status.memory_bytes or 0) < 400 * 1024**2
    assert 0 <= (status.uptime or -1) < 60


def test_a_running_server_is_returned_at_once(lakefs_home: Settings) -> None:
    first = start(lakefs_home)
    began = time.monotonic()
    again = [start(lakefs_home) for _ in range(10)]
    assert set(again) == {first}
    assert (time.monotonic() - began) / 10 < 0.02


def test_it_listens_on_loopback_alone(lakefs_home: Settings) -> None:
    listening = [
        one
        for one in psutil.Process(pid_of(lakefs_home)).net_connections("all")
        if one.status == psutil.CONN_LISTEN
    ]
    assert [one.laddr.ip for one in listening] == ["127.0.0.1"]


def test_it_opens_no_connection_by_itself(lakefs_home: Settings) -> None:
    text = (lakefs_home.home.lakefs / "config.yaml").read_text()
    config = json.loads(text.partition("\n")[2])
    assert text.startswith("# format: 1.")
    assert config["stats"] == {"enabled": False}
    assert config["security"] == {"check_latest_version": False, "audit_check_url": ""}


def test_its_environment_is_its_own(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_it_never_holds_the_pipes_of_whoever_started_it(settings: Settings) -> None:
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


def test_a_killed_server_is_replaced_with_its_data_and_its_port(settings: Settings) -> None:
    endpoint = start(settings)
    put_something(endpoint)
    before = pid_of(settings)
    os.kill(before, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(before)] if psutil.pid_exists(before) else [], timeout=5)
    assert start(settings) == endpoint
    assert pid_of(settings) != before
    assert read_it_back(endpoint) == b"still here"


def test_a_hung_server_is_replaced(settings: Settings) -> None:
    endpoint = start(settings)
    put_something(endpoint)
    before = pid_of(settings)
    os.kill(before, signal.SIGSTOP)
    assert server_status(settings.home).state == "hung"
    said: list[str] = []
    replacement = ensure_server(settings, say=said.append)
    assert any("doesn't answer: replacing it" in line for line in said)
    assert pid_of(settings) != before
    assert not psutil.pid_exists(before)
    assert read_it_back(replacement) == b"still here"


def test_a_hung_server_can_be_stopped(settings: Settings) -> None:
    start(settings)
    before = pid_of(settings)
    os.kill(before, signal.SIGSTOP)
    assert stop_server(settings.home)
    assert not psutil.pid_exists(before)


def test_a_server_whose_record_was_lost_is_found(settings: Settings) -> None:
    start(settings)
    before = pid_of(settings)
    settings.home.server_file.unlink()  # as when its starter was killed in between
    start(settings)
    assert not psutil.pid_exists(before)


def test_a_record_that_names_another_process_harms_nobody(settings: Settings) -> None:
    start(settings)
    stop_server(settings.home)
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        record = {
            "format": 1,
            "pid": bystander.pid,
            "started": 0.0,
            "port": 9,
            "home": str(settings.home.root),
        }
        settings.home.server_file.write_text(json.dumps(record))
        start(settings)
        stop_server(settings.home)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_stopped_home_can_be_copied_and_moved(settings: Settings, tmp_path: Path) -> None:
    endpoint = start(settings)
    put_something(endpoint)
    where = address(endpoint)
    assert stop_server(settings.home)
    assert not stop_server(settings.home)
    copied, moved = (
        settings.with_home(tmp_path / "a copy"),
        settings.with_home(tmp_path / "elsewhere" / "moved"),
    )
    shutil.copytree(settings.home.root, copied.home.root)
    moved.home.root.parent.mkdir()
    shutil.move(settings.home.root, moved.home.root)
    try:
        for home in (copied, moved):
            there = start(home)
            assert read_it_back(there) == b"still here"
            assert address(there) == where
            assert (home.home.blocks / where.removeprefix("local://blocks/")).read_bytes() == b"still here"
        assert pid_of(copied) != pid_of(moved)
    finally:
        stop_server(copied.home)
        stop_server(moved.home)


def test_the_copy_of_a_running_home_never_uses_the_original_server(
    settings: Settings, tmp_path: Path
) -> None:
    original = start(settings)
    copied = settings.with_home(tmp_path / "copy")
    (copied.home.lakefs).mkdir(parents=True)
    shutil.copy(settings.home.server_file, copied.home.server_file)
    shutil.copy(settings.home.format_file, copied.home.format_file)
    try:
        assert start(copied).url != original.url
    finally:
        stop_server(copied.home)
    assert start(settings) == original


def test_a_port_that_was_taken_meanwhile_is_given_up(settings: Settings) -> None:
    endpoint = start(settings)
    recorded = settings.home.server_file.read_text()
    stop_server(settings.home)
    settings.home.server_file.write_text(recorded)
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", int(endpoint.url.rpartition(":")[2])))
        squatter.listen()
        assert start(settings).url != endpoint.url


def test_a_race_lost_for_a_port_is_run_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from lake.server import health

    free = health.free_port
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        offered = iter([squatter.getsockname()[1]])
        monkeypatch.setattr(health, "free_port", lambda **_: next(offered, None) or free())
        endpoint = start(settings)
        assert endpoint.url != f"http://127.0.0.1:{squatter.getsockname()[1]}"


def test_a_start_that_fails_quotes_the_log(settings: Settings) -> None:
    settings.home.prepare()
    (settings.home.lakefs / "blocks").write_text("a file where a folder must be")
    with pytest.raises(LakegateError, match="its log ends with") as caught:
        start(settings)
    assert "blocks" in str(caught.value)
    assert server_status(settings.home).state == "stopped"


@pytest.mark.parametrize("name", ["keys.json", "server.json"])
def test_a_file_of_another_format_stops_it(settings: Settings, name: str) -> None:
    settings.home.prepare()
    (settings.home.lakefs / name).write_text('{"format": 7}')
    with pytest.raises(IntegrityError, match="format 7"):
        start(settings)
    (settings.home.lakefs / name).unlink()


def test_lost_keys_are_not_replaced_by_others(settings: Settings) -> None:
    start(settings)
    stop_server(settings.home)
    settings.home.keys_file.unlink()
    with pytest.raises(IntegrityError, match="keys"):
        start(settings)


def test_a_wrong_binary_is_the_callers_mistake(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="LAKEGATE_LAKEFS"):
        start(replace(settings, lakefs_binary=tmp_path / "no such"))


def test_an_external_lakefs_is_used_as_it_is(settings: Settings, lakefs_home: Settings) -> None:
    external = start(lakefs_home)
    assert start(replace(settings, lakefs=external)) is external
    assert not settings.home.root.exists()


def test_an_external_lakefs_that_is_away_is_worth_another_try(settings: Settings) -> None:
    with pytest.raises(Transient, match="health check"):
        start(replace(settings, lakefs=Endpoint("http://127.0.0.1:9", "key", "secret")))
