"""A drop that a rule holds waits for a person: nothing of it is published before, and what was decided stays on record."""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import pytest
from dagster import AssetKey

from assets import run_tags
from assets.instance import open_instance
from lake.decisions import approvals
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.processed import judge_rows
from lake.hops.raw import carry_raw
from lake.hops.receive import receive
from lake.reports.versions import list_versions
from lake.session import open_session
from lakegate import open_snapshot
from lakegate.errors import LakegateError

pytestmark = pytest.mark.server

READINGS = """\
apiVersion: v3.2.0
kind: DataContract
id: readings
name: readings
version: 1.0.0
status: active
schema:
  - name: readings
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1, classification: public}
      - {name: day, logicalType: integer, required: true, classification: public}
      - {name: minutes, logicalType: integer, classification: public}
    quality:
      - id: minutes-mean
        type: custom
        engine: greatExpectations
        severity: hold
        implementation: {type: expect_column_mean_to_be_between, kwargs: {column: minutes, min_value: 50, max_value: 150}}
customProperties:
  - {property: writeMode, value: append}
  - {property: orderBy, value: day}
"""
AS_DELIVERED, IN_SECONDS = 1, 60


def day(number: int, unit: int = AS_DELIVERED) -> bytes:
    """Ten readings of about a hundred minutes."""
    rows = [f"{10 * number + at},{number},{(95 + at) * unit}" for at in range(10)]
    return ("\n".join(["id,day,minutes", *rows]) + "\n").encode()


def drop(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def readings(open_lake: Any, empty_home: Any, command_line: Any, tmp_path: Any) -> Any:
    """A lake of the user's own with one day published, and the next held for its unit."""
    assert command_line("init", tmp_path / "project").code == 0
    (tmp_path / "project/catalog/contracts/readings.odcs.yaml").write_text(READINGS)
    lake = open_lake(empty_home, project=tmp_path / "project")
    lake.ingest("readings", lake.file("day-1.csv", day(1)))
    return lake


def test_held_it_is_published_by_a_persons_approval_and_what_waited_follows(readings: Any) -> None:
    content, before = day(2, IN_SECONDS), readings.state()
    path = readings.file("day-2.csv", content)
    done = readings.run("ingest", "readings", path)
    assert done.code == 3
    assert "held by minutes-mean (the mean is 5970)" in done.err + done.out
    assert f"lakegate approve {drop(content)[:12]} --reason" in done.err + done.out
    after = readings.state()
    assert {key for key in after["tags"] if "raw" not in key} == {
        key for key in before["tags"] if "raw" not in key
    }
    assert readings.left_over() == []

    again = readings.ingest("readings", path, code=3)
    assert [result["verdict"] for result in again] == ["held"]
    assert [
        record["state"]
        for record in readings.ledger("readings", drop(content))
        if record["table"] == "readings"
    ] == ["held"]
    waits = readings.ingest("readings", readings.file("day-3.csv", day(3)), code=3)
    assert [result["verdict"] for result in waits] == ["waiting"]
    assert "an earlier drop is held" in waits[0]["hops"][-1]["reason"]
    status = readings.run("status", "--json").json
    (state,) = [item for item in status["tables"] if item["table"] == "readings"]
    assert (state["pending"], state["held"]) == (2, 1)
    opened = {item["file"]: (item["state"], item["drop"]) for item in status["open"]}
    assert opened == {"day-2.csv": ("held", drop(content)), "day-3.csv": ("waiting", drop(day(3)))}
    assert "held by minutes-mean" in readings.run("status").out

    for wrong, words in (
        (("beef",), "no held drop begins with 'beef'"),
        ((drop(content)[:3],), "held: "),
        (("",), "held: "),
    ):
        refused = readings.run("approve", *wrong, "--reason", "checked")
        assert refused.code == 2
        assert words in refused.err
    assert readings.run("approve", drop(content)[:12], "--reason", "  ").code == 2

    told = readings.run("approve", drop(content)[:12], "--reason", "the sensor was changed", "--json")
    assert told.code == 0, told
    assert [(result["drop"], result["verdict"]) for result in told.json] == [
        (drop(content), "passed"),
        (drop(day(3)), "passed"),
    ]
    notes = readings.manifest("readings", 2)["notes"]
    assert notes["approved"]["rules"] == ["minutes-mean"]
    assert notes["approved"]["reason"] == "the sensor was changed"
    assert "approved" not in readings.manifest("readings", 3)["notes"]
    assert readings.run("verify", "--all").code == 0
    assert readings.run("approve", drop(content)[:12], "--reason", "again").code == 2


def test_dagster_shows_what_was_held_what_waits_and_what_came_of_both(readings: Any) -> None:
    content, key = day(2, IN_SECONDS), AssetKey("readings")
    with open_instance(readings.settings) as instance:

        def told() -> list[tuple[str, str, str | None]]:
            """File, status and failure of each run, the newest first."""
            found = [run for run in instance.get_runs() if run.job_name == "carry_readings"]
            return [
                (
                    run.tags.get(run_tags.PARTITION, "two~").partition("~")[0],
                    run.status.value,
                    run.tags.get(run_tags.FAILURE),
                )
                for run in found
            ]

        for _ in range(2):
            readings.ingest("readings", readings.file("day-2.csv", content), code=3)
            assert told() == [("day-2.csv", "FAILURE", "held"), ("day-1.csv", "SUCCESS", None)]
        readings.ingest("readings", readings.file("day-3.csv", day(3)), code=3)
        assert told()[0] == ("day-3.csv", "SUCCESS", None)
        (waits,) = instance.fetch_observations(key, limit=9).records
        assert waits.event_log_entry.asset_observation
        assert "an earlier drop is held" in str(
            waits.event_log_entry.asset_observation.metadata["because"].value
        )
        assert len(instance.fetch_materializations(key, limit=9).records) == 1
        assert readings.run("approve", drop(content)[:12], "--reason", "checked").code == 0
        assert told()[0] == ("two", "SUCCESS", None), "what one command carries of a dataset shares a run"
        made = instance.fetch_materializations(key, limit=9).records
        assert [record.partition_key.partition("~")[0] for record in made] == [
            "day-3.csv",
            "day-2.csv",
            "day-1.csv",
        ]
        assert made[0].run_id == made[1].run_id != made[2].run_id
        assert len(told()) == 4


def test_rejected_it_stays_refused_and_keeps_nobody_waiting(readings: Any) -> None:
    content = day(2, IN_SECONDS)
    path = readings.file("day-2.csv", content)
    readings.ingest("readings", path, code=3)
    readings.ingest("readings", readings.file("day-3.csv", day(3)), code=3)
    done = readings.run("reject", drop(content)[:8], "--reason", "seconds, not minutes", "--json")
    assert done.code == 0, done
    assert [(result["drop"], result["verdict"]) for result in done.json] == [(drop(day(3)), "passed")]
    (result,) = readings.ingest("readings", path, code=3)
    assert result["verdict"] == "blocked"
    assert "rejected by" in result["hops"][-1]["reason"]
    assert "seconds, not minutes" in result["hops"][-1]["reason"]
    assert readings.raw("readings", drop(content)) == content
    assert readings.run("status", "--json").json["open"] == []
    (rehearsed,) = readings.ingest("readings", path, code=3, options=("--dry-run",))
    assert (rehearsed["verdict"], rehearsed["hops"][-1]["reason"]) == (
        "blocked",
        result["hops"][-1]["reason"],
    )
    for options in (("--dry-run", "--force"), ("--force",)):
        (anew,) = readings.ingest("readings", path, code=3, options=options)
        assert anew["verdict"] == "held"


def test_approved_by_somebody_who_died_before_carrying_it_it_is_carried_by_whoever_comes_next(
    readings: Any,
) -> None:
    content = day(2, IN_SECONDS)
    readings.ingest("readings", readings.file("day-2.csv", content), code=3)
    session = open_session(readings.settings)
    found = approvals.find_held(session, f"readings:{drop(content)[:12]}")
    approvals._decide(
        session,
        found,
        "approved",
        "checked",
        {"rules": found.body["holding"], "suite_hash": found.body["suite_hash"]},
    )
    with pytest.raises(approvals.UsageError, match="meanwhile"):
        list(approvals.reject(session, found, reason="too late"))
    results = readings.ingest("readings", readings.file("day-3.csv", day(3)))
    assert {result["drop"] for result in results if result["verdict"] == "passed"} == {
        drop(content),
        drop(day(3)),
    }
    assert readings.manifest("readings", 2)["notes"]["approved"]["reason"] == "checked"


def test_refused_or_failed_it_is_given_up_with_a_reason_and_status_lists_it_no_more(
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
    refused = readings.run("reject", drop(day(1))[:12], "--reason", "published")
    assert refused.code == 2
    assert "of readings is published" in refused.err
    assert readings.run("approve", drop(bad)[:12], "--reason", "not held").code == 2
    assert "names too few digits" in readings.run("reject", drop(bad)[:3], "--reason", "short").err
    assert readings.run("reject", drop(bad)[:12], "--reason", " ").code == 2

    for content in (bad, day(2)):  # the first carries none of the others that failed
        done = readings.run("reject", drop(content)[:12], "--reason", "of another system")
        assert (done.code, done.out) == (0, f"readings: {drop(content)[:12]} rejected, on record\n"), done
    assert opened() == {}
    (counted,) = [
        item for item in readings.run("status", "--json").json["tables"] if item["table"] == "readings"
    ]
    assert (counted["pending"], counted["held"]) == (0, 0)
    assert readings.state() == state
    assert readings.raw("readings", drop(bad)) == bad
    last = readings.ledger("readings", drop(bad))[-1]
    assert (last["state"], last["decision"], bool(last["by"]), bool(last["at"])) == (
        "rejected",
        "of another system",
        True,
        True,
    )
    assert [record["state"] for record in readings.ledger("readings", drop(bad))] == ["blocked", "rejected"]
    assert "was rejected already" in readings.run("reject", drop(bad)[:12], "--reason", "twice").err
    assert "was rejected already" in readings.run("approve", drop(bad)[:12], "--reason", "after all").err

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


def test_rejected_after_it_was_approved_it_is_approved_no_more_and_waits_for_nothing(
    readings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = day(3, IN_SECONDS)
    path = readings.file("day-3.csv", content)
    readings.ingest("readings", path, code=3)
    session = open_session(readings.settings)
    with monkeypatch.context() as patched:
        patched.setattr("lake.hops.runner._attempt", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            list(approvals.approve(session, approvals.find_held(session, drop(content)), reason="in a hurry"))
    (failed,) = approvals._drops(session, approvals.REFUSED)
    assert (failed.cause, failed.record.state) == (drop(content), "failed")
    assert list(approvals.reject(session, failed, reason="seconds after all")) == []

    readings.ingest("readings", readings.file("day-2.csv", day(2, IN_SECONDS)), code=3)
    (result,) = readings.ingest("readings", path, code=3)
    assert result["hops"][-1]["reason"].startswith("rejected by "), "it waits for day 2, which is held"
    (result,) = [
        item
        for item in readings.ingest("readings", path, code=3, options=("--force",))
        if item["drop"] == drop(content)
    ]
    assert result["verdict"] == "waiting"
    readings.run("reject", drop(day(2, IN_SECONDS)), "--reason", "seconds")
    (held,) = approvals.held_drops(session)
    assert held.cause == drop(content), "the approval was taken back with the drop"


@pytest.mark.parametrize("blind", [1, 99])
def test_an_approval_that_comes_while_a_drop_is_judged_publishes_its_rows_or_nothing(
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
    held = approvals.find_held(session, drop(content))
    list(approvals.approve(session, held, reason="checked", on_error=lambda _, error: failed.append(error)))
    assert asked
    number = 1 if blind > 1 else 2
    assert list_versions(session, "readings")[-1]["version"] == number
    assert [error.what for error in failed] == (
        ["readings@v2 was approved while it was judged"] if blind > 1 else []
    )
    assert open_snapshot(f"readings@v{number}", home=readings.home).arrow().num_rows == 10 * number
    assert readings.run("verify", "--all").code == 0


def test_what_somebody_carries_is_not_rejected(readings: Any) -> None:
    bad = b"id,day\n1,2\n"
    path = readings.file("bad.csv", bad)
    readings.ingest("readings", path, code=3)
    session = open_session(readings.settings)
    with session.cache(DeliveryCache).caching():
        receive(session, "readings", path)
        refused = readings.run("reject", drop(bad), "--reason", "of another system")
    assert refused.code == 2
    assert "is being carried at this moment" in refused.err
    assert readings.run("reject", drop(bad), "--reason", "of another system").code == 0
