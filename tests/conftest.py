"""What tests share: settings with a home of their own, and a home whose lakeFS runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.server import ensure_server, stop_server
from lakegate.settings import Settings

PROJECT = Path(__file__).resolve().parent.parent


def say(line: str) -> None:
    """Pytest shows it with the test that failed."""
    sys.stderr.write(f"{line}\n")


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """The real project with a fresh home; whatever lakeFS a test starts there is stopped after it."""
    fresh = Settings.load(home=tmp_path / "home", project=PROJECT)
    yield fresh
    stop_server(fresh.home)


@pytest.fixture(scope="module")
def lakefs_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The real project with a home that the module's tests share, its lakeFS running."""
    shared = Settings.load(home=tmp_path_factory.mktemp("lakefs") / "home", project=PROJECT)
    ensure_server(shared, say=say)
    yield shared
    stop_server(shared.home)
