"""What answers beside work, and beside what others left: at one commit, and at a cost that is not theirs."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lake import paths
from lake.decisions.approvals import find_rejectable, reject
from lake.hops.receive import receive
from lake.lakefs.client import Calls
from lake.lakefs.objects import Objects
from lake.lakefs.repository import Repository
from lake.ledger.receipts import pending
from lake.ledger.records import find, latest
from lake.ledger.refused_drops import refused_drops, unmark
from lake.maintenance import reconciled_up_to, verify
from lake.maintenance.reconcile import mend
from lake.maintenance.verify import audit_all
from lake.pipeline.ingest import DropResult, ingest
from lake.pipeline.ordering import waiting_drops
from lake.reports.status import open_drops, table_states
from lake.session import Session, open_session
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.integration.test_rollback import CONTRACT

pytestmark = pytest.mark.server

WRITER = """
import sys
from datetime import timedelta
from pathlib import Path
from lake.pipeline.ingest import ingest
from lake.maintenance.retention import clean_up
from lake.decisions.rollback import roll_back
from lake.session import open_session
from lakegate.names import VersionName
from lakegate.names import VersionName
from lakegate.settings import Settings

home, project, tenant, folder = sys.argv[1:]
session = open_session(Settings.load(home=home, project=project, tenant=tenant), say=lambda _: None)
for number in range(8):
    file = Path(folder) / f"writer-{number}.csv"
    file.write_text("ride,fare,at\\n" + "".join(f"{number * 10 + row},{row}.5,{number}\\n" for row in range(9)) + f"{number * 10 + 9},x,1\\n")
    done = ingest(session, "rides", [file])
    if number % 3 == 2:
        version = VersionName.parse(done[0].hops[1].version)
        roll_back(session, VersionName("rides", version.number - 1), reason="a test")
    if number % 2:
        clean_up(session, grace=timedelta(0))
"""


@pytest.fixture
def session(lakefs_home: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    contracts = tmp_path / "project" / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    text = CONTRACT.replace("MODE", "append")
    (contracts / "rides.odcs.yaml").write_text(text + "  - {property: retention, value: {versions: 2}}\n")
    (contracts / "trips.odcs.yaml").write_text(text.replace("rides", "trips"))
    from dataclasses import replace

    return open_session(
        replace(lakefs_home, project=tmp_path / "project", tenant=f"b{abs(hash(request.node.name)) % 10**8}"),
        say=lambda _: None,
    )


def delivered(
    session: Session,
    folder: Path,
    name: str,
    header: str = "ride,fare,at",
    *,
    first: int = 0,
    table: str = "rides",
) -> list[DropResult]:
    file = folder / name
    file.write_text(f"{header}\n" + "".join(f"{first + row},1.5,1\n" for row in range(3)))
    return ingest(session, table, [file])


def test_verify_beside_a_writer_that_publishes_rolls_back_and_cleans_up_is_always_clean(
    session: Session, tmp_path: Path
) -> None:
    delivered(session, tmp_path, "first.csv", first=10_000)
    where = (
        str(session.settings.home.root),
        str(session.settings.project),
        session.settings.tenant,
        str(tmp_path),
    )
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, *where], stderr=subprocess.PIPE, text=True
    ) as writer:
        looks = 0
        while writer.poll() is None:
            found = {name: gaps for name, gaps in audit_all(session).items() if gaps}
            assert not found
            looks += 1
        assert writer.returncode == 0, writer.stderr.read() if writer.stderr else ""
    assert looks > 3
    last = audit_all(session)
    assert not any(last.values())
    assert "rides_raw@v9" in last


def test_what_is_published_after_the_commit_is_no_part_of_the_answer(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at main and that at the tags another drop is published: its tags are there, and main at that commit knows nothing."""
    delivered(session, tmp_path, "a.csv")
    told = Repository.tags

    def tags(self: Repository, prefix: str) -> dict[str, str]:
        monkeypatch.setattr(Repository, "tags", told)
        delivered(session, tmp_path, "b.csv", first=100)
        return told(self, prefix)

    monkeypatch.setattr(Repository, "tags", tags)
    assert audit_all(session) == {"rides@v1": [], "rides_raw@v1": []}
    assert audit_all(session) == {"rides@v1": [], "rides@v2": [], "rides_raw@v1": [], "rides_raw@v2": []}


def test_verify_lists_a_table_once_however_many_versions_it_has(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        delivered(session, tmp_path, f"{number}.csv", first=10 * number)
    listed = Counter[str]()
    told = Objects.listing

    def listing(self: Objects, ref: str, prefix: str, *, after: str = "") -> Any:
        listed[prefix.partition("/")[0]] += 1
        return told(self, ref, prefix, after=after)

    monkeypatch.setattr(Objects, "listing", listing)
    assert len(verify.audit_all(session)) == 8
    assert listed["processed"] == 2  # the first tree, and main's strays


class Counted:
    """Calls to lakeFS by what they do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls, told = 0, Calls._call

        def call(calls: Calls, *args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            return told(calls, *args, **kwargs)

        monkeypatch.setattr(Calls, "_call", call)


def test_blocked_drops_cost_nobody_else_a_call(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, cost = Counted(monkeypatch), dict[str, list[int]]()
    for number in range(3):
        for more in range(4):
            (result,) = delivered(
                session,
                tmp_path,
                f"bad{number}{more}.csv",
                "ride,cost,at",
                first=1000 + 40 * number + 10 * more,
            )
            assert str(result.verdict) == "blocked"
        again = open_session(session.settings, say=lambda _: None)
        assert len(refused_drops(again, "rides")) == 4 * number + 4
        for table in ("rides", "trips"):
            before = counted.calls
            delivered(again, tmp_path, f"good{number}.csv", first=10 * number, table=table)
            cost.setdefault(table, []).append(counted.calls - before)
        before = counted.calls
        table_states(again)
        open_drops(again)
        cost.setdefault("status", []).append(counted.calls - before)
    for table in (
        "rides",
        "trips",
    ):  # a call or two more with each version; each blocked drop cost at least one
        assert cost[table][2] - cost[table][1] <= 2
    assert cost["status"][2] - cost["status"][1] <= 4 + 1  # what is shown of each is read, once
    assert [item["file"] for item in sorted(open_drops(session), key=lambda item: item["file"])][:2] == [
        "bad00.csv",
        "bad01.csv",
    ]


def test_refused_drop_that_comes_again_or_is_decided_on_is_looked_up_again(
    session: Session, tmp_path: Path
) -> None:
    delivered(session, tmp_path, "bad.csv", "ride,cost,at")
    (drop,) = pending(session, "rides")
    assert list(refused_drops(session, "rides")) == [drop]
    other = tmp_path / "other.csv"
    other.write_bytes((tmp_path / "bad.csv").read_bytes())
    receive(session, "rides", other)  # and its process dies
    assert refused_drops(session, "rides") == {}
    assert (
        waiting_drops(session, session.catalog.get("rides"), stranded=True) == []
    )  # its record says that it is blocked still
    ((again, marked),) = refused_drops(session, "rides").items()
    assert again == drop
    assert marked.record == getattr(latest(session, dataset="rides", cause=drop), "path", "")
    list(reject(session, find_rejectable(session, drop), reason="a test"))
    ((_, marked),) = refused_drops(session, "rides").items()
    assert "~rejected~" in marked.record
    delivered(session, tmp_path, "other.csv")  # under the name of its latest delivery: it takes its place
    assert pending(session, "rides") == []
    assert refused_drops(session, "rides") == {}


def test_drops_that_an_earlier_release_refused_are_found_without_markers(
    session: Session, tmp_path: Path
) -> None:
    delivered(session, tmp_path, "bad.csv", "ride,cost,at")
    (drop,) = pending(session, "rides")
    unmark(session, "rides", drop)
    assert [item["state"] for item in open_drops(session)] == ["blocked"]
    delivered(session, tmp_path, "bad.csv")
    assert pending(session, "rides") == []


def test_mend_looks_at_what_is_new_and_once_a_day_at_everything(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> list[tuple[str, str]]:
        return [(item.what, item.outcome) for item in mend(session)]

    delivered(session, tmp_path, "0.csv")
    assert told() == []
    counted, cost = Counted(monkeypatch), list[int]()
    for number in range(1, 4):
        before = counted.calls
        assert told() == []
        cost.append(counted.calls - before)
        delivered(session, tmp_path, f"{number}.csv", first=10 * number)
        assert told() == []
    assert len(set(cost)) == 1
    delivered(session, tmp_path, "4.csv", first=40)
    repository, name = session.repository, VersionName("rides", 5)
    (record,) = [
        item for item in find(session, dataset="rides") if item.table == "rides" and item.state == "published"
    ][-1:]
    repository.delete(paths.LEDGER, record.path)
    repository.delete_branch(name.keep_branch)
    copies = [
        session.settings.home.manifest_copy(session.settings.tenant, "rides", number) for number in (1, 5)
    ]
    for copy in copies:
        copy.unlink()
    found = [
        ("a version without retention branch", "mended"),
        ("no record that a drop is published", "mended"),
    ]
    assert told() == found
    assert [copy.exists() for copy in copies] == [False, True]
    assert told() == []
    monkeypatch.setattr(reconciled_up_to, "TRUSTED", 0)
    assert told() == [("home's copies of manifests", "mended")]
    assert copies[0].exists()
