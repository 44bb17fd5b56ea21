"""A clean-up beside others: a second one, somebody who needs a version, and who goes back to it."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from lake.decisions import rollback
from lake.decisions.rollback import roll_back
from lake.maintenance.pins import pin_version, unpin_version
from lake.maintenance.retention import clean_up
from lake.maintenance.verify import audit, audit_all
from lake.pipeline.ingest import ingest
from lakegate.errors import Expired, UsageError
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.lakes.retained import LATER, SEED, Past, aged, made
from tests.support.lakes.scene import Scene

pytestmark = pytest.mark.server


def test_two_clean_ups_at_once_free_what_one_does(tmp_path: Path, lakefs_home: Settings) -> None:
    scene = made("append", tmp_path / "scene", lakefs_home, "twice")
    past = Past(scene.open(), scene, random.Random(SEED))
    for what in ("deliver", "deliver", "roll back", "deliver", "deliver"):
        past.did(what, 0)
    aged(past.session)
    sessions, later = [scene.open(), scene.open()], datetime.now(UTC) + LATER
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda session: clean_up(session, now=later), sessions))
    assert max(len(found.expired) for found in done) > 0
    assert not any(audit_all(past.session).values())
    nothing = clean_up(past.session, now=later)
    assert (nothing.expired, nothing.blocks, nothing.freed) == ([], 0, 0)


def test_version_that_somebody_needs_is_kept(tmp_path: Path, lakefs_home: Settings) -> None:
    scene = Scene.made(tmp_path / "scene", replaced=(), home=lakefs_home.home.root, tenant="kept")
    path = scene.folder / "project" / "catalog" / "contracts" / "rides.odcs.yaml"
    path.write_text(path.read_text() + "  - {property: retention, value: {versions: 1}}\n")
    session = scene.open()
    for number in range(4):
        ingest(session, "rides", [scene.drop(f"{number}.csv", range(1 + 10 * number, 11 + 10 * number))])
    one, two, three = (VersionName("rides", number) for number in (1, 2, 3))
    pin_version(session, one, reason="an audit", until=date(2126, 12, 31))
    pin_version(session, two, reason="in production", used_by="delays-7")
    for gone, ended in ((three, 2127), (one, 2128)):
        done = clean_up(session, now=datetime(ended - 1, 12, 31, 23, tzinfo=UTC))
        assert str(gone) in done.expired
        assert done.kept[str(two)] == "delays-7 uses it"
        assert done.kept.get(str(one)) == ("pinned until 2126-12-31" if gone == three else None)
    with pytest.raises(UsageError, match="2020-01-01 is past"):
        pin_version(session, one, reason="a slip", until=date(2020, 1, 1))
    with pytest.raises(UsageError, match=r"nothing on record pins rides@v2 for delays-8"):
        unpin_version(session, two, reason="a slip", used_by="delays-8")
    unpin_version(session, two, reason="replaced", used_by="delays-7")
    assert clean_up(session, now=datetime(2128, 1, 1, tzinfo=UTC)).expired == [str(two)]
    with pytest.raises(Expired, match="rides@v2 expired on 2128-01-01"):
        pin_version(session, two, reason="too late", used_by="delays-8")
    with pytest.raises(Expired, match="rides@v1 expired"):
        roll_back(session, one, reason="too late")
    with pytest.raises(
        Expired, match=r"rides@v1 expired on 2127-12-31 .*the newest 1;[^>]*-> this is no damage"
    ):
        audit(session, one)
    assert not any(audit_all(session).values())


def test_end_of_a_version_and_return_to_it_at_once_are_told_apart(
    tmp_path: Path, lakefs_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clean-up holds no queue: a rollback that was decided before, and is published after,
    must not find its files gone.
    """
    scene = Scene.made(tmp_path / "scene", replaced=(), home=lakefs_home.home.root, tenant="apart")
    path = scene.folder / "project" / "catalog" / "contracts" / "rides.odcs.yaml"
    path.write_text(path.read_text() + "  - {property: retention, value: {versions: 1}}\n")
    session, honest = scene.open(), rollback.restore_files
    for number in range(3):
        ingest(session, "rides", [scene.drop(f"{number}.csv", range(1 + 10 * number, 11 + 10 * number))])

    def meanwhile(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(rollback, "restore_files", honest)
        aged(session)
        assert clean_up(scene.open()).expired == ["rides@v1", "rides@v2"]
        honest(*args, **kwargs)

    monkeypatch.setattr(rollback, "restore_files", meanwhile)
    with pytest.raises(Expired, match="rides@v1 expired"):
        roll_back(session, VersionName("rides", 1), reason="a test")
    assert not any(audit_all(session).values())
