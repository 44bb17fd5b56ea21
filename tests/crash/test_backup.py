"""A backup that is made while drops arrive is a whole lake, and a second one takes what is new alone."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import lake.server.home_copy
from lake.server.backup import backup, restore
from lake.server.lifecycle import server_status, stop_server
from lakegate import open_snapshot
from lakegate.errors import LakegateError, UsageError
from lakegate.home import Home
from tests.crash.conftest import Tried
from tests.support.lakes.scene import Scene, answer

pytestmark = pytest.mark.server


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene.made(tmp_path / "scene")
    made.run("ingest", "rides", made.drop("first.csv", range(1, 101)))
    yield made
    made.close()


def test_backup_under_way_is_a_whole_lake_elsewhere(scene: Scene, tmp_path: Path, tried: Tried) -> None:
    files = [scene.drop(f"{number}.csv", range(101 + 10 * number, 111 + 10 * number)) for number in range(6)]
    at_work = scene.start("ingest", "rides", *files)
    kept = tmp_path / "kept" / "home"
    first = backup(scene.settings.home, kept)
    told = answer(at_work)
    assert [hop["verdict"] for drop in told for hop in drop["hops"]] == ["passed", "quarantined"] * 6
    copy = Scene(tmp_path / "kept", kept)
    (copy.folder / "project").symlink_to(scene.folder / "project")
    try:
        assert [
            gap
            for gap in copy.left_over()
            if "candidate" not in gap and "receive" not in gap and "pending" not in gap
        ] == []
        versions = copy.published()["rides"]
        assert versions == scene.published()["rides"][: len(versions)]
    finally:
        copy.close()
    again = backup(scene.settings.home, kept)
    nothing_new = backup(scene.settings.home, kept)
    assert first.files > 0
    assert nothing_new.files < again.files
    copy.close()
    other = Home(tmp_path / "restored")
    restore(other, kept)
    assert open_snapshot("rides@v7", home=other.root).arrow().num_rows == 99 + 6 * 9
    restored = Scene(copy.folder, other.root)
    try:
        assert restored.left_over() == []
        assert (restored.published(), restored.aside()) == (scene.published(), scene.aside())
        assert [
            hop["verdict"] for drop in restored.run("ingest", "rides", *files) for hop in drop["hops"]
        ] == ["unchanged"] * 12
    finally:
        restored.close()
    tried("P4 named for good", "a backup is made while drops arrive: it verifies, and is restored", 1)


def test_database_at_work_is_copied_as_it_stood_at_one_moment(scene: Scene, tmp_path: Path) -> None:
    """Dagster's, whose rows of a transaction are in its journal, or half in the file,
    while somebody copies it.
    """
    database, kept = scene.settings.home.root / "dagster" / "runs.db", tmp_path / "kept"
    database.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(database)) as writer:
        writer.execute("pragma journal_mode = wal")
        writer.execute("create table runs (run integer)")
        writer.execute("insert into runs values (1)")
        writer.commit()
        for round_ in (1, 2):
            writer.execute("insert into runs values (?)", (10 + round_,))
            writer.commit()
            writer.execute("insert into runs values (99)")  # and not committed
            backup(scene.settings.home, kept)
            writer.rollback()
            assert not list((kept / "dagster").glob("*.db-*"))
            with contextlib.closing(sqlite3.connect(kept / "dagster" / "runs.db")) as copy:
                assert [row for (row,) in copy.execute("select run from runs order by run")] == [1, 11, 12][
                    : round_ + 1
                ]
                assert copy.execute("pragma integrity_check").fetchone() == ("ok",)


def test_file_that_is_put_away_while_it_is_copied_is_no_failure(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = scene.settings.home.root / "landing" / "rides" / "late.csv"
    late.parent.mkdir(parents=True)
    late.write_text("ride,fare\n")
    honest = shutil.copy2

    def copy(source: Path, target: Path) -> None:
        if source == late:
            source.unlink()
        honest(source, target)

    monkeypatch.setattr(lake.server.home_copy.shutil, "copy2", copy)
    backup(scene.settings.home, tmp_path / "kept")
    assert not late.exists()
    restore(Home(tmp_path / "restored"), tmp_path / "kept")


def test_earlier_backup_is_good_until_the_last_moment(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, home = tmp_path / "kept", scene.settings.home
    backup(home, kept)
    scene.run("ingest", "rides", scene.drop("second.csv", range(101, 111)))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(lake.server.home_copy.shutil, "copy2", full)
    with pytest.raises(LakegateError, match="No space left"):
        backup(home, kept)
    monkeypatch.undo()
    restore(Home(tmp_path / "restored"), kept)
    assert open_snapshot("rides@v1", home=tmp_path / "restored").arrow().num_rows == 99
    stop_server(Home(tmp_path / "restored"))


def test_lakefs_runs_after_a_backup_where_it_ran_before(scene: Scene, tmp_path: Path) -> None:
    home = scene.settings.home
    for runs in (True, False):
        if not runs:
            stop_server(home)
        scene.run("backup", tmp_path / f"kept-{runs}")
        assert server_status(home).state == ("running" if runs else "stopped")


def test_folder_that_can_be_no_backup_is_said(scene: Scene, tmp_path: Path) -> None:
    home, other = scene.settings.home, tmp_path / "other"
    other.mkdir()
    (other / "something").write_text("else")
    for folder, told in ((home.root / "backup", "in each other"), (other, "something else")):
        with pytest.raises(UsageError, match=told):
            backup(home, folder)
    with pytest.raises(UsageError, match="no backup"):
        restore(Home(tmp_path / "fresh"), other)
    backup(home, tmp_path / "kept")
    mark = tmp_path / "kept" / "backup.json"
    whole = mark.read_text()
    mark.write_text('{"complete": false}')
    with pytest.raises(UsageError, match="was interrupted"):
        restore(Home(tmp_path / "fresh"), tmp_path / "kept")
    mark.write_text(whole)
    with pytest.raises(UsageError, match="holds something"):
        restore(home, tmp_path / "kept")
