"""Planted faults of each family are found, all of them and nothing else,
where the rule determines the answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalog.rules.expectation_types import NESTED_FIELDS
from tests.support.planted import changed_values, plant
from tests.support.planted.gate import Gate, name_of
from tests.support.planted.missing import LANDS, STOPS
from tests.support.planted.plain_rows import NEW_YORK
from tests.support.planted.plant import Fault
from tests.support.planted.rides import CONTRACT, KINDS, clean, stops, takings

SEED = 20240120

KEY = {"column_list": ["ride"]}
TAKINGS = {
    "column": "fare",
    "by": ["city"],
    "reference": "takings",
    "reference_by": ["town"],
    "reference_column": "total",
    "tolerance": 0.01,
}
WHOLE = {"column": "stop", "reference": "takings", "reference_column": "stops"}
SEAT = {"column": "extras", "path": ".seat"}
ROW_FAULTS: list[tuple[Fault, str, dict[str, Any]]] = [
    (plant.repeat_keys_later, "expect_key_to_stand_once", KEY | {"keep": "first"}),
    (plant.repeat_keys_older, "expect_key_to_stand_once", KEY | {"keep": "last", "order_by": ["ended"]}),
    (plant.repeat_rows, "expect_rows_to_be_distinct", {}),
    (
        plant.from_the_future,
        "expect_column_values_to_be_before_delivery",
        {"column": "ended", "tolerance_seconds": 3600},
    ),
    (
        plant.from_the_future,
        "expect_column_values_to_be_before_cutoff",
        {"column": "ended", "cutoff": "2024-02-01"},
    ),
    (
        plant.effect_before_cause,
        "expect_column_values_to_be_before_cutoff",
        {"column": "hour", "cutoff_column": "ended"},
    ),
    (plant.effect_before_cause, "expect_rows_to_satisfy", {"condition": "hour <= ended"}),
    (plant.without_offset, "expect_column_text_to_state_its_offset", {"column": "hour"}),
    (plant.in_the_gap, "expect_local_time_to_exist", NEW_YORK),
    (plant.in_the_fold, "expect_local_time_to_be_unambiguous", NEW_YORK),
    (plant.unknown_pair, "expect_compound_columns_to_exist_in_reference", STOPS),
    (plant.two_countries, "expect_columns_to_determine", {"column_list": ["city"], "column": "country"}),
    (plant.wrong_country, "expect_column_to_agree_with_reference", LANDS),
    (plant.extra_field, NESTED_FIELDS, {"column": "extras", "check": "unexpected", "path": ".meal"}),
    (plant.lost_field, NESTED_FIELDS, SEAT | {"check": "required"}),
    (plant.field_as_text, NESTED_FIELDS, SEAT | {"check": "type", "type": "integer"}),
    (
        plant.no_such_day,
        NESTED_FIELDS,
        {"column": "extras", "check": "type", "path": ".meal.on", "type": "date"},
    ),
    (
        plant.item_of_another_type,
        NESTED_FIELDS,
        {"column": "extras", "check": "type", "path": ".bags[]", "type": "number"},
    ),
    (plant.cut_off, NESTED_FIELDS, {"column": "extras", "check": "type", "path": "", "type": "object"}),
    (
        changed_values.decimal_comma,
        "expect_column_values_to_be_of_declared_type",
        {"column": "fare", "type": "double"},
    ),
    (
        changed_values.thousands_point,
        "expect_column_values_to_be_between",
        {"column": "fare", "min_value": 100},
    ),
    (
        changed_values.renamed_category,
        "expect_column_values_to_be_in_set",
        {"column": "kind", "value_set": list(KINDS)},
    ),
]
TABLE_FAULTS: list[tuple[Fault, str, dict[str, Any], tuple[float, float]]] = [
    (
        plant.burst,
        "expect_no_burst_of_repeats",
        {"column_list": ["city", "hour", "fare"], "max_repeats": 2},
        (1, 40),
    ),
    (plant.other_offset, "expect_column_offsets_to_agree", {"column": "hour"}, (1, 2)),
    (plant.without_offset, "expect_column_offsets_to_agree", {"column": "hour"}, (1, 2)),
    (
        plant.gaps,
        "expect_series_to_have_no_gaps",
        {"column": "hour", "step_seconds": 3600, "by": ["city"]},
        (0, plant.HITS),
    ),
    (plant.lost_rows, "expect_sum_to_agree_with_reference", TAKINGS, (0, 2)),
    (plant.lost_rows, "expect_sum_to_agree_with_reference", WHOLE, (0, 1)),
    (changed_values.thousands_point, "expect_sum_to_agree_with_reference", TAKINGS, (0, 4)),
    (
        plant.leak_between_splits,
        "expect_no_overlap_between_splits",
        KEY | {"split_column": "split"},
        (0, plant.HITS),
    ),
]
"""Fault, rule, what is seen of a clean table, and of a dirty one."""


@pytest.mark.parametrize(("fault", "kind", "kwargs"), ROW_FAULTS, ids=name_of)
def test_every_planted_row_is_found_and_no_other(
    fault: Fault, kind: str, kwargs: dict[str, Any], sail: Gate
) -> None:
    planted = plant.plant(fault, clean(SEED), SEED)
    (broken,) = sail.ask(planted.rows, [(kind, kwargs)], references={"stops": stops()}).broken
    assert planted.hit
    assert broken == planted.hit


@pytest.mark.parametrize(("fault", "kind", "kwargs", "counts"), TABLE_FAULTS, ids=name_of)
def test_fault_of_the_table_is_counted(
    fault: Fault, kind: str, kwargs: dict[str, Any], counts: tuple[float, float], sail: Gate
) -> None:
    rows = clean(SEED)
    references = {"takings": takings(rows)}
    seen = []
    for table in (rows, plant.plant(fault, rows, SEED).rows):
        (outcome,) = sail.ask(table, [(kind, kwargs)], references=references).outcomes
        seen.append((outcome.success, outcome.observed["observed_value"]))
    assert seen == [(True, counts[0]), (False, counts[1])]


def test_clean_table_breaks_no_rule(sail: Gate) -> None:
    found = sail.ask(
        clean(SEED), [(kind, kwargs) for _, kind, kwargs in ROW_FAULTS], references={"stops": stops()}
    )
    assert {outcome.rule.type for outcome in found.outcomes if outcome.failed} == set()


def test_published_row_is_not_taken_again_whichever_is_kept(sail: Gate) -> None:
    rows, published = clean(SEED), clean(SEED)[:30]
    asked = [("expect_key_to_stand_once", KEY | {"keep": keep}) for keep in ("first", "last", "none")]
    found = sail.ask(rows, [*asked, ("expect_rows_to_be_distinct", {})], published=published)
    assert [sorted(broken) for broken in found.broken] == [list(range(1, 31))] * 4


@pytest.mark.parametrize("key", [KEY, {}], ids=["by key", "whole rows"])
def test_rows_delivered_again_inside_other_bytes_are_counted_whether_they_pass_or_not(
    key: dict[str, Any], sail: Gate
) -> None:
    rows, published = clean(SEED), clean(SEED)[:60]
    asked = [
        ("expect_rows_not_to_be_delivered_again", key | {"max_share": 0.2}),
        ("expect_key_to_stand_once", KEY | {"keep": "none"}),
    ]
    again, fresh = sail.ask(rows, asked, published=published), sail.ask(rows, asked)
    assert (again.outcomes[0].success, again.outcomes[0].observed["observed_value"]) == (False, 0.25)
    assert (fresh.outcomes[0].success, fresh.outcomes[0].observed["observed_value"]) == (True, 0.0)


def test_rows_behind_the_watermark_are_found(sail: Gate) -> None:
    planted = plant.plant(plant.late, clean(SEED), SEED)
    asked = [
        ("expect_column_values_to_be_within_watermark", {"column": "hour", "max_late_seconds": 3 * 86400})
    ]
    found = sail.ask(planted.rows, asked, published=clean(SEED)[-4:])
    assert found.broken == (planted.hit,)
    assert sail.ask(planted.rows, asked).broken == (frozenset(),)
    assert sail.ask(planted.rows, asked, published=[]).broken == (frozenset(),)


def test_published_rows_determine_a_key_too(sail: Gate) -> None:
    rows, published = (
        clean(SEED),
        [row | {"country": "XX"} for row in clean(SEED) if row["city"] == "Cork"][:1],
    )
    asked = [("expect_columns_to_determine", {"column_list": ["city"], "column": "country"})]
    own = frozenset(number for number, row in enumerate(rows, 1) if row["city"] == "Cork")
    assert sail.ask(rows, asked, published=published).broken == (own,)


def test_group_that_only_one_side_has_is_told_apart_where_the_table_is_delivered_whole(sail: Gate) -> None:
    rows = clean(SEED)
    some, references = [row for row in rows if row["city"] != "Delft"], {"takings": takings(rows)}
    asked = [("expect_sum_to_agree_with_reference", TAKINGS)]
    seen = [
        sail.ask(some, asked, references=references, contract=replace(CONTRACT, write_mode=mode))
        .outcomes[0]
        .observed["observed_value"]
        for mode in ("append", "replace")
    ]
    assert seen == [0, 1]
    less = {"takings": takings(rows).slice(1)}
    assert sail.ask(rows, asked, references=less).outcomes[0].observed["observed_value"] == 1


FORMATS: list[tuple[str, dict[str, Any]]] = [
    (
        "expect_column_values_to_be_of_declared_type",
        {"column": "booked", "type": "date", "format": "dd/MM/yyyy"},
    ),
    ("expect_column_values_to_be_before_cutoff", {"column": "booked", "cutoff": "2024-01-24"}),
    ("expect_rows_to_satisfy", {"condition": "datediff(cast(hour as date), booked) between 1 and 2"}),
]


def test_date_style_that_changes_without_notice_is_found_by_its_type_and_by_what_it_stands_beside(
    sail: Gate,
) -> None:
    """Days after the 12th can't be months and break the type; the others parse,
    and only another column gives them away.
    """
    planted = plant.plant(changed_values.american_dates, clean(SEED), SEED)
    by_type, by_cutoff, by_neighbour = sail.ask(planted.rows, FORMATS).broken
    assert by_type == planted.hit  # every ride was booked after the 12th
    early = [row | {"booked": "05/01/2024", "hour": "2024-01-06T10:00:00Z"} for row in clean(SEED)]
    planted = plant.plant(changed_values.american_dates, early, SEED)
    by_type, by_cutoff, by_neighbour = sail.ask(planted.rows, FORMATS).broken
    assert (by_type, by_cutoff, by_neighbour) == (frozenset(), planted.hit, planted.hit)
