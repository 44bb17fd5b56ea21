"""Whatever umask a home was made under, nobody but its owner can write what Lakegate believes,
or read its keys.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.runtime.circuit_breaker import Breaker
from lake.runtime.leases import at_once, lease_at
from lake.versions.home_copies import write_copy
from lakegate.errors import Transient
from lakegate.home import Home
from lakegate.settings import Settings

FOLDERS = (
    "lakefs",
    "spool",
    "scratch",
    "dagster",
    "dagster/history",
    "manifests",
    "manifests/a",
    "manifests/a/t",
    "locks",
    "locks/a",
    "breakers",
)
FILES = (
    "manifests/a/t/v1.json",
    "manifests/a/t/v1.expired.json",
    "locks/a/t.lease",
    "dagster/dagster.yaml",
    "dagster/history/runs.db",
)
KEYS = ("lakefs/keys.json", "lakefs/config.yaml")
MODES = st.integers(0, 0o777).map(lambda mode: mode | 0o700)


def within_reach(root: Path) -> Iterator[Path]:
    """What others can come to: folders that they may enter, and what lies in them."""
    yield root
    if root.is_dir() and root.stat().st_mode & 0o011:
        for path in root.iterdir():
            if path.name != "landing":
                yield from within_reach(path)


def writable(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in within_reach(root) if path.lstat().st_mode & 0o022]


@given(
    st.lists(MODES, min_size=len(FOLDERS), max_size=len(FOLDERS)),
    st.lists(MODES, min_size=7, max_size=7),
    MODES,
)
def test_home_of_any_modes_is_its_owners_after_it_was_opened(
    folders: list[int], files: list[int], top: int
) -> None:
    with tempfile.TemporaryDirectory() as place:
        home = Home(Path(place) / "home").prepare()
        for name in FOLDERS:
            (home.root / name).mkdir(parents=True, exist_ok=True)
        for name, mode in zip((*FILES, *KEYS), files, strict=True):
            (home.root / name).write_text("{}")
            (home.root / name).chmod(mode)
        # What is made without care is so from its top on.
        for name, mode in zip(FOLDERS, folders, strict=True):
            above = next(
                (item for item, _ in zip(FOLDERS, folders, strict=True) if name.startswith(f"{item}/")), name
            )
            (home.root / name).chmod(
                mode if above == name or (home.root / above).stat().st_mode & 0o022 else 0o700
            )
        for name in FILES:
            if not (home.root / name.partition("/")[0]).stat().st_mode & 0o022:
                (home.root / name).chmod(0o600)
        home.landing.chmod(0o777)
        home.root.chmod(top)
        said: list[str] = []
        home.prepare(say=said.append)
        assert writable(home.root) == []
        assert all(stat.S_IMODE((home.root / name).stat().st_mode) & 0o077 == 0 for name in KEYS)
        assert stat.S_IMODE(home.landing.stat().st_mode) == 0o777, "who delivers is its owner's to say"
        opened = [
            mode for mode, name in zip(files, (*FILES, *KEYS), strict=True) if name in KEYS and mode & 0o077
        ]
        assert sum("these keys" in line for line in said) == len(opened)
        assert bool(top & 0o022) == any(f"{home.root} could" in line for line in said)
        again: list[str] = []
        home.prepare(say=again.append)
        assert again == []


def test_files_written_under_a_umask_of_nothing_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        home = Home(tmp_path / "home")
        home.root.mkdir()
        assert writable(home.root), "as somebody made it"
        home.prepare(say=print)
        settings = Settings.load(home=home.root, environ={})
        write_copy(home.manifest_copy("default", "flights", 1), b"{}")
        with (
            at_once(lease_at(home.locks / "default" / "flights.lease", seconds=20))
            or contextlib.nullcontext()
        ):
            pass
        with contextlib.suppress(Transient), Breaker(settings, "source").attempt():
            raise Transient("it did")
    finally:
        os.umask(before)
    assert writable(home.root) == []
    assert {path.name for path in home.root.iterdir()} >= {"manifests", "locks", "breakers"}


def test_others_write_into_no_home_of_an_old_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that was made with umask 000: its copies of manifests and its queues were anybody's."""
    home = Home(tmp_path / "home").prepare()
    for name in ("manifests/default/flights", "locks/default"):
        (home.root / name).mkdir(parents=True)
        (home.root / name / "a").write_text("{}")
    for path in [
        *home.root.rglob("manifests/**/*"),
        *home.root.rglob("locks/**/*"),
        home.root / "manifests",
        home.root / "locks",
        home.root,
    ]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    home.prepare()
    assert [path for path in home.root.rglob("*") if path.stat().st_mode & 0o022] == []
    said = capsys.readouterr().err
    assert f"{home.root / 'manifests'} could be written by others: by its owner alone from now on" in said


def test_link_in_a_home_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("")
    (elsewhere / "file").chmod(0o666)
    elsewhere.chmod(0o777)
    home = Home(tmp_path / "home").prepare()
    (home.root / "manifests").mkdir()
    (home.root / "manifests" / "link").symlink_to(elsewhere)
    (home.root / "manifests").chmod(0o777)
    home.prepare(say=print)
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o777
    assert stat.S_IMODE((elsewhere / "file").stat().st_mode) == 0o666
