"""Another account, or another process, gets no file and no query of Sail."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from lake.engine.engine import Engine
from lakegate.errors import LakegateError
from lakegate.home import Endpoint
from lakegate.settings import Settings
from tests.support.security.stranger_process import Stranger, can_be_other, each_stranger, sitting

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="sockets are told apart by /proc and seccomp, which are Linux's"
)


def engine_at(folder: Path, *, guarded: bool = True) -> Engine:
    settings = replace(Settings.load(home=folder / "home", environ={}), sail_guard=guarded)
    return Engine(settings, Endpoint("http://127.0.0.1:9", "key", "secret"))


def port_of(engine: Engine) -> int:
    assert engine._sail is not None
    found = [
        one
        for one in psutil.Process(engine._sail._process.pid).net_connections("tcp4")
        if one.status == psutil.CONN_LISTEN
    ]
    return int(found[0].laddr.port)


def answer(engine: Engine) -> int:
    return int(engine.rows(engine.spark.sql("select 40 + 2"))[0][0])


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = engine_at(tmp_path_factory.mktemp("sail"))
    assert answer(made) == 42
    yield made
    made._end()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.csv"
    path.write_text("a\nhidden\n")
    path.chmod(0o600)
    return path


@each_stranger
def test_sail_reads_no_file_for_a_stranger(engine: Engine, secret: Path, account: int) -> None:
    statement = f"select * from csv.`{secret}`"
    assert engine.rows(engine.spark.sql(statement)), "its owner reads it"
    got = Stranger("query", port_of(engine), statement, account=account).got()
    assert isinstance(got, str), got
    assert "UNAVAILABLE" in got, got
    assert answer(engine) == 42


@each_stranger
def test_sail_without_its_guard_reads_a_file_for_a_stranger(
    tmp_path: Path, secret: Path, account: int
) -> None:
    """What the others are worth: this is what they would see."""
    made = engine_at(tmp_path, guarded=False)
    assert answer(made) == 42
    assert "hidden" in str(
        Stranger("query", port_of(made), f"select * from csv.`{secret}`", account=account).got()
    )
    made._end()


@can_be_other
def test_sail_says_nothing_to_a_stranger_in_its_first_moment_either(tmp_path: Path) -> None:
    watcher = Stranger("hurry", 12)
    assert watcher.said() == "watching"
    made = [engine_at(tmp_path) for _ in range(3)]
    assert [answer(one) for one in made] == [42, 42, 42]
    ports = [str(port_of(one)) for one in made]
    met = watcher.got()
    for one in made:
        one._end()
    assert [met[port] for port in ports] == [[True, ""]] * 3


def test_stranger_on_a_dead_sails_port_is_asked_nothing(tmp_path: Path) -> None:
    made = engine_at(tmp_path)
    assert answer(made) == 42
    port, process = port_of(made), psutil.Process(made._sail._process.pid)  # type: ignore[union-attr]
    frame = made.spark.sql("select 'of the plan' as a")
    process.kill()
    psutil.wait_procs([process])
    with sitting(port) as stranger, pytest.raises(LakegateError):
        made.rows(frame)
    assert "of the plan" not in str(stranger.got())
    made._end()
