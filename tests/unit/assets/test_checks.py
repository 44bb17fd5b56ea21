"""What Dagster is told of a version's checks, and told again where two tell at once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from dagster import AssetKey

from assets.dagster_listener import DagsterListener
from assets.events.checks import check_results
from assets.events.triggers import trigger_event
from cli.notify import tell_listeners
from expectations.verdict import Verdict
from lake.hops.events import emit, listen
from lake.hops.job import HopResult
from lake.listeners.registry import TRIES
from lake.session import Session
from lake.versions.publish import Published
from lakegate.names import VersionName
from lakegate.settings import Settings


def test_check_fails_as_an_error_only_where_a_rule_blocks() -> None:
    rules = [
        {"rule": "a", "family": "range", "severity": "quarantine", "failed": 2},
        {"rule": "b", "family": "schema", "severity": "block", "failed": 1},
        {"rule": "c", "family": "duplicate", "severity": "block", "failed": 0},
    ]
    found = {
        item.check_name: item
        for item in check_results(
            "t", ["range", "schema", "duplicate"], rules, {"records_in": 8, "quarantined": 2}
        )
    }
    assert not found["range"].passed
    assert found["range"].severity.value == "WARN"
    assert found["range"].metadata["failed: a"].value == 2
    assert found["range"].metadata["share quarantined"].value == 0.25
    assert not found["schema"].passed
    assert found["schema"].severity.value == "ERROR"
    assert found["duplicate"].passed


def test_family_that_was_not_judged_is_left_out_where_a_drop_could_not_be_opened() -> None:
    rules = [{"rule": "readable", "family": "schema", "severity": "block", "failed": 1}]
    assert [
        item.check_name for item in check_results("t", ["schema", "range"], rules, {}, only_judged=True)
    ] == ["schema"]


def test_version_that_breaks_a_trigger_raises_one_event_with_what_was_seen() -> None:
    rules = [
        {
            "rule": "drift:pinned:trigger",
            "family": "distribution",
            "severity": "trigger",
            "failed": 1,
            "of": 3,
            "value": 0.2,
        }
    ]
    manifest = SimpleNamespace(notes={"triggers": ["drift:pinned:trigger"]}, rules=rules)
    event = trigger_event(
        cast("Published", SimpleNamespace(manifest=manifest, name=VersionName("flights", 3)))
    )
    assert event is not None
    assert event.asset_key == AssetKey(["retrain", "flights"])
    assert {name: value.value for name, value in event.metadata.items()} == {
        "version": "flights@v3",
        "rules": "drift:pinned:trigger",
        "drift:pinned:trigger": 0.2,
    }
    manifest.notes = {}
    assert (
        trigger_event(cast("Published", SimpleNamespace(manifest=manifest, name=VersionName("flights", 3))))
        is None
    )


def test_check_tells_the_trend_since_the_version_before() -> None:
    def rule(failed: int) -> dict[str, object]:
        return {"rule": "a", "family": "range", "severity": "warn", "failed": failed, "of": 10}

    (first,) = check_results("t", ["range"], [rule(5)], {"records_in": 10})
    (second,) = check_results("t", ["range"], [rule(2)], {"records_in": 10}, before=[rule(5)])
    assert first.metadata["greatest share failing"].value == 0.5
    assert "change of the greatest share failing" not in first.metadata
    assert second.metadata["change of the greatest share failing"].value == pytest.approx(-0.3)
    assert second.metadata["rules broken before"].value == 1


@pytest.mark.parametrize(
    ("collisions", "told"), [(TRIES - 1, ""), (TRIES, "warning: Dagster was not notified (LookupError)")]
)
def test_dagster_is_told_again_where_another_was_telling_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    collisions: int,
    told: str,
) -> None:
    asked: list[object] = []
    settings = Settings.load(home=tmp_path, project=tmp_path)
    settings.home.prepare()
    session = Session(settings, cast("Any", None), cast("Any", None))
    listen(session, DagsterListener())
    emit(session, "rides", HopResult("processed", "rides", Verdict.PASSED, "rides@v1", {}, []))

    def report(*_: object) -> None:
        asked.append(_)
        if len(asked) <= collisions:
            raise LookupError("another was first")

    monkeypatch.setattr("assets.report.report", report)
    tell_listeners(session)
    assert capsys.readouterr().err.partition(";")[0] == told
    assert len(asked) == min(collisions + 1, TRIES)
