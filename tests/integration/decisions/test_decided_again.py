"""P3, exactly once, of what a person has published: whoever asks again after a death finds the publish,
and publishes nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from expectations.verdict import Verdict
from lake.decisions.discard import discard
from lake.decisions.replay import replay
from lake.decisions.reprocess import reprocess
from lake.decisions.rollback import roll_back
from lake.ledger.records import spooled, unspool
from lake.maintenance.verify import audit_all
from lake.pipeline.ingest import ingest
from lake.reports.versions import list_versions
from lake.session import Session, open_session
from lakegate.errors import IntegrityError, UsageError
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.lakes.rides_reprocessed import project, take

pytestmark = pytest.mark.server


class DiedError(BaseException):
    """The process is gone."""


def opened(home: Settings, folder: Path, tenant: str, *, dies_at: str = "") -> Session:
    def watcher(table: str, step: str) -> None:
        if (table, step) == ("rides", dies_at):
            raise DiedError

    return open_session(replace(home, project=folder, tenant=tenant), say=print, watcher=watcher)


def of_reprocess(session: Session) -> Any:
    return reprocess(session, session.catalog.get("rides"))


def of_replay(session: Session) -> Any:
    return replay(session, session.catalog.get("rides"), rule="fare-plausible").hop


def of_rollback(session: Session) -> Any:
    return roll_back(session, VersionName("rides", 1), reason="a test").hop


def of_discard(session: Session) -> Any:
    return discard(session, session.catalog.get("rides"), rule="fare-plausible", reason="a test")[1]


DECISIONS = [of_reprocess, of_replay, of_rollback, of_discard]


@pytest.mark.parametrize("decide", DECISIONS)
@pytest.mark.parametrize("dies_at", ["merge.done", "tag.done"])
def test_decision_whose_process_died_after_its_merge_is_published_once(
    lakefs_home: Settings, tmp_path: Path, decide: Callable[[Session], Any], dies_at: str
) -> None:
    tenant = f"{decide.__name__}_{dies_at[:3]}"
    project(tmp_path, mode="append", most=20)
    take(opened(lakefs_home, tmp_path, tenant), tmp_path, "a.csv", "b.csv")
    if decide is not of_discard:
        project(tmp_path, mode="append", most=200)
    with pytest.raises(DiedError):
        decide(opened(lakefs_home, tmp_path, tenant, dies_at=dies_at))
    session = opened(lakefs_home, tmp_path, tenant)
    hop = decide(session)
    assert (hop.verdict, hop.version) == (Verdict.UNCHANGED, "rides@v3")
    assert "rides@v3" in hop.reason
    assert [version["name"] for version in list_versions(session, "rides")] == [
        "rides@v1",
        "rides@v2",
        "rides@v3",
    ]
    assert session.repository.resolve("rides.v3") is not None
    assert not any(audit_all(session).values())


def test_decision_is_made_anew_once_something_changed(lakefs_home: Settings, tmp_path: Path) -> None:
    project(tmp_path, mode="append", most=20)
    take(opened(lakefs_home, tmp_path, "anew"), tmp_path, "a.csv", "b.csv")
    project(tmp_path, mode="append", most=200)
    assert of_reprocess(opened(lakefs_home, tmp_path, "anew")).version == "rides@v3"
    project(tmp_path, mode="append", most=30)
    changed = opened(lakefs_home, tmp_path, "anew")
    assert of_reprocess(changed).version == "rides@v4"
    take(changed, tmp_path, "c.csv")
    assert of_reprocess(changed).version == "rides@v6"
    assert of_rollback(changed).version == "rides@v7"
    with pytest.raises(UsageError, match="no open row"):
        discard(changed, changed.catalog.get("rides"), rule="other", reason="a test")


def test_block_that_is_missing_is_damage_by_name_and_no_lost_race(
    lakefs_home: Settings, tmp_path: Path
) -> None:
    project(tmp_path, mode="append", most=20)
    session = opened(lakefs_home, tmp_path, "damaged")
    take(session, tmp_path, "a.csv")

    blocks = [
        session.repository.local(session.repository.physical(item.physical_address))
        for item in session.repository.listing("main", "")
        if item.path.endswith(".parquet") and "/rides/" in item.path and "quarantine" not in item.path
    ]
    assert blocks
    for block in blocks:
        assert block is not None
        block.unlink()
    (tmp_path / "b.csv").write_text("ride,fare,at\n9,1.5,1\n")
    with pytest.raises(IntegrityError) as told:
        ingest(opened(lakefs_home, tmp_path, "damaged"), "rides", [tmp_path / "b.csv"])
    assert any(str(block) in str(told.value) for block in blocks)
    assert "backup" in told.value.fix


def test_spool_is_carried_in_once_however_many_do_it_at_once(lakefs_home: Settings, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    project(tmp_path, mode="append", most=20)
    sessions = [opened(lakefs_home, tmp_path, "spool") for _ in range(4)]
    folder = sessions[0].settings.home.spool / "spool"
    folder.mkdir(parents=True)
    for number in range(30):
        name = f"rides~~{number:064x}~~20260101T0000{number:02}.000000Z~rides~failed~-~run-{number:08x}.json"
        (folder / name).write_text("{}")
    assert len(spooled(sessions[0])) == 30
    for session in sessions:
        assert session.repository
    with ThreadPoolExecutor(len(sessions)) as pool:
        carried = list(pool.map(unspool, sessions))
    assert sum(carried) == 30
    assert (
        len([item for item in sessions[0].repository.listing("ledger", "rides/") if "~failed~" in item.path])
        == 30
    )
    assert spooled(sessions[0]) == []
