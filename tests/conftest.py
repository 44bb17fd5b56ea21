"""What tests share: settings with a home of their own, and a home whose lakeFS runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.server import ensure_server, stop_server
from lakegate.settings import Settings

LONGEST_FIRST = (
    "parity/test_engines",
    "crash/test_killed_demo",
    "orchestration/test_landing",
    "integration/test_demo",
    "stocked",
    "orchestration/test_dagster",
    "integration/test_server",
)
"""What takes minutes starts first, so that no worker is left with it in the end."""

STOCKED = (
    "integration/test_recovery",
    "integration/test_bad_input",
    "integration/test_promises",
    "integration/test_order",
    "integration/test_cli",
)
"""Files that share one stocked home, and so one worker."""

PROJECT = Path(__file__).resolve().parent.parent


def say(line: str) -> None:
    """Pytest shows it with the test that failed."""
    sys.stderr.write(f"{line}\n")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each file to one worker of pytest-xdist, whole: its fixtures are homes and servers."""
    groups = {}
    for item in items:
        name = f"{item.path.parent.name}/{item.path.stem}"
        groups[item] = "stocked" if name in STOCKED else name
        item.add_marker(pytest.mark.xdist_group(groups[item]))
    items.sort(key=lambda item: LONGEST_FIRST.index(groups[item]) if groups[item] in LONGEST_FIRST else len(LONGEST_FIRST))


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
