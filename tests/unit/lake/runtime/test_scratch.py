from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lake.runtime.scratch import LOCK, scratch, sweep
from lakegate.errors import LakegateError
from lakegate.settings import Settings
from tests.support.places import ROOT

HOLD = """
import sys, time
from dataclasses import replace
from pathlib import Path
from lake.runtime.scratch import scratch
from lakegate.settings import Settings
settings = Settings.load(home=sys.argv[1])
if len(sys.argv) > 2:
    settings = replace(settings, scratch=Path(sys.argv[2]))
with scratch(settings, "held") as folder:
    (folder / "part").mkdir()
    (folder / "part" / "rows").write_text("a name")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings.load(home=tmp_path / "home", project=ROOT)


@contextmanager
def holder(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process that is inside of scratch."""
    arguments = [str(settings.home.root), *([str(settings.scratch)] if settings.scratch else [])]
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        yield process, Path(process.stdout.readline().strip())
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def test_folder_is_for_its_owner_only_and_gone_afterwards(home: Settings) -> None:
    before = os.umask(0)
    try:
        with scratch(home, "a") as folder:
            made = [folder, home.scratch_dir, home.home.root]
            assert [stat.S_IMODE(one.stat().st_mode) for one in made] == [0o700] * 3
            assert sweep(home) == 0
            assert folder.is_dir()
    finally:
        os.umask(before)
    assert list(home.scratch_dir.iterdir()) == []


def test_folder_that_fails_is_gone_too(home: Settings) -> None:
    with pytest.raises(ValueError, match="inside"), scratch(home, "a"):
        raise ValueError("inside")
    assert list(home.scratch_dir.iterdir()) == []


@pytest.mark.parametrize("elsewhere", [False, True])
def test_scratch_of_a_killed_process_is_swept_and_that_of_a_living_one_stays(
    home: Settings, tmp_path: Path, *, elsewhere: bool
) -> None:
    settings = replace(home, scratch=tmp_path / "elsewhere") if elsewhere else home
    with holder(settings) as (living, kept), holder(settings) as (killed, left):
        killed.kill()
        killed.wait()
        assert (left / "part" / "rows").read_text() == "a name"
        assert sweep(settings) == 1
        assert not left.exists()
        assert living.poll() is None
        assert (kept / "part" / "rows").read_text() == "a name"


def test_sweep_leaves_alone_what_is_not_ours(home: Settings, tmp_path: Path) -> None:
    settings = replace(home, scratch=tmp_path / "shared")
    assert sweep(settings) == 0
    theirs = [settings.scratch_dir / "photos", settings.scratch_dir / "photos-0123456789ab"]
    for folder in theirs:
        folder.mkdir(parents=True)
    (settings.scratch_dir / "linked-0123456789ab").symlink_to(theirs[0])
    assert sweep(settings) == 0
    assert all(folder.is_dir() for folder in theirs)


def test_folder_that_was_swept_before_it_was_locked_is_made_again(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, real = [], Path.mkdir

    def mkdir(self: Path, *args: int, **kwargs: int) -> None:
        real(self, *args, **kwargs)
        if self.parent == home.scratch_dir:
            made.append(self)
            if len(made) == 1:
                assert sweep(home) == 1

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with scratch(home, "a") as folder:
        assert folder == made[1]
        assert (folder / LOCK).exists()


def test_folder_that_can_not_be_made_says_so(home: Settings) -> None:
    home.home.root.mkdir(parents=True)
    home.scratch_dir.write_text("a file where a folder must be")
    with pytest.raises(LakegateError, match="scratch folder"), scratch(home, "a"):
        pass
