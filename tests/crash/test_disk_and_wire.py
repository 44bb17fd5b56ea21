"""A disk that is full, a connection that is cut in mid-write: a clear error at most, nothing half visible,
and the next run ends it.
"""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from lake.server.lifecycle import ensure_server
from tests.crash.conftest import Tried
from tests.support.lakes.scene import Scene

pytestmark = pytest.mark.server

STEPS = ("receive.upload", "write.table", "commit", "merge")
FAILS = {"fill": {"receive.upload", "write.table"}, "fill-lakefs": set(STEPS)}
"""Where something is left to be written."""
MANY = int(os.environ.get("LAKEGATE_DISK_STEPS", "1"))
"""Steps at which the disk is full, and bytes after which a connection is cut, chosen anew each time;
4 by hand.
"""
CUTS = (300, 3_000, 30_000)


@pytest.fixture
def scenes(tmp_path: Path) -> Iterator[tuple[Scene, Scene]]:
    made = Scene.made(tmp_path / "struck"), Scene.made(tmp_path / "calm")
    yield made
    for scene in made:
        scene.close()


@pytest.mark.parametrize("does", ["fill", "fill-lakefs"])
def test_full_disk_loses_nothing(scenes: tuple[Scene, Scene], does: str, tried: Tried) -> None:
    struck, calm = scenes
    for scene in scenes:
        scene.run("ingest", "rates", scene.drop("rates.csv", range(1, 5)))
    for number, step in enumerate(random.SystemRandom().sample(STEPS, MANY)):
        files = [scene.drop(f"{step}.csv", range(1 + 100 * number, 101 + 100 * number)) for scene in scenes]
        plan = {"table": "rides", "step": step, "occurrence": 1, "does": does}
        victim = struck.start("ingest", "rides", files[0], plan=plan)
        _, err = victim.communicate(timeout=240)
        assert victim.returncode == 1 if step in FAILS[does] else victim.returncode in (0, 1), (step, err)
        assert ("error:" in err) == bool(victim.returncode), (step, err)
        assert "unexpected" not in err, err
        struck.close()
        struck.run("ingest", "rides", files[0])
        calm.run("ingest", "rides", files[1])
        assert struck.published() == calm.published(), step
        assert struck.left_over() == [], step
    tried(
        "P3 exactly once",
        f"the disk is full for {'the run' if does == 'fill' else 'lakeFS'}, at a step",
        MANY,
    )


class Wire:
    """A relay to lakeFS that cuts a connection once so many bytes were sent over it,
    as often as it is told to.
    """

    def __init__(self, port: int) -> None:
        self.target, self.cut_after, self.cuts = port, 0, 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.server.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                threading.Thread(
                    target=self.relay, args=(near, far), kwargs={"sends": True}, daemon=True
                ).start()
                threading.Thread(
                    target=self.relay, args=(far, near), kwargs={"sends": False}, daemon=True
                ).start()

    def relay(self, source: socket.socket, target: socket.socket, *, sends: bool) -> None:
        sent = 0
        with suppress(OSError):
            while data := source.recv(4096):
                sent += len(data)
                if sends and self.cuts and sent > self.cut_after:
                    self.cuts -= 1
                    target.sendall(data[: len(data) // 2])
                    break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wired(scene: Scene) -> Iterator[Wire]:
    """A wire to the scene's lakeFS, over which the scene's commands work from a home of their own."""
    endpoint = ensure_server(scene.settings, say=print)
    wire = Wire(int(endpoint.url.rsplit(":", 1)[1]))
    told = {
        "URL": f"http://127.0.0.1:{wire.port}",
        "KEY_ID": endpoint.key_id,
        "SECRET": endpoint.secret,
        "NAMESPACE": "local://wired",
    }
    scene.environ.update(
        {f"LAKEGATE_LAKEFS_{name}": value for name, value in told.items()} | {"LAKEGATE_TENANT": "wired"}
    )
    try:
        yield wire
    finally:
        scene.environ.clear()
        wire.server.close()


def test_connection_that_is_cut_in_mid_write_loses_nothing(scenes: tuple[Scene, Scene], tried: Tried) -> None:
    cuts, (struck, calm) = 0, scenes
    with wired(struck) as wire, wired(calm):
        for number, cut_after in enumerate(random.SystemRandom().sample(CUTS, min(MANY, len(CUTS)))):
            files = [
                scene.drop(f"{number}.csv", range(1 + 2000 * number, 2001 + 2000 * number))
                for scene in scenes
            ]
            wire.cut_after, wire.cuts = cut_after, 3
            victim = struck.start("ingest", "rides", files[0])
            _, err = victim.communicate(timeout=240)
            assert victim.returncode in (0, 1), err
            assert "unexpected" not in err, err
            assert wire.cuts < 3, "nothing was cut"
            cuts, wire.cuts = cuts + 3 - wire.cuts, 0
            told = [scene.run("ingest", "rides", path) for scene, path in zip(scenes, files, strict=True)]
            versions = [[hop["name"] for hop in drops[0]["hops"]] for drops in told]
            assert versions[0] == versions[1] == [f"rides_raw@v{number + 1}", f"rides@v{number + 1}"]
            counted = [scene.run("versions", "rides") for scene in scenes]
            kept = ("name", "drop", "rows_valid", "rows_total", "content_hash")
            assert [{key: version[key] for key in kept} for version in counted[0]] == [
                {key: version[key] for key in kept} for version in counted[1]
            ]
        assert struck.run("verify", "--all") is not None
    tried("P3 exactly once", "connections to lakeFS are cut in mid-write", cuts)
