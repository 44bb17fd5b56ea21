"""A lakeFS that was killed, hung, copied or moved is found again or replaced, with its data."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import urllib.request
from base64 import b64encode
from pathlib import Path

import psutil
import pytest

from lake.server.lifecycle import ensure_server, server_status, stop_server
from lakegate.errors import IntegrityError
from lakegate.home import Endpoint
from lakegate.settings import Settings
from tests.support.server.lakefs_server import pid_of, start

pytestmark = pytest.mark.server


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


def test_killed_server_is_replaced_with_its_data_and_its_port(settings: Settings) -> None:
    endpoint = start(settings)
    put_something(endpoint)
    before = pid_of(settings)
    os.kill(before, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(before)] if psutil.pid_exists(before) else [], timeout=5)
    assert start(settings) == endpoint
    assert pid_of(settings) != before
    assert read_it_back(endpoint) == b"still here"


def test_hung_server_is_replaced(settings: Settings) -> None:
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


def test_hung_server_can_be_stopped(settings: Settings) -> None:
    start(settings)
    before = pid_of(settings)
    os.kill(before, signal.SIGSTOP)
    assert stop_server(settings.home)
    assert not psutil.pid_exists(before)


def test_server_whose_record_was_lost_is_found(settings: Settings) -> None:
    start(settings)
    before = pid_of(settings)
    settings.home.server_file.unlink()  # as when its starter was killed in between
    start(settings)
    assert not psutil.pid_exists(before)


def test_record_that_names_another_process_harms_nobody(settings: Settings) -> None:
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


def test_stopped_home_can_be_copied_and_moved(settings: Settings, tmp_path: Path) -> None:
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


def test_copy_of_a_running_home_never_uses_the_original_server(settings: Settings, tmp_path: Path) -> None:
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


def test_port_that_was_taken_meanwhile_is_given_up(settings: Settings) -> None:
    endpoint = start(settings)
    recorded = settings.home.server_file.read_text()
    stop_server(settings.home)
    settings.home.server_file.write_text(recorded)
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", int(endpoint.url.rpartition(":")[2])))
        squatter.listen()
        assert start(settings).url != endpoint.url


def test_race_lost_for_a_port_is_run_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from lake.server import health

    free = health.free_port
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        offered = iter([squatter.getsockname()[1]])
        monkeypatch.setattr(health, "free_port", lambda **_: next(offered, None) or free())
        endpoint = start(settings)
        assert endpoint.url != f"http://127.0.0.1:{squatter.getsockname()[1]}"


def test_lost_keys_are_not_replaced_by_others(settings: Settings) -> None:
    start(settings)
    stop_server(settings.home)
    settings.home.keys_file.unlink()
    with pytest.raises(IntegrityError, match="keys"):
        start(settings)
