"""A held drop that is rejected or given up stays refused, and keeps nobody waiting."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from lake.decisions import approvals
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.processed import judge_rows
from lake.hops.raw import carry_raw
from lake.hops.receive import receive
from lake.reports.versions import list_versions
from lake.session import open_session
from lakegate import open_snapshot
from lakegate.errors import LakegateError
from tests.support.deliveries.hashes import sha
from tests.support.drift.held_readings import IN_SECONDS, day

pytestmark = pytest.mark.server


def test_rejected_drop_stays_refused_and_keeps_nobody_waiting(readings: Any) -> None:
    content = day(2, IN_SECONDS)
    path = readings.file("day-2.csv", content)
    readings.ingest("readings", path, code=3)
    readings.ingest("readings", readings.file("day-3.csv", day(3)), code=3)
    done = readings.run("reject", sha(content)[:8], "--reason", "seconds, not minutes", "--json")
    assert done.code == 0, done
    assert [(result["drop"], result["verdict"]) for result in done.json] == [(sha(day(3)), "passed")]
    (result,) = readings.ingest("readings", path, code=3)
    assert result["verdict"] == "blocked"
    assert "rejected by" in result["hops"][-1]["reason"]
    assert "seconds, not minutes" in result["hops"][-1]["reason"]
    assert readings.raw("readings", sha(content)) == content
    assert readings.run("status", "--json").json["open"] == []
    (rehearsed,) = readings.ingest("readings", path, code=3, options=("--dry-run",))
    assert (rehearsed["verdict"], rehearsed["hops"][-1]["reason"]) == (
        "blocked",
        result["hops"][-1]["reason"],
    )
    for options in (("--dry-run", "--force"), ("--force",)):
        (anew,) = readings.ingest("readings", path, code=3, options=options)
        assert anew["verdict"] == "held"


def test_refused_or_failed_drop_is_given_up_with_a_reason_and_status_lists_it_no_more(
    readings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, state = b"id,day\n1,2\n", readings.state()
    path = readings.file("bad.csv", bad)
    readings.ingest("readings", path, code=3)
    session = open_session(readings.settings)
    with monkeypatch.context() as patched:
        patched.setattr("lake.hops.raw.parse_received", lambda *_: 1 / 0)
        drop_2 = receive(session, "readings", readings.file("day-2.csv", day(2)))
        with pytest.raises(ZeroDivisionError):
            carry_raw(session, session.catalog.get("readings"), drop_2)

    def opened() -> dict[str, str]:
        return {item["file"]: item["state"] for item in readings.run("status", "--json").json["open"]}

    assert opened() == {"bad.csv": "blocked", "day-2.csv": "failed"}
    refused = readings.run("reject", sha(day(1))[:12], "--reason", "published")
    assert refused.code == 2
    assert "of readings is published" in refused.err
    assert readings.run("approve", sha(bad)[:12], "--reason", "not held").code == 2
    assert "names too few digits" in readings.run("reject", sha(bad)[:3], "--reason", "short").err
    assert readings.run("reject", sha(bad)[:12], "--reason", " ").code == 2

    for content in (bad, day(2)):  # the first carries none of the others that failed
        done = readings.run("reject", sha(content)[:12], "--reason", "of another system")
        assert (done.code, done.out) == (0, f"readings: {sha(content)[:12]} rejected, on record\n"), done
    assert opened() == {}
    (counted,) = [
        item for item in readings.run("status", "--json").json["tables"] if item["table"] == "readings"
    ]
    assert (counted["pending"], counted["held"]) == (0, 0)
    assert readings.state() == state
    assert readings.raw("readings", sha(bad)) == bad
    last = readings.ledger("readings", sha(bad))[-1]
    assert (last["state"], last["decision"], bool(last["by"]), bool(last["at"])) == (
        "rejected",
        "of another system",
        True,
        True,
    )
    assert [record["state"] for record in readings.ledger("readings", sha(bad))] == ["blocked", "rejected"]
    assert "was rejected already" in readings.run("reject", sha(bad)[:12], "--reason", "twice").err
    assert "was rejected already" in readings.run("approve", sha(bad)[:12], "--reason", "after all").err

    (result,) = readings.ingest("readings", path, code=3)
    assert result["hops"][0]["reason"].startswith("rejected by ")
    assert (
        "of another system (refused by column:minutes). `lakegate ingest --force`"
        in result["hops"][0]["reason"]
    )
    assert opened() == {}
    (result,) = readings.ingest("readings", path, code=3, options=("--force",))
    assert "missing: minutes" in result["hops"][0]["reason"]
    assert opened() == {"bad.csv": "blocked"}
    (result,) = readings.ingest("readings", readings.files / "day-2.csv", code=3)
    assert result["hops"][0]["reason"].startswith("rejected by ")
    (result,) = readings.ingest("readings", readings.files / "day-2.csv", options=("--force",))
    assert result["verdict"] == "passed"


def test_drop_rejected_after_it_was_approved_is_approved_no_more_and_waits_for_nothing(
    readings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = day(3, IN_SECONDS)
    path = readings.file("day-3.csv", content)
    readings.ingest("readings", path, code=3)
    session = open_session(readings.settings)
    with monkeypatch.context() as patched:
        patched.setattr("lake.hops.runner._attempt", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            list(approvals.approve(session, approvals.find_held(session, sha(content)), reason="in a hurry"))
    (failed,) = approvals._drops(session, approvals.REFUSED)
    assert (failed.cause, failed.record.state) == (sha(content), "failed")
    assert list(approvals.reject(session, failed, reason="seconds after all")) == []

    readings.ingest("readings", readings.file("day-2.csv", day(2, IN_SECONDS)), code=3)
    (result,) = readings.ingest("readings", path, code=3)
    assert result["hops"][-1]["reason"].startswith("rejected by "), "it waits for day 2, which is held"
    (result,) = [
        item
        for item in readings.ingest("readings", path, code=3, options=("--force",))
        if item["drop"] == sha(content)
    ]
    assert result["verdict"] == "waiting"
    readings.run("reject", sha(day(2, IN_SECONDS)), "--reason", "seconds")
    (held,) = approvals.held_drops(session)
    assert held.cause == sha(content), "the approval was taken back with the drop"


@pytest.mark.parametrize("blind", [1, 99])
def test_approval_that_comes_while_a_drop_is_judged_publishes_its_rows_or_nothing(
    readings: Any, monkeypatch: pytest.MonkeyPatch, blind: int
) -> None:
    """Whoever judged it saw no approval, the gate sees one: what was judged has nothing to write."""
    content = day(2, IN_SECONDS)
    readings.ingest("readings", readings.file("day-2.csv", content), code=3)
    session, honest, asked, failed = (
        open_session(readings.settings),
        judge_rows.approval,
        list[str](),
        list[LakegateError](),
    )

    def late(*given: Any, **named: Any) -> dict[str, Any]:
        asked.append(named["cause"])
        return {} if len(asked) <= blind else honest(*given, **named)

    monkeypatch.setattr(judge_rows, "approval", late)
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "BACK_OFF", ())
    held = approvals.find_held(session, sha(content))
    list(approvals.approve(session, held, reason="checked", on_error=lambda _, error: failed.append(error)))
    assert asked
    number = 1 if blind > 1 else 2
    assert list_versions(session, "readings")[-1]["version"] == number
    assert [error.what for error in failed] == (
        ["readings@v2 was approved while it was judged"] if blind > 1 else []
    )
    assert open_snapshot(f"readings@v{number}", home=readings.home).arrow().num_rows == 10 * number
    assert readings.run("verify", "--all").code == 0


def test_drop_that_somebody_processes_is_not_rejected(readings: Any) -> None:
    bad = b"id,day\n1,2\n"
    path = readings.file("bad.csv", bad)
    readings.ingest("readings", path, code=3)
    session = open_session(readings.settings)
    with session.cache(DeliveryCache).caching():
        receive(session, "readings", path)
        refused = readings.run("reject", sha(bad), "--reason", "of another system")
    assert refused.code == 2
    assert "is being carried at this moment" in refused.err
    assert readings.run("reject", sha(bad), "--reason", "of another system").code == 0
