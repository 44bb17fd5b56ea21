"""A rollback publishes an earlier state as the next version; what it takes out may come again,
and nothing is lost.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lake.decisions.approvals import find_rejectable
from lake.decisions.discard import discard
from lake.decisions.rollback import roll_back
from lake.hops.receive import receive
from lake.ledger.receipts import pending
from lake.maintenance.retention import clean_up
from lake.maintenance.verify import audit_all
from lake.pipeline.ingest import ingest
from lake.reports.versions import list_quarantine
from lake.session import Session, open_session
from lakegate.errors import ContractError, UsageError
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.lakes.rides_rolled_back import DROPS, manifest, open_rides, take

pytestmark = pytest.mark.server


@pytest.fixture
def session(shared_lakefs: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    return open_rides(shared_lakefs, tmp_path, request.node.name, mode=getattr(request, "param", "append"))


MODES = ("append", "replace", "upsert")


def aged(session: Session) -> None:
    """All blocks are two days older."""
    old = time.time() - timedelta(days=2).total_seconds()
    for path in session.settings.home.blocks.rglob("*"):
        os.utime(path, (old, old))


def aside(session: Session) -> list[tuple[Any, Any]]:
    return [(row["file"], row["row"]) for row in list_quarantine(session, session.catalog.get("rides"))]


@pytest.mark.parametrize("session", MODES, indirect=True)
def test_earlier_state_stands_again_and_what_was_taken_out_may_come_again(
    session: Session, tmp_path: Path
) -> None:
    first, kept = take(session, tmp_path, "a.csv"), aside(session)
    second, both = take(session, tmp_path, "b.csv"), aside(session)
    third = take(session, tmp_path, "c.csv")

    done = roll_back(session, first.name, reason="fares of February are wrong")
    fourth = manifest(session, str(done.hop.version))
    assert fourth.version == 4
    assert (fourth.content_hash, fourth.counts.after, fourth.files) == (
        first.content_hash,
        first.counts.after,
        first.files,
    )
    assert fourth.balance == first.balance
    assert aside(session) == kept
    assert done.withdrawn == [second.drop, third.drop]
    for drop, told in ((first.drop, "is published"), (second.drop, "no held, refused or failed drop")):
        with pytest.raises(UsageError, match=told):
            find_rejectable(session, drop)
    assert fourth.source["reason"] == "fares of February are wrong"

    fifth = take(session, tmp_path, "b.csv")
    assert fifth.version == 5
    assert (fifth.content_hash, fifth.counts.after, fifth.balance) == (
        second.content_hash,
        second.counts.after,
        second.balance,
    )
    assert aside(session) == both
    assert not any(audit_all(session).values())


def test_versions_that_were_taken_out_are_still_what_they_were(session: Session, tmp_path: Path) -> None:
    before = [take(session, tmp_path, name) for name in DROPS]
    roll_back(session, before[0].name, reason="a test")
    assert [manifest(session, str(item.name)) for item in before] == before
    forth = roll_back(session, before[2].name, reason="it was right after all")
    assert manifest(session, str(forth.hop.version)).content_hash == before[2].content_hash
    assert forth.withdrawn == []
    assert forth.reinstated == [item.drop for item in before[1:]]
    (again,) = ingest(session, "rides", [tmp_path / "b.csv"])
    assert [hop.verdict for hop in again.hops] == ["unchanged", "unchanged"]
    assert not any(audit_all(session).values())


def test_version_that_cannot_be_rolled_back_to_is_said(session: Session, tmp_path: Path) -> None:
    first, second = take(session, tmp_path, "a.csv"), take(session, tmp_path, "b.csv")
    for name, told in (
        (second.name, "is the latest version"),
        (VersionName("rides", 7), "there is no rides@v7"),
    ):
        with pytest.raises(UsageError, match=told):
            roll_back(session, name, reason="a test")
    with pytest.raises(UsageError, match="needs a reason"):
        roll_back(session, first.name, reason=" ")
    contract = tmp_path / "catalog" / "contracts" / "rides.odcs.yaml"
    contract.write_text(
        contract.read_text().replace("{name: fare, logicalType: number}", "{name: fare, logicalType: string}")
    )
    fresh = open_session(session.settings, say=print)
    with pytest.raises(ContractError, match="other columns now than rides@v1"):
        roll_back(fresh, first.name, reason="a test")
    assert [str(name) for name in audit_all(fresh) if name.startswith("rides@")] == ["rides@v1", "rides@v2"]


def test_rows_of_an_earlier_state_are_known_after_a_clean_up(session: Session, tmp_path: Path) -> None:
    """It takes with it what only trees that are history hold: records that were written over since."""
    before = [take(session, tmp_path, name) for name in ("a.csv", "b.csv")]
    away = roll_back(session, before[0].name, reason="a test")
    aged(session)
    assert clean_up(session, now=datetime.now(UTC) + timedelta(days=2)).blocks > 0
    forth = roll_back(
        open_session(session.settings, say=print), before[1].name, reason="it was right after all"
    )
    assert forth.reinstated == away.withdrawn == [before[1].drop]
    again = [ingest(session, "rides", [tmp_path / "b.csv"])[0]]
    (tmp_path / "b.csv").write_text("ride,fare,at\n9,9.5,9\n")
    again += ingest(session, "rides", [tmp_path / "b.csv"])
    assert [result.hops[1].verdict for result in again] == ["unchanged", "blocked"]
    assert not any(audit_all(session).values())


def test_withdrawn_drop_that_comes_again_is_pending_until_it_stands(session: Session, tmp_path: Path) -> None:
    first, second = take(session, tmp_path, "a.csv"), take(session, tmp_path, "b.csv")
    roll_back(session, first.name, reason="a test")
    assert receive(session, "rides", tmp_path / "b.csv").sha256 == second.drop
    assert pending(session, "rides") == [second.drop]
    (again,) = ingest(session, "rides", [tmp_path / "b.csv"])
    assert again.hops[-1].version == "rides@v4"
    assert pending(session, "rides") == []


def test_rollback_says_what_was_discarded_since_and_is_so_no_longer(session: Session, tmp_path: Path) -> None:
    first = take(session, tmp_path, "a.csv")
    quarantined = aside(session)
    count, _ = discard(session, session.catalog.get("rides"), reason="typos", drop=first.drop)
    assert count == len(quarantined) > 0
    assert aside(session) == []
    again = [roll_back(session, first.name, reason="a mistake") for _ in range(2)]
    assert [done.not_discarded for done in again] == [count, count]
    assert aside(session) == quarantined
