"""Reconciliation mends what the dead left behind, leaves what the living are at, and touches nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lake import paths
from lake.lakefs.branches import CANDIDATE, RECEIVE, RECORD, branch_of, new_attempt
from lake.lakefs.repository import MAIN
from lake.maintenance.reconcile import Finding, reconcile
from lake.maintenance.verify import audit_all
from lake.session import Session
from lakegate.names import VersionName
from tests.crash.conftest import Tried
from tests.support.lakes.scene import Scene, answer, stopped

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene.made(tmp_path_factory.mktemp("reconcile") / "scene")
    made.run("ingest", "rides", made.drop("first.csv", range(1, 11)), made.drop("second.csv", range(11, 21)))
    yield made
    made.close()


PLANTED = ((CANDIDATE, "rides", "0123456789ab"), (RECEIVE, "rides", "0123456789ab"), (RECORD,))


def told(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(item.what, item.where, item.outcome) for item in found]


def untag(session: Session, name: VersionName) -> None:
    session.repository._api.tags_api.delete_tag(session.repository.name, name.tag)


def test_mend_finds_nothing_where_nothing_was_left(scene: Scene) -> None:
    assert reconcile(scene.open()) == []


def test_mend_repairs_what_the_dead_left(scene: Scene, tried: Tried) -> None:
    session, name = scene.open(), VersionName("rides", 1)
    commit = session.repository.commit_of(name.tag)
    branches = sorted(branch_of(kind, new_attempt(), *made_for) for kind, *made_for in PLANTED)
    for branch in branches:
        session.repository.branch(branch, MAIN)
    untag(session, name)
    session.repository.delete_branch(VersionName("rides", 2).keep_branch)
    spool = session.settings.home.spool / session.settings.tenant
    spool.mkdir(parents=True, exist_ok=True)
    record = f"rides/{'d' * 64}/20260101T000000.000000Z~rides~failed~-~01234567-01234567.json"
    (spool / record.replace("/", "~~")).write_bytes(b"{}")
    copies = [
        session.settings.home.manifest_copy(session.settings.tenant, table, 1)
        for table in ("rides", "rides_raw")
    ]
    for copy in copies:
        copy.unlink()
    expected = [
        ("a record of the ledger waited in the spool", record),
        *(("a branch of an attempt that died", branch) for branch in branches),
        ("a version without tag", "rides@v1"),
        ("a version without retention branch", "rides@v2"),
        ("home's copies of manifests", str(session.settings.home.root / "manifests")),
    ]
    would, did = reconcile(session, dry_run=True), reconcile(session)
    assert told(would) == [(*item, "would mend") for item in expected]
    assert told(did) == [(*item, "mended") for item in expected]
    assert all(item.note.startswith("by ") for item in would + did)
    assert session.repository.commit_of(name.tag) == commit
    assert session.repository.get(paths.LEDGER, record) == b"{}"
    assert all(copy.exists() for copy in copies)
    assert reconcile(session) == []
    assert not any(audit_all(session).values())
    tried("P3 exactly once", "leftovers of dead attempts are planted: `reconcile` mends each", len(expected))


def test_mend_leaves_what_the_living_are_at(scene: Scene) -> None:
    plan = {"table": "rides", "step": "write.done", "occurrence": 1, "does": "stop"}
    process = scene.start("ingest", "rides", scene.drop("third.csv", range(21, 31)), plan=plan)
    with stopped(process):
        found = reconcile(scene.open())
    answer(process)
    assert [(item.what, item.outcome) for item in found] == [("a branch of an attempt", "left")]
    assert reconcile(scene.open()) == []


def test_killed_process_holds_nothing(scene: Scene) -> None:
    """Its leases say who held them: who can be seen to be dead is waited for no longer."""
    plan = {"table": "rides", "step": "write.done", "occurrence": 1, "does": "kill"}
    killed = scene.start("ingest", "rides", scene.drop("fourth.csv", range(31, 41)), plan=plan)
    killed.communicate(timeout=120)
    session = scene.open()
    (branch,) = session.repository.branches("attempt-")
    assert told(reconcile(session)) == [("a branch of an attempt that died", branch, "mended")]
    scene.run("ingest", "rides", scene.folder / "fourth.csv")
    assert reconcile(session) == []


def test_mend_tells_and_leaves_what_is_none_of_lakegates(scene: Scene) -> None:
    session = scene.open()
    session.repository.branch("somebody", MAIN)
    session.repository.put(MAIN, "somebody/was/here", b"")
    found = reconcile(session, dry_run=True)
    assert told(found) == told(reconcile(session))
    assert all(item.note for item in found)
    assert told(found) == [
        ("a branch that is none of Lakegate's", "somebody", "left"),
        ("an uncommitted object on main, which stops every publish", "somebody/was/here", "left"),
    ]
    session.repository.delete(MAIN, "somebody/was/here")
    session.repository.delete_branch("somebody")
    assert reconcile(session) == []
