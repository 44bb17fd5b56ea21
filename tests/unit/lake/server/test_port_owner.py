"""Whose a socket is: the owner's alone is his, and one that was closed, or that somebody else opened,
never is.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.engine.sail_guard import comes_from, peer_inode
from lake.server.port_owner import holds
from lake.server.state_files import ServerRecord
from lakegate.errors import UsageError
from lakegate.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")

LISTEN = """
import socket, sys, time
one = socket.create_server((sys.argv[1], 0))
print(one.getsockname()[1], flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Another process that listens: its id and its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", LISTEN, "127.0.0.1"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    yield process.pid, int(process.stdout.readline())
    process.kill()
    process.communicate()


def record(pid: int, port: int) -> ServerRecord:
    return ServerRecord(pid=pid, started=0.0, port=port, home="")


def test_process_on_record_holds_its_port_and_no_other_does(other: tuple[int, int], tmp_path: Path) -> None:
    pid, port = other
    assert holds(record(pid, port), tmp_path)
    assert not holds(record(os.getpid(), port), Path.cwd()), "another process of the same user"
    assert not holds(record(pid, port), tmp_path.parent), "one that works for another home"
    with socket.create_server(("127.0.0.1", 0)) as mine:
        assert not holds(record(pid, mine.getsockname()[1]), tmp_path), "a port that somebody else took"
        assert holds(record(os.getpid(), mine.getsockname()[1]), Path.cwd())
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert not holds(record(os.getpid(), closed.getsockname()[1]), Path.cwd()), (
            "bound, and listening to nobody"
        )


def test_process_that_is_gone_holds_nothing(other: tuple[int, int], tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert not holds(record(gone.pid, other[1]), tmp_path)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_connection_comes_from_whoever_opened_it(family: int, other: tuple[int, int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(family) as client:
        host = "127.0.0.1" if family == socket.AF_INET else "::ffff:127.0.0.1"
        if family == socket.AF_INET6:
            client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        client.connect((host, server.getsockname()[1]))
        taken, _ = server.accept()
        with taken:
            assert comes_from(taken.fileno(), os.getpid())
            assert not comes_from(taken.fileno(), other[0])
            client.sendall(b"all at once, and away")
            client.close()
            time.sleep(0.01)
            assert not comes_from(taken.fileno(), os.getpid()), (
                "closed before it was looked at: the table says root"
            )


def test_connection_that_is_not_there_has_no_socket() -> None:
    assert peer_inode(("127.0.0.1", 1), ("127.0.0.1", 2)) is None


def test_guard_is_on_unless_it_is_said(tmp_path: Path) -> None:
    assert Settings.load(home=tmp_path, environ={}).sail_guard
    assert not Settings.load(home=tmp_path, environ={"LAKEGATE_SAIL_GUARD": "off"}).sail_guard
    with pytest.raises(UsageError, match="LAKEGATE_SAIL_GUARD is 'no'"):
        Settings.load(home=tmp_path, environ={"LAKEGATE_SAIL_GUARD": "no"})
