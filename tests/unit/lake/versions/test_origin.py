"""The source in a manifest tells what made a version."""

from __future__ import annotations

from typing import Any

import pytest

from lake.versions.origin import Origin


@pytest.mark.parametrize(
    ("source", "made_by", "made_from", "told"),
    [
        ({"query": "select", "delivered_name": "a.csv", "supersedes": "0" * 64}, "drop", "", "drop"),
        (
            {"query": "select", "cause": "flights@v12+weather@v3"},
            "inputs",
            "flights@v12+weather@v3",
            "flights@v12+weather@v3",
        ),
        (
            {"rolls_back": "rides@v4", "to": "rides@v1", "withdrawn": ["0" * 64]},
            "rollback",
            "rides@v1",
            "rollback to v1",
        ),
        (
            {"query": "select", "reprocesses": "rides@v4", "drops": []},
            "reprocess",
            "rides@v4",
            "reprocess of v4",
        ),
        ({"query": "select", "replay_of": "rides@v2"}, "replay", "rides@v2", "replay of v2"),
        ({"discards_of": "rides@v2", "rows": 1}, "discard", "rides@v2", "discard of v2"),
    ],
)
def test_origin_says_by_what_and_from_which_version(
    source: dict[str, Any], made_by: str, made_from: str, told: str
) -> None:
    origin = Origin.of(source)
    assert (origin.made_by, origin.made_from, str(origin)) == (made_by, made_from, told)
    assert origin.decided is (made_by not in ("drop", "inputs"))


def test_reason_that_a_person_gave_is_on_record() -> None:
    given = {"rolls_back": "rides@v4", "to": "rides@v1", "reason": "fares are wrong"}
    assert Origin.of(given).to_record() == {
        "made_by": "rollback",
        "made_from": "rides@v1",
        "reason": "fares are wrong",
    }
    assert "reason" not in Origin.of({"replay_of": "rides@v2"}).to_record()
    assert Origin.of({"query": "select", "reason": "none of a drop's"}).to_record() == {}
