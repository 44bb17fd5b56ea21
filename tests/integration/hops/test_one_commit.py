"""Every report of several reads is as of one commit of main,
whatever is published between any two of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from expectations.gx import data_docs
from lake import paths
from lake.decisions.rollback import roll_back
from lake.hops.receive import receive
from lake.lakefs.client import Calls
from lake.maintenance.reconcile import reconcile
from lake.maintenance.retention import clean_up
from lake.pipeline.ingest import ingest
from lake.reports.data_docs import write_docs
from lake.reports.ledger_view import entries
from lake.reports.status import at_a_glance
from lake.reports.versions import list_quarantine, list_versions
from lake.session import Session, open_session
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.lakes.rides_rolled_back import CONTRACT

pytestmark = pytest.mark.server
CLOSELY = 7
"""Reads before each of which something is published; of those after them every few."""
REPORTS: dict[str, Callable[[Session, Path], Any]] = {
    "versions": lambda session, _: [
        (item["name"], item["expired"]) for item in list_versions(session, "rides")
    ],
    "quarantine": lambda session, _: list_quarantine(session, session.catalog.get("rides")),
    "ledger": lambda session, _: [(item.cause, item.table, item.state) for item in entries(session)],
    "docs": lambda session, folder: write_docs(session, [], folder).read_text(),
    "status": lambda session, _: at_a_glance(session),
    "reconcile": lambda session, _: reconcile(session),
}


@dataclass
class Lake:
    """A lake at two commits of main, between which it goes to and fro with all that a publish changes beside
    main.
    """

    session: Session
    before: str
    after: str
    tags: dict[str, str]
    """Of the versions in between; and the branches that keep them."""
    keeps: dict[str, str]
    ended: dict[str, str]
    """Branches that kept a version until then."""
    ledger: dict[str, bytes]
    """The records that were written in between."""

    published: bool = True

    def put(self, *, after: bool) -> None:
        if after == self.published:
            return
        self.published = after
        repository, api = self.session.repository, self.session.repository._api
        api.experimental_api.hard_reset_branch(
            repository.name, "main", self.after if after else self.before, force=True
        )
        for tag, commit in self.tags.items():
            repository.tag(tag, commit) if after else api.tags_api.delete_tag(
                repository.name, tag, force=True
            )
        for branch, commit in self.keeps.items():
            repository.branch(branch, commit) if after else repository.delete_branch(branch)
        for branch, commit in self.ended.items():
            repository.delete_branch(branch) if after else repository.branch(branch, commit)
        for path, body in self.ledger.items():
            repository.put(paths.LEDGER, path, body) if after else repository.delete(paths.LEDGER, path)


@pytest.fixture(scope="module")
def lake(lakefs_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """One table of which a drop waits and is then published, all but its first version taken back,
    its second ended; and another table.
    """
    folder = tmp_path_factory.mktemp("project")
    contracts = folder / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    text = CONTRACT.replace("MODE", "append") + "  - {property: retention, value: {versions: 2}}\n"
    (contracts / "rides.odcs.yaml").write_text(text)
    (contracts / "trips.odcs.yaml").write_text(text.replace("rides", "trips"))
    session = open_session(replace(lakefs_home, project=folder, tenant="onecommit"), say=lambda _: None)
    repository = session.repository
    files = {name: folder / name for name in "abc"}
    for number, file in enumerate(files.values()):
        file.write_text(f"ride,fare,at\n{number}1,1.5,1\n{number}2,free,1\n")
    ingest(session, "rides", [files["a"], files["b"]])
    ingest(session, "trips", [files["a"]])
    receive(session, "rides", files["c"])
    before, tags, keeps = (
        repository.commit_of("main"),
        repository.tags(""),
        repository.branch_commits("keep-"),
    )
    known = {item.path for item in repository.listing(paths.LEDGER, "")}
    ingest(session, "rides", [files["c"]])
    ingest(session, "trips", [files["b"]])
    roll_back(session, VersionName("rides", 1), reason="a test")
    clean_up(session)
    fresh = [item.path for item in repository.listing(paths.LEDGER, "") if item.path not in known]
    kept = repository.branch_commits("keep-")
    return Lake(
        session,
        before,
        repository.commit_of("main"),
        {tag: commit for tag, commit in repository.tags("").items() if tag not in tags},
        {name: commit for name, commit in kept.items() if name not in keeps},
        {name: commit for name, commit in keeps.items() if name not in kept},
        {path: repository.get(paths.LEDGER, path) or b"" for path in fresh},
    )


@pytest.mark.parametrize("report", REPORTS)
def test_report_is_of_one_commit_whatever_is_published_between_two_reads(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: str
) -> None:
    monkeypatch.setattr(data_docs, "page", lambda *_, **__: "a page")  # which takes seconds
    ask = partial(REPORTS[report], lake.session, tmp_path)
    answers = []
    for after in (True, False):
        lake.put(after=after)
        answers.append(ask())
    if report != "reconcile":
        assert answers[0] != answers[1]
    made = itertools.count(1)
    told, moment = Calls._call, 0

    def call(self: Calls, *args: Any, **options: Any) -> Any:
        if next(made) == moment:
            lake.put(after=True)
        return told(self, *args, **options)

    monkeypatch.setattr(Calls, "_call", call)
    assert ask() == answers[1]
    last = next(made)
    for moment in sorted({*range(1, min(last, CLOSELY)), *range(CLOSELY, last, max(1, last // CLOSELY))}):
        monkeypatch.setattr(Calls, "_call", told)
        lake.put(after=False)
        made = itertools.count(1)
        monkeypatch.setattr(Calls, "_call", call)
        assert ask() in answers, f"published before read {moment} of {last}"
    monkeypatch.setattr(Calls, "_call", told)
    lake.put(after=True)
