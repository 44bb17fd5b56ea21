"""The folder that Dagster is given where its own has a name that it doesn't take: a link in the cache,
which nobody else chose.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from assets import instance
from lakegate.errors import LakegateError, UsageError
from lakegate.modes import foreign


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "a?home" / "dagster"
    made.mkdir(parents=True)
    return made


def test_link_is_made_once(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    link = instance._named(folder, cache)
    before = link.lstat()
    assert (link.parent, link.readlink()) == (cache, folder)
    assert instance._named(folder, cache) == link
    assert link.lstat().st_ino == before.st_ino
    assert [path.name for path in cache.iterdir()] == [link.name]
    assert instance._named(folder.parent.parent, cache) == tmp_path


def test_link_that_leads_elsewhere_is_made_anew(folder: Path, tmp_path: Path) -> None:
    link, other = instance._named(folder, tmp_path / "cache"), tmp_path / "other"
    other.mkdir()
    link.unlink()
    link.symlink_to(other)
    assert instance._named(folder, tmp_path / "cache").readlink() == folder
    assert list(other.iterdir()) == []


def test_file_that_is_no_link_is_refused(folder: Path, tmp_path: Path) -> None:
    link = instance._named(folder, tmp_path / "cache")
    link.unlink()
    link.mkdir()
    with pytest.raises(LakegateError, match="can't be made there") as caught:
        instance._named(folder, tmp_path / "cache")
    assert caught.value.where == str(link)


def test_cache_that_every_account_may_write_is_shut(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    instance._named(folder, tmp_path / "cache")
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o755


def test_folder_that_another_user_owns_is_not_taken(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = instance._named(folder, tmp_path / "cache")
    before = link.lstat()
    monkeypatch.setattr(instance, "foreign", lambda path: path == link)
    assert instance._named(folder, tmp_path / "cache").lstat().st_ino != before.st_ino
    monkeypatch.setattr(instance, "foreign", lambda path: path == link.parent.resolve())
    with pytest.raises(UsageError, match="belongs to another user") as caught:
        instance._named(folder, tmp_path / "cache")
    assert "LAKEGATE_CACHE" in caught.value.fix


def test_link_is_whose_it_is_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "link"
    link.symlink_to("/")
    assert not foreign(link)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    assert foreign(link) is (tmp_path.stat().st_uid != 0)
