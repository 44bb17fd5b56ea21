"""Sail's process: whose keys it has, how long it lives, and what becomes of a run where it dies."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from pyspark.errors import PySparkException
from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator

import lake.engine.engine
import lake.engine.sail
import lake.engine.startup
from benchmarks.rides import contract_text
from lake.engine.engine import Engine
from lake.engine.errors import engine_errors
from lake.pipeline.ingest import ingest
from lake.session import open_session
from lakegate.errors import LakegateError, Transient
from lakegate.home import Endpoint
from lakegate.settings import Settings

OWNER = """
import sys
from pathlib import Path
from lake.engine.engine import Engine
from lakegate.home import Endpoint
from lakegate.settings import Settings
engine = Engine(Settings.load(home=Path(sys.argv[1])), Endpoint("http://127.0.0.1:9", "key", "secret"))
engine.spark
print(engine._sail._process.pid, flush=True)
sys.stdin.read()
"""


def made(folder: Path, key: str = "key") -> Engine:
    return Engine(
        Settings.load(home=folder / "home", environ={}), Endpoint("http://127.0.0.1:9", key, "secret")
    )


def process_of(engine: Engine) -> psutil.Process:
    assert engine._sail is not None
    return psutil.Process(engine._sail._process.pid)


def asked(engine: Engine) -> int:
    with engine_errors("asking"):
        return int(engine.rows(engine.spark.sql("select 40 + 2"))[0][0])


def test_each_engine_of_a_process_has_its_own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of another store")
    before = dict(os.environ)
    engines = [made(tmp_path, "first"), made(tmp_path, "second")]
    assert [asked(engine) for engine in engines] == [42, 42]
    environs = [process_of(engine).environ() for engine in engines]
    assert [environ["AWS_ACCESS_KEY_ID"] for environ in environs] == ["first", "second"]
    assert not any("AWS_SESSION_TOKEN" in environ for environ in environs)
    assert {name: value for name, value in os.environ.items() if name.startswith("AWS")} == {
        name: value for name, value in before.items() if name.startswith("AWS")
    }


def test_session_that_is_collected_waits_for_nothing_of_the_others(tmp_path: Path) -> None:
    """The collector runs anywhere, and so does what waits in it: in a call of another session,
    with the lock that it waits for.
    """
    engines = [made(tmp_path), made(tmp_path)]  # pyspark keeps a process's first as the one to use by default
    assert [asked(engine) for engine in engines] == [42, 42]
    released = ExecutePlanResponseReattachableIterator._release_thread_pool_instance
    assert released is not None
    session = weakref.ref(engines[1].spark)
    engines[1]._end()
    del engines[1]
    gc.collect()
    assert session() is None
    assert not released._shutdown
    assert asked(engines[0]) == 42


def test_one_that_hangs_before_it_says_its_port_may_be_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "hangs.py"
    script.write_text("import os, time\nos.close(1)\ntime.sleep(60)\n")
    monkeypatch.setattr(lake.engine.sail, "SERVER", script)
    monkeypatch.setattr(lake.engine.sail, "END", 0.5)
    with pytest.raises(Transient, match="Sail hangs"):
        asked(made(tmp_path))


def test_sail_ends_with_its_owner_however_that_dies(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert owner.stdout is not None
    sail = psutil.Process(int(owner.stdout.readline()))
    assert os.getpgid(sail.pid) != os.getpgid(owner.pid), (
        "a terminal's Ctrl-C would end it, whatever its owner does"
    )
    owner.kill()
    owner.communicate()
    assert psutil.wait_procs([sail], timeout=10)[1] == []


def test_one_that_could_not_be_connected_to_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, honest, met = made(tmp_path), lake.engine.engine.start, []

    def fails(settings: Settings, endpoint: Endpoint, sail: Any) -> Any:
        honest(settings, endpoint, sail)
        met.append(process_of(engine))
        raise Transient("its answer was lost")

    with monkeypatch.context() as patch:
        patch.setattr(lake.engine.engine, "start", fails)
        with pytest.raises(Transient):
            asked(engine)
    assert asked(engine) == 42
    assert not met[0].is_running()


def test_sail_keeps_a_silent_session_and_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seconds here; of Sail's own accord it would be a quarter of an hour."""
    monkeypatch.setenv("TZ", "America/New_York")
    for year, kept in ((1, False), (lake.engine.startup.YEAR, True)):
        with monkeypatch.context() as patch:
            patch.setattr(lake.engine.startup, "YEAR", year)
            engine = made(tmp_path)
            assert engine.spark.conf.get("spark.sql.session.timeZone") == "UTC"
            time.sleep(4)
            try:
                found = engine.spark.conf.get("spark.sql.session.timeZone")
            except PySparkException:
                found = "none"
            assert (found == "UTC") == kept


def test_sail_is_started_anew_once_it_has_grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = made(tmp_path)
    assert not engine.renew()
    asked(engine)
    first = process_of(engine)
    assert not engine.renew()
    assert asked(engine) == 42
    assert process_of(engine) == first
    handles = []
    for _ in range(4):
        with monkeypatch.context() as patch:
            patch.setattr(lake.engine.engine, "GROWTH", -(2**40))
            assert engine.renew()
        assert asked(engine) == 42
        engine.renew()  # takes in what it holds at work
        handles.append(psutil.Process().num_fds())
    assert not first.is_running()
    assert handles[-1] == handles[1]
    assert not engine.renew()


def test_query_of_one_that_was_killed_may_be_tried_again(tmp_path: Path) -> None:
    engine = made(tmp_path)
    asked(engine)
    process_of(engine).kill()
    started = time.monotonic()
    with pytest.raises(Transient):
        asked(engine)
    assert time.monotonic() - started < 30
    assert engine.renew()
    assert asked(engine) == 42


def test_one_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "server.py"
    script.write_text("raise SystemExit(7)")
    monkeypatch.setattr(lake.engine.sail, "SERVER", script)
    with pytest.raises(LakegateError, match=r"Sail did not start \(it ended with 7\)"):
        asked(made(tmp_path))


@pytest.mark.server
@pytest.mark.parametrize("dies", ["evaluate", "write", "write.table", "write.quarantine"])
def test_drop_whose_engine_died_is_published_by_the_same_command(
    dies: str, lakefs_home: Settings, tmp_path: Path
) -> None:
    contracts = tmp_path / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    (contracts / "rides.odcs.yaml").write_text(contract_text(writeMode="append", maxQuarantined=1.0))
    session = open_session(
        replace(lakefs_home, project=tmp_path, tenant=f"dying_{dies.replace('.', '_')}"), say=print
    )
    killed = []

    def kill(table: str, step: str) -> None:
        if (table, step) == ("rides", dies) and not killed:
            killed.append(process_of(session.engine))
            killed[0].kill()

    session.watcher = kill
    path = tmp_path / "rides.csv"
    path.write_text("ride,fare\n1,2.5\n2,free\n")
    results = ingest(session, "rides", [path])
    assert killed
    assert [str(hop.version) for hop in results[-1].hops] == ["rides_raw@v1", "rides@v1"]
    assert results[-1].hops[1].counts["quarantined"] == 1
    assert session.repository.branches("attempt-") == []
