"""Why versions stay, told shortly."""

from __future__ import annotations

from catalog.retention import Retention
from lake.maintenance.retention_policy import by_reason
from lakegate.errors import Expired


def test_versions_that_stay_for_one_reason_are_told_in_one_line() -> None:
    newest, used = "retention: among the newest 3", "delays-7 uses it"
    kept = {
        "rides@v12": newest,
        "rides@v2": used,
        "rides@v10": newest,
        "rides@v11": newest,
        "rides@v5": used,
        "fares@v1": newest,
    }
    assert list(by_reason(kept)) == [
        ("fares", "v1", newest),
        ("rides", "v2, v5", used),
        ("rides", "v10-v12", newest),
    ]
    assert list(by_reason({})) == []


def test_expired_version_says_by_what_it_ended_and_that_it_is_no_damage() -> None:
    record = {
        "at": "2026-02-01T01:00:00+00:00",
        "by": "anna",
        "why": f"its contract keeps it no longer: its retention is {Retention(2, 30)}",
    }
    told = str(Expired.of("rides@v1", record))
    assert told.startswith(
        "rides@v1 expired on 2026-02-01 (its contract keeps it no longer: its retention is the newest 2 "
        "and those younger "
    )
    assert "no damage" in told
    assert "lakegate reprocess" in told
    assert "ingest" not in told
    assert [str(Retention(versions, days)) for versions, days in ((1, None), (None, 7))] == [
        "the newest 1",
        "those younger than 7 days",
    ]
