"""A drop that a rule holds waits for a person: nothing of it is published before,
and what was decided stays on record.
"""

from __future__ import annotations

from typing import Any

import pytest
from dagster import AssetKey

from assets import run_tags
from assets.instance import open_instance
from lake.decisions import approvals
from lake.session import open_session
from tests.support.deliveries.hashes import sha
from tests.support.drift.held_readings import IN_SECONDS, day

pytestmark = pytest.mark.server


def test_held_drop_is_published_by_a_persons_approval_and_what_waited_follows(readings: Any) -> None:
    content, before = day(2, IN_SECONDS), readings.state()
    path = readings.file("day-2.csv", content)
    done = readings.run("ingest", "readings", path)
    assert done.code == 3
    assert "held by minutes-mean (the mean is 5970)" in done.err + done.out
    assert f"lakegate approve {sha(content)[:12]} --reason" in done.err + done.out
    after = readings.state()
    assert {key for key in after["tags"] if "raw" not in key} == {
        key for key in before["tags"] if "raw" not in key
    }
    assert readings.left_over() == []

    again = readings.ingest("readings", path, code=3)
    assert [result["verdict"] for result in again] == ["held"]
    assert [
        record["state"]
        for record in readings.ledger("readings", sha(content))
        if record["table"] == "readings"
    ] == ["held"]
    waits = readings.ingest("readings", readings.file("day-3.csv", day(3)), code=3)
    assert [result["verdict"] for result in waits] == ["waiting"]
    assert "an earlier drop is held" in waits[0]["hops"][-1]["reason"]
    status = readings.run("status", "--json").json
    (state,) = [item for item in status["tables"] if item["table"] == "readings"]
    assert (state["pending"], state["held"]) == (2, 1)
    opened = {item["file"]: (item["state"], item["drop"]) for item in status["open"]}
    assert opened == {"day-2.csv": ("held", sha(content)), "day-3.csv": ("waiting", sha(day(3)))}
    assert "held by minutes-mean" in readings.run("status").out

    for wrong, words in (
        (("beef",), "no held drop begins with 'beef'"),
        ((sha(content)[:3],), "held: "),
        (("",), "held: "),
    ):
        refused = readings.run("approve", *wrong, "--reason", "checked")
        assert refused.code == 2
        assert words in refused.err
    assert readings.run("approve", sha(content)[:12], "--reason", "  ").code == 2

    told = readings.run("approve", sha(content)[:12], "--reason", "the sensor was changed", "--json")
    assert told.code == 0, told
    assert [(result["drop"], result["verdict"]) for result in told.json] == [
        (sha(content), "passed"),
        (sha(day(3)), "passed"),
    ]
    notes = readings.manifest("readings", 2)["notes"]
    assert notes["approved"]["rules"] == ["minutes-mean"]
    assert notes["approved"]["reason"] == "the sensor was changed"
    assert "approved" not in readings.manifest("readings", 3)["notes"]
    assert readings.run("verify", "--all").code == 0
    assert readings.run("approve", sha(content)[:12], "--reason", "again").code == 2


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
        assert readings.run("approve", sha(content)[:12], "--reason", "checked").code == 0
        assert told()[0] == ("two", "SUCCESS", None), "what one command carries of a dataset shares a run"
        made = instance.fetch_materializations(key, limit=9).records
        assert [record.partition_key.partition("~")[0] for record in made] == [
            "day-3.csv",
            "day-2.csv",
            "day-1.csv",
        ]
        assert made[0].run_id == made[1].run_id != made[2].run_id
        assert len(told()) == 4


def test_approved_drop_of_somebody_who_died_is_processed_by_whoever_comes_next(
    readings: Any,
) -> None:
    content = day(2, IN_SECONDS)
    readings.ingest("readings", readings.file("day-2.csv", content), code=3)
    session = open_session(readings.settings)
    found = approvals.find_held(session, f"readings:{sha(content)[:12]}")
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
        sha(content),
        sha(day(3)),
    }
    assert readings.manifest("readings", 2)["notes"]["approved"]["reason"] == "checked"
