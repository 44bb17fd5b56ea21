"""What was tried on the promises, and how often: `make soak` writes it into docs/soak.md."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.commands.started import end_all
from tests.support.lakes.scene import Scene
from tests.support.places import ROOT

Tried = Callable[[str, str, int], None]
PAGE = ROOT / "docs" / "soak.md"
BEGIN, END = "<!-- make soak -->\n", "<!-- /make soak -->\n"

_tried: dict[tuple[str, str], int] = {}


@pytest.fixture(autouse=True)
def nobody_left_behind() -> Iterator[None]:
    """What a failed test started ends with it."""
    yield
    end_all()


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Tried:
    """Tell, at a test's end, which promise it tried, by what, and how often."""

    def tell(promise: str, what: str, times: int) -> None:
        record_property("tried", [promise, what, times])

    return tell


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A scene of the test's own, closed after it."""
    made = Scene.made(tmp_path / "scene")
    yield made
    made.close()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Gather what was told, from all workers."""
    if report.when == "call" and report.passed:
        for name, value in report.user_properties:
            if name == "tried":
                promise, what, times = value
                _tried[promise, what] = _tried.get((promise, what), 0) + times


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the table, where it was asked for, and all was tried, and nothing failed."""
    options = session.config.option
    whole = session.config.args == ["tests/crash"] and not (
        options.keyword or options.markexpr or getattr(options, "lf", False)
    )
    if (
        exitstatus == 0
        and whole
        and _tried
        and "LAKEGATE_SOAK_TABLE" in os.environ
        and not hasattr(session.config, "workerinput")
    ):
        text = PAGE.read_text(encoding="utf-8")
        before, after = text.partition(BEGIN)[0], text.partition(END)[2]
        PAGE.write_text(before + BEGIN + table() + END + after, encoding="utf-8")


def table() -> str:
    """What was tried, as Markdown."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    rows = [f"| {promise} | {what} | {times:,} |" for (promise, what), times in sorted(_tried.items())]
    head = [
        f"At commit {commit.strip()}, {datetime.now(UTC):%Y-%m-%d}; broken: none.",
        "",
        "| promise | tried by | times |",
        "|---|---|---:|",
    ]
    return "\n".join([*head, *rows, ""])
