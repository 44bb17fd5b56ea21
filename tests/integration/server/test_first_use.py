"""Several processes use a fresh home, or a fresh machine, for the first time at once: it is made once,
and whole.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from assets.instance import DATABASES, open_instance
from lakegate.errors import LakegateError
from lakegate.settings import Settings
from tests.support.places import ROOT

SCRIPT = ROOT / "tests/support/commands/first_use.py"
OLD = "5771160a95ad"
"""What the second of two processes wrote beside the newest mark, with earlier releases of Lakegate."""


def at_once(what: str, settings: Settings, **environ: str) -> list[str]:
    """What each of eight processes got."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), what, str(settings.home.root)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    got = done.stdout.splitlines()
    assert done.returncode == 0, got + done.stderr.splitlines()[-10:]
    assert len(got) == 8
    return got


def marks(settings: Settings) -> dict[str, int]:
    found = {}
    for name in DATABASES:
        with contextlib.closing(sqlite3.connect(settings.home.dagster / name)) as connection:
            found[name] = len(connection.execute("select * from alembic_version").fetchall())
    return found


def test_dagsters_databases_are_made_by_one_of_them(settings: Settings) -> None:
    assert at_once("instance", settings) == ["0"] * 8
    assert marks(settings) == dict.fromkeys(DATABASES, 1)


def test_home_is_made_once(settings: Settings) -> None:
    assert at_once("home", settings) == ["True"] * 8


@pytest.mark.server
def test_one_server_and_one_repository_are_made(settings: Settings) -> None:
    assert len(set(at_once("session", settings))) == 1


def test_lakefs_is_built_once(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    go = folder / "go"
    answer = "#!/bin/sh\\necho lakefs version 1.84.0\\n"
    build = (
        f"while [ $# -gt 0 ]; do [ \"$1\" = -o ] && out=$2; shift; done; sleep 0.5; printf '{answer}' > "
        f'"$out"; chmod +x "$out"'
    )
    go.write_text(
        f'#!/bin/sh\nif [ "$1" = version ]; then echo go version go1.26.6 linux/amd64; exit; fi\n{build}\n'
    )
    go.chmod(0o755)
    got = at_once("binary", settings, PATH=f"{folder}:/usr/bin:/bin", LAKEGATE_CACHE=str(tmp_path / "cache"))
    assert {line.partition(" built=")[0] for line in got} == {
        str(tmp_path / "cache" / "lakefs-1.84.0" / "lakefs")
    }
    assert sorted(line.partition(" built=")[2] for line in got) == ["False"] * 7 + ["True"]


@pytest.mark.parametrize("name", DATABASES)
def test_database_that_two_made_at_once_is_mended(settings: Settings, name: str) -> None:
    open_instance(settings).dispose()
    with contextlib.closing(sqlite3.connect(settings.home.dagster / name)) as connection, connection:
        connection.execute("insert into alembic_version values (?)", (OLD,))
    with open_instance(settings) as opened:
        assert opened.get_runs_count() == 0
        assert opened.all_instigator_state() == []
    assert marks(settings) == dict.fromkeys(DATABASES, 1)


def test_one_whose_states_are_all_foreign_is_named(settings: Settings) -> None:
    open_instance(settings).dispose()
    path = settings.home.dagster / "schedules/schedules.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("delete from alembic_version")
        connection.executemany("insert into alembic_version values (?)", [(OLD,), ("of a later release",)])
    with pytest.raises(LakegateError, match="several states") as caught:
        open_instance(settings)
    assert str(path) in str(caught.value)
    assert "move the file away" in str(caught.value)
