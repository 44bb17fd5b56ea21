"""Files that run in a process of their own: an engine keeps the first lakeFS keys that it sees for as long as its process lives.

Those of tests/orchestration/ do, and those that are marked `own_process`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHILD = "LAKEGATE_TEST_REPORTS"
"""Set in the child: the file that its reports go to."""

_reports: dict[Path, dict[str, list[Any]]] = {}


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Report what the child found for this test; the first test of a file starts the child for all of them."""
    if CHILD in os.environ or not (item.path.parent.name == "orchestration" or item.get_closest_marker("own_process")):
        return None
    if item.path not in _reports:
        _reports[item.path] = _run(item)
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _reports[item.path].get(item.nodeid, [_lost(item)]):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    item.session._setupstate.teardown_exact(nextitem)  # of the folder, which was set up for the tests before this one
    return True


def pytest_configure(config: pytest.Config) -> None:
    """In the child, keep every report for the parent."""
    if (target := os.environ.get(CHILD)) is not None:
        config.pluginmanager.register(_Keep(config, Path(target)))


class _Keep:
    def __init__(self, config: pytest.Config, target: Path) -> None:
        self.config, self.target = config, target

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        body = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
        with self.target.open("a") as writer:
            writer.write(json.dumps(body) + "\n")


def _run(item: pytest.Item) -> dict[str, list[Any]]:
    config = item.config
    target = config._tmp_path_factory.mktemp("reports") / "reports.jsonl"
    target.touch()
    wanted = [other.nodeid for other in item.session.items if other.path == item.path]
    command = [sys.executable, "-m", "pytest", *wanted, "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(config.rootpath)]
    environment = {**os.environ, CHILD: str(target)}
    environment.pop("PYTEST_XDIST_WORKER", None)
    subprocess.run(command, cwd=config.rootpath, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    found: dict[str, list[Any]] = {}
    for line in target.read_text().splitlines():
        report = config.hook.pytest_report_from_serializable(config=config, data=json.loads(line))
        found.setdefault(report.nodeid, []).append(report)
    return found


def _lost(item: pytest.Item) -> pytest.TestReport:
    text = "the process of this file ended before this test; run the file by itself to see why"
    return pytest.TestReport(item.nodeid, item.location, {}, "failed", text, "call")
