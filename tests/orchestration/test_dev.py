"""`lakegate dev`: what others get of it, and what stays behind of it."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from lake.server_files import read_server
from lakegate.settings import Settings
from tests.integration.test_strangers import Stranger, each_stranger

pytestmark = [pytest.mark.server, pytest.mark.skipif(sys.platform != "linux", reason="what processes hold open is read from /proc")]

ROOT = Path(__file__).resolve().parents[2]
STARTS, ENDS = 120.0, 60.0
"""Seconds that it may take here."""
ENDS_IT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ASKED = ENDS_IT if "LAKEGATE_DEV_SIGNALS" in os.environ else random.SystemRandom().sample(ENDS_IT, 1)
"""All of them by hand."""
LAUNCH = '{"query": "mutation { reloadWorkspace { __typename } }"}'


@dataclass
class Dev:
    process: subprocess.Popen[str]
    link: str

    @property
    def url(self) -> str:
        return self.link.partition("/?")[0]

    @property
    def token(self) -> str:
        return self.link.partition("token=")[2]

    def below(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def started(settings: Settings) -> Dev:
    """Alone in its process group, as a service manager starts it, and ready."""
    command = [sys.executable, "-m", "cli.main", "dev", "--home", str(settings.home.root), "--project", str(ROOT)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, process_group=0)
    assert process.stdout
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found
    dev, end = Dev(process, found[0]), time.monotonic() + STARTS
    bearer = f"Authorization: Bearer {dev.token}"
    while Stranger("http", f"{dev.url}/graphql", "POST", '{"query": "{version}"}', bearer, account=0).got()[0] != 200:
        assert time.monotonic() < end
        assert process.poll() is None
    return dev


@pytest.fixture(scope="module")
def dev(lakefs_home: Settings) -> Iterator[Dev]:
    made = started(lakefs_home)
    yield made
    end(made, signal.SIGKILL)


def end(dev: Dev, name: signal.Signals) -> None:
    """A signal to its process alone; nothing of it is there afterwards."""
    below = dev.below() if dev.process.poll() is None else []
    if below:
        os.kill(dev.process.pid, name)
        dev.process.wait(ENDS)
    _, alive = psutil.wait_procs(below, timeout=ENDS)
    for process in alive:
        process.kill()
    assert alive == [], [process.cmdline() for process in alive]


@each_stranger
def test_the_ui_lets_no_stranger_in(dev: Dev, lakefs_home: Settings, account: int) -> None:
    assert Stranger("http", dev.url, account=account).got()[0] == 401
    assert Stranger("http", f"{dev.url}/graphql", "POST", LAUNCH, account=account).got()[0] == 401
    assert Stranger("http", f"{dev.url}/graphql?query=mutation", account=account).got()[0] == 401
    if account:
        assert "Permission" in str(Stranger("read", lakefs_home.home.dagster / "ui-token", account=account).got())
    assert (lakefs_home.home.dagster / "ui-token").stat().st_mode & 0o777 == 0o600


def test_the_ui_is_no_other_sites_tool(dev: Dev) -> None:
    """What a page of another site can have the owner's browser send, cookie and all."""
    graphql, cookie = f"{dev.url}/graphql", f"Cookie: lakegate={dev.token}"

    def status(url: str, method: str, body: str, *headers: str) -> int:
        return int(Stranger("http", url, method, body, cookie, *headers, account=0).got()[0])

    assert status(graphql, "POST", LAUNCH) == 200
    assert status(graphql, "POST", LAUNCH, "Origin: http://elsewhere.example") == 403
    assert status(graphql, "POST", LAUNCH, "Host: elsewhere.example:3000") == 421
    assert status(f"{graphql}?query=mutation%20%7BreloadWorkspace%7B__typename%7D%7D", "GET", "") == 405


def test_no_process_of_it_listens_to_strangers(dev: Dev) -> None:
    ports, paths = [], []
    for process in [psutil.Process(dev.process.pid), *dev.below()]:
        ports += [one.laddr for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
        paths += [one.laddr for one in process.net_connections("unix") if one.laddr and not str(one.laddr).startswith("@")]
    assert [f"http://{address.ip}:{address.port}" for address in ports] == [dev.url]
    assert paths, "its code location listens on sockets in the file system"
    if os.geteuid() == 0:
        assert set(Stranger("unix", *set(paths)).got().values()) <= {"PermissionError", "FileNotFoundError"}


@pytest.mark.parametrize("how", ["asked", "killed"])
def test_a_signal_to_its_process_alone_ends_all_of_it(dev: Dev, lakefs_home: Settings, how: str) -> None:
    """A start takes long: it is asked by one of these signals, another one each time; what each does with services is told below."""
    for name in [signal.SIGKILL] if how == "killed" else ASKED:
        if dev.process.poll() is not None:  # the one before ended the module's
            dev = started(lakefs_home)
        server = read_server(lakefs_home.home)
        assert server
        lakefs = psutil.Process(server.pid)
        print(name)
        end(dev, name)
        assert lakefs.is_running(), "lakeFS goes on"


SERVICE = """
import signal, subprocess, sys, time
if sys.argv[1] == "deaf":
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    print("ready", flush=True)
    time.sleep(60)
subprocess.Popen([sys.executable, "-c", open(sys.argv[1]).read(), "deaf"])
asked = []
signal.signal(signal.SIGINT, lambda *_: asked.append(1))
while not asked:
    time.sleep(0.05)
time.sleep(0.5)
print("asked", len(asked), flush=True)
"""
STARTER = """
import sys
from pathlib import Path
from assets.dev_process import run_services
sys.exit(run_services([sys.executable, sys.argv[1], sys.argv[1]], {}, folder=Path.cwd(), say=lambda _: None))
"""


def test_services_end_by_each_signal_and_so_does_one_of_theirs_that_heeds_none(tmp_path: Path) -> None:
    (script := tmp_path / "service.py").write_text(SERVICE)
    made = []
    for asked, ignored in ((signal.SIGINT, signal.SIGINT), (signal.SIGTERM, None), (signal.SIGHUP, None), (signal.SIGTERM, signal.SIGHUP)):
        before = signal.signal(ignored, signal.SIG_IGN) if ignored else None
        command = [sys.executable, "-c", STARTER, str(script)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, process_group=0)
        if ignored:
            signal.signal(ignored, before)
        made.append((process, asked, ignored))
    below = []
    for process, _, ignored in made:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        below.append(psutil.Process(process.pid).children(recursive=True))
        if ignored is signal.SIGHUP:  # by nohup
            os.kill(process.pid, ignored)
    for process, asked, _ in made:
        assert process.poll() is None
        os.kill(process.pid, asked)
    for process, asked, ignored in made:
        assert process.wait(ENDS) == 0, (asked, ignored)
        assert process.stdout
        assert process.stdout.read() == "asked 1\n", (asked, ignored)
    assert [len(two) for two in below] == [2] * len(made)
    assert [one for two in below for one in two if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
