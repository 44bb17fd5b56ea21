"""What others left costs nobody a call: blocked drops, and what `mend` looked at before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lake import paths
from lake.decisions.approvals import find_rejectable, reject
from lake.hops.receive import receive
from lake.lakefs.client import Calls
from lake.ledger.receipts import pending
from lake.ledger.records import find, latest
from lake.ledger.refused_drops import refused_drops, unmark
from lake.maintenance import reconciled_up_to
from lake.maintenance.reconcile import mend
from lake.pipeline.ordering import waiting_drops
from lake.reports.status import open_drops, table_states
from lake.session import Session, open_session
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.lakes.rides_beside import delivered, open_rides

pytestmark = pytest.mark.server


@pytest.fixture
def session(shared_lakefs: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    return open_rides(shared_lakefs, tmp_path, request.node.name)


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
