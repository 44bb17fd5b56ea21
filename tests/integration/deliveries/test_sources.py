"""P3, exactly once, from any source: its position is committed with the bytes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from lake import paths
from lake.hops.receive import receive
from lake.lakefs.repository import MAIN
from lake.ledger.receipts import Advance, Overtaken, last_position, pending
from lake.pipeline.ingest import carry_waiting
from lake.session import Session
from tests.support.deliveries.list_source import ListSource, take
from tests.support.lakes.scene import Scene
from tests.support.places import ROOT

pytestmark = pytest.mark.server
STEPS = ("polled", "receive.upload", "receive.merge", "receive.done", "received")


def rides(*numbers: int) -> str:
    return "ride,fare\n" + "".join(f"{number},1.5\n" for number in numbers)


CONTENTS = [rides(1, 2), rides(3), rides(4, 5, 6), rides(3)]
"""The last is delivered again: another delivery of the same drop."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene.made(tmp_path_factory.mktemp("sources"))
    made.open()
    yield made
    made.close()


@pytest.fixture
def session(scene: Scene) -> Session:
    return scene.open()


def receipts(session: Session, dataset: str) -> list[dict[str, Any]]:
    """The bodies of a dataset's receipts in the order of their positions."""
    listed = [item.path for item in session.repository.listing(MAIN, f"raw/{dataset}/")]
    bodies = [session.repository.get_json(MAIN, path) or {} for path in listed if "/receipts/" in path]
    return sorted(bodies, key=lambda body: int(body.get("position", 0)))


def killed(scene: Scene, step: str, occurrence: int) -> None:
    """A process that takes in the list, and dies at a step."""
    plan = {"home": str(scene.home), "project": str(scene.folder / "project"), "folder": str(scene.folder)}
    plan |= {"dataset": "rides", "contents": CONTENTS, "step": step, "occurrence": occurrence}
    command = [sys.executable, str(ROOT / "tests/support/deliveries/list_source.py"), json.dumps(plan)]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]


def test_whatever_dies_nothing_is_received_twice_and_nothing_lost(scene: Scene, session: Session) -> None:
    """One process after another dies, each at the next step; some at the second delivery that it asks for."""
    for number, step in enumerate(STEPS):
        before = int(last_position(session, "list") or 0)
        killed(scene, step, 1 + (number == 0))
        # Only a merge moves the position; in `polled` it is the second delivery at which it dies.
        moved = {"polled": 1, "receive.done": 1, "received": 1}.get(step, 0)
        assert int(last_position(session, "list")) == before + moved, step
    source = ListSource("rides", [text.encode() for text in CONTENTS], scene.folder)
    left = take(session, source)
    assert [drop.name.split("-")[1] for drop in left] == ["4"]
    assert take(session, source) == []
    found = receipts(session, "rides")
    assert [body["position"] for body in found] == ["1", "2", "3", "4"]
    assert {body["source"] for body in found} == {"list"}
    for content in CONTENTS:
        digest = hashlib.sha256(content.encode()).hexdigest()
        assert session.repository.get(MAIN, f"raw/rides/{digest}/data") == content.encode()
    with session.caching():
        results = list(carry_waiting(session, "rides", tried=set()))
    assert sum(result.hops[1].counts["valid"] for result in results) == 6
    assert pending(session, "rides") == []
    assert scene.left_over() == []


def test_second_poll_at_once_is_refused_and_takes_nothing_in(scene: Scene, session: Session) -> None:
    source = ListSource("rates", [rides(11).encode(), rides(12).encode()], scene.folder, name="raced")
    (late := scene.folder / "late.csv").write_text(rides(11, 12))
    take(session, source)  # while another had asked from the same position
    with pytest.raises(Overtaken) as caught:
        receive(session, "rates", late, advance=Advance("raced", "", "2"))
    assert caught.value.fix
    assert last_position(session, "raced") == "2"
    assert [body["position"] for body in receipts(session, "rates")] == ["1", "2"]
    assert session.repository.branches("attempt-receive") == []


def test_same_delivery_by_both_is_received_once(scene: Scene, session: Session) -> None:
    (path := scene.folder / "both.csv").write_text(rides(21))
    advance = Advance("shared", "", "1")
    first, second = (receive(session, "rates", path, advance=advance) for _ in range(2))
    assert first == second
    assert last_position(session, "shared") == "1"
    again = receive(session, "rates", path, advance=Advance("shared", "1", "2"))
    assert (again.sha256, again.receipt == first.receipt) == (first.sha256, False)
    assert last_position(session, "shared") == "2"


def test_source_has_its_own_position_and_a_plain_file_moves_none(scene: Scene, session: Session) -> None:
    (path := scene.folder / "plain.csv").write_text(rides(31))
    before = last_position(session, "list")
    drop = receive(session, "rides", path)
    assert "position" not in (session.repository.get_json(MAIN, drop.receipt) or {})
    assert last_position(session, "list") == before
    assert last_position(session, "nobody") == last_position(session, "") == ""


def test_a_position_whose_pointer_is_damaged_is_found_in_the_receipts(scene: Scene, session: Session) -> None:
    source = ListSource("rates", [rides(41).encode(), rides(42).encode()], scene.folder, name="damaged")
    take(session, source)
    block = session.repository.block(MAIN, paths.position("damaged"))
    assert block is not None
    block.unlink()
    assert last_position(session, "damaged") == "2"
    source.contents = [*source.contents, rides(43).encode()]
    assert [drop.name.split("-")[1] for drop in take(session, source)] == ["3"]
    pointer = session.repository.get_json(MAIN, paths.position("damaged")) or {}
    assert (session.repository.get_json(MAIN, pointer["receipt"]) or {})["position"] == "3"


def test_a_source_whose_pointer_is_gone_gives_again_what_is_known_and_goes_on(
    scene: Scene, session: Session
) -> None:
    files = [scene.folder / f"gone-{number}.csv" for number in (1, 2, 3)]
    for number, path in enumerate(files, 51):
        path.write_text(rides(number))

    def deliver(number: int) -> str:
        before = str(number - 1) if number > 1 else ""
        return receive(
            session, "rates", files[number - 1], advance=Advance("gone", before, str(number))
        ).receipt

    known = [deliver(1), deliver(2)]
    session.repository.branch("deletion", MAIN)
    session.repository.delete("deletion", paths.position("gone"))
    session.repository.commit("deletion", "delete a pointer", {})
    session.repository.merge("deletion", "delete a pointer", {})
    session.repository.delete_branch("deletion")
    assert last_position(session, "gone") == ""
    with pytest.raises(Overtaken):
        receive(session, "rates", files[2], advance=Advance("gone", "1", "3"))
    assert [deliver(1), deliver(2)] == known
    deliver(3)
    assert last_position(session, "gone") == "3"
