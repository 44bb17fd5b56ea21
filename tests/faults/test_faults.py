"""Planted faults of each family are found, all of them and nothing else, where the rule determines the answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults import plant
from tests.faults.gate import Gate
from tests.faults.plant import Fault
from tests.faults.rides import clean, stops, takings

SEED = 20240120


@pytest.fixture(scope="module")
def sail(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return Gate.on("sail", tmp_path_factory.mktemp("sail"))


KEY = {"column_list": ["ride"]}
NEW_YORK = {"column": "hour", "time_zone": "America/New_York"}
ROW_FAULTS: list[tuple[Fault, str, dict[str, Any]]] = [
    (plant.repeat_keys_later, "expect_key_to_stand_once", KEY | {"keep": "first"}),
    (plant.repeat_keys_older, "expect_key_to_stand_once", KEY | {"keep": "last", "order_by": ["ended"]}),
    (plant.repeat_rows, "expect_rows_to_be_distinct", {}),
    (plant.from_the_future, "expect_column_values_to_be_before_delivery", {"column": "ended", "tolerance_seconds": 3600}),
    (plant.from_the_future, "expect_column_values_to_be_before_cutoff", {"column": "ended", "cutoff": "2024-02-01"}),
    (plant.effect_before_cause, "expect_column_values_to_be_before_cutoff", {"column": "hour", "cutoff_column": "ended"}),
    (plant.effect_before_cause, "expect_rows_to_satisfy", {"condition": "hour <= ended"}),
    (plant.without_offset, "expect_column_text_to_state_its_offset", {"column": "hour"}),
    (plant.in_the_gap, "expect_local_time_to_exist", NEW_YORK),
    (plant.in_the_fold, "expect_local_time_to_be_unambiguous", NEW_YORK),
]
TABLE_FAULTS: list[tuple[Fault, str, dict[str, Any], tuple[float, float]]] = [
    (plant.burst, "expect_no_burst_of_repeats", {"column_list": ["city", "hour", "fare"], "max_repeats": 2}, (1, 40)),
    (plant.leak_between_splits, "expect_no_overlap_between_splits", KEY | {"split_column": "split"}, (0, plant.HITS)),
]
"""Fault, rule, what is seen of a clean table, and of a dirty one."""


def name_of(value: Any) -> str | None:
    return getattr(value, "__name__", None) or (value if isinstance(value, str) else "")


@pytest.mark.parametrize(("fault", "kind", "kwargs"), ROW_FAULTS, ids=name_of)
def test_every_planted_row_is_found_and_no_other(fault: Fault, kind: str, kwargs: dict[str, Any], sail: Gate) -> None:
    planted = plant.plant(fault, clean(SEED), SEED)
    (broken,) = sail.ask(planted.rows, [(kind, kwargs)], references={"stops": stops()}).broken
    assert planted.hit
    assert broken == planted.hit


@pytest.mark.parametrize(("fault", "kind", "kwargs", "counts"), TABLE_FAULTS, ids=name_of)
def test_a_fault_of_the_table_is_counted(fault: Fault, kind: str, kwargs: dict[str, Any], counts: tuple[float, float], sail: Gate) -> None:
    rows = clean(SEED)
    references = {"takings": takings(rows)}
    seen = []
    for table in (rows, plant.plant(fault, rows, SEED).rows):
        (outcome,) = sail.ask(table, [(kind, kwargs)], references=references).outcomes
        seen.append((outcome.success, outcome.observed["observed_value"]))
    assert seen == [(True, counts[0]), (False, counts[1])]


def test_a_clean_table_breaks_no_rule(sail: Gate) -> None:
    found = sail.ask(clean(SEED), [(kind, kwargs) for _, kind, kwargs in ROW_FAULTS], references={"stops": stops()})
    assert {outcome.rule.type for outcome in found.outcomes if outcome.failed} == set()


def test_what_was_published_is_not_taken_again_whichever_is_kept(sail: Gate) -> None:
    rows, published = clean(SEED), clean(SEED)[:30]
    asked = [("expect_key_to_stand_once", KEY | {"keep": keep}) for keep in ("first", "last", "none")]
    found = sail.ask(rows, [*asked, ("expect_rows_to_be_distinct", {})], published=published)
    assert [sorted(broken) for broken in found.broken] == [list(range(1, 31))] * 4


@pytest.mark.parametrize("key", [KEY, {}], ids=["by key", "whole rows"])
def test_rows_delivered_again_inside_other_bytes_are_counted_whether_they_pass_or_not(key: dict[str, Any], sail: Gate) -> None:
    rows, published = clean(SEED), clean(SEED)[:60]
    asked = [("expect_rows_not_to_be_delivered_again", key | {"max_share": 0.2}), ("expect_key_to_stand_once", KEY | {"keep": "none"})]
    again, fresh = sail.ask(rows, asked, published=published), sail.ask(rows, asked)
    assert (again.outcomes[0].success, again.outcomes[0].observed["observed_value"]) == (False, 0.25)
    assert (fresh.outcomes[0].success, fresh.outcomes[0].observed["observed_value"]) == (True, 0.0)
