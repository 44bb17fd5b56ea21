"""What a backup leaves out, and what is refused as none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lake.server.backup import backup, restore
from lakegate.errors import LakegateError, UsageError
from lakegate.home import Home

SIZE = 64 * 1024**2


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home without a lakeFS, which left a log of which next to nothing is written."""
    made = Home(tmp_path / "home").prepare()
    log = made.lakefs / "kv" / "000002.vlog"
    log.parent.mkdir()
    with log.open("wb") as file:
        file.write(b"begin")
        file.seek(SIZE // 2)
        file.write(b"middle")
        file.truncate(SIZE + 3)
    return made


def test_holes_stay_holes(home: Home, tmp_path: Path) -> None:
    source = home.lakefs / "kv" / "000002.vlog"
    most = max(4 * 1024**2, source.stat().st_blocks * 512)  # not every file system has holes
    done = backup(home, tmp_path / "kept")
    restored = Home(tmp_path / "restored")
    restore(restored, tmp_path / "kept")
    for copy in (tmp_path / "kept" / "lakefs" / "kv" / source.name, restored.lakefs / "kv" / source.name):
        assert copy.read_bytes() == source.read_bytes()
        assert copy.stat().st_blocks * 512 <= most
        assert copy.stat().st_mtime_ns == source.stat().st_mtime_ns
    assert done.size <= most
    assert backup(home, tmp_path / "kept").files == 0


def test_home_is_no_backup(home: Home, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a home, and no backup"):
        restore(Home(tmp_path / "restored"), home.root)


def test_backup_says_what_to_do_where_it_cant_be_written(home: Home) -> None:
    with pytest.raises(LakegateError, match="name another folder"):
        backup(home, Path("/proc/nowhere"))


def test_backup_whose_lakefs_was_not_ended_is_refused(home: Home, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    backup(home, kept)
    record = Home(kept).server_file
    record.write_text(json.dumps({"format": 1, "pid": 1, "started": 0.0, "port": 1}))
    for work in (lambda: restore(Home(tmp_path / "restored"), kept), lambda: backup(home, kept)):
        with pytest.raises(UsageError, match=f"lakegate down --home {kept}"):
            work()
    record.unlink()
    restore(Home(tmp_path / "restored"), kept)
