"""A backup that is made while drops arrive is a whole lake, and a second one takes what is new alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.backup import backup, restore
from lake.server import stop_server
from lakegate import open_snapshot
from lakegate.errors import UsageError
from lakegate.home import Home
from tests.crash.scene import Scene, answer

pytestmark = pytest.mark.server


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene.made(tmp_path / "scene")
    made.run("ingest", "rides", made.drop("first.csv", range(1, 101)))
    yield made
    made.close()


def test_a_backup_under_way_is_a_whole_lake_elsewhere(scene: Scene, tmp_path: Path) -> None:
    files = [scene.drop(f"{number}.csv", range(101 + 10 * number, 111 + 10 * number)) for number in range(6)]
    at_work = scene.start("ingest", "rides", *files)
    kept = tmp_path / "kept" / "home"
    first = backup(scene.settings.home, kept)
    told = answer(at_work)
    assert [hop["verdict"] for drop in told for hop in drop["hops"]] == ["passed", "quarantined"] * 6
    copy = Scene(tmp_path / "kept", kept)
    (copy.folder / "project").symlink_to(scene.folder / "project")
    try:
        assert [gap for gap in copy.left_over() if "candidate" not in gap and "receive" not in gap and "pending" not in gap] == []
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
    stop_server(other)


def test_what_can_be_no_backup_is_said(scene: Scene, tmp_path: Path) -> None:
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
