"""Rows with NULL, NaN and -0.0 for each of Lakegate's own rules, and which of them break it:
docs/null-and-nan.md as a table.
"""

from __future__ import annotations

from typing import Any, Final

from catalog.rules.expectation_types import NESTED_FIELDS
from tests.support.planted.plain_rows import NEW_YORK, extras, fares, rows
from tests.support.planted.rides import Row

CITY: Final = {"column_list": ["city"], "column": "fare"}
BY_FARE: Final = {"column_list": ["city"], "order_by": ["fare"]}
STOPS: Final = {
    "column_list": ["city", "stop"],
    "reference": "stops",
    "reference_column_list": ["city", "stop"],
}
LANDS: Final = {
    "column": "country",
    "on": ["city"],
    "reference": "stops",
    "reference_on": ["city"],
    "reference_column": "land",
}

ROW_CASES: Final[list[tuple[str, dict[str, Any], list[Row], set[int]]]] = [
    (
        NESTED_FIELDS,
        {"column": "extras", "check": "type", "path": "", "type": "object"},
        extras(None, "null", "{}", "[]", "{"),
        {2, 4, 5},
    ),
    (
        NESTED_FIELDS,
        {"column": "extras", "check": "required", "path": ".meal.kind"},
        extras('{"meal":null}', '{"meal":{"kind":null}}'),
        {2},
    ),
    (
        NESTED_FIELDS,
        {"column": "extras", "check": "unexpected", "path": ""},
        extras('{"seat":1}', '{"Seat":1}', None),
        {2},
    ),
    (
        "expect_key_to_stand_once",
        {"column_list": ["fare"], "keep": "first"},
        fares("1", "NaN", "NaN", None, None, "-0.0", "0"),
        {3, 7},
    ),
    (
        "expect_key_to_stand_once",
        {"column_list": ["fare"], "keep": "last"},
        fares("1", "NaN", "NaN", None, None, "-0.0", "0"),
        {2, 6},
    ),
    (
        "expect_key_to_stand_once",
        {"column_list": ["fare"], "keep": "none"},
        fares("1", "NaN", "NaN", None, None, "-0.0", "0"),
        {2, 3, 6, 7},
    ),
    (
        "expect_key_to_stand_once",
        BY_FARE | {"keep": "first"},
        fares(None, "NaN", "2", "1", "inf", "1"),
        {1, 2, 3, 5, 6},
    ),
    (
        "expect_key_to_stand_once",
        BY_FARE | {"keep": "last"},
        fares(None, "NaN", "2", "2", "-inf"),
        {1, 2, 3, 5},
    ),
    ("expect_key_to_stand_once", BY_FARE | {"keep": "first"}, fares(None, "NaN", None), {2, 3}),
    ("expect_key_to_stand_once", BY_FARE | {"keep": "last"}, fares(None, "NaN", None), {1, 2}),
    (
        "expect_rows_to_be_distinct",
        {},
        fares(None, None, "NaN", "NaN", "0.0", "-0.0", "1", ride="R"),
        {2, 4, 6},
    ),
    ("expect_columns_to_determine", CITY, fares("NaN", "NaN", None), set()),
    ("expect_columns_to_determine", CITY, fares("0", "-0.0", None), set()),
    ("expect_columns_to_determine", CITY, fares("1", "NaN", None), {1, 2}),
    ("expect_columns_to_determine", CITY | {"keep": "majority"}, fares("NaN", "1", "NaN", None), {2}),
    ("expect_columns_to_determine", CITY | {"keep": "majority"}, fares("0", "-0.0", "1", None), {3}),
    ("expect_columns_to_determine", CITY | {"keep": "majority"}, fares("1", "2", None), {1, 2}),
    ("expect_columns_to_determine", CITY, fares("1", "2", None, city=None), set()),
    (
        "expect_compound_columns_to_exist_in_reference",
        STOPS,
        rows({}, {"city": None}, {"stop": None, "city": "X"}, {"city": "X"}),
        {4},
    ),
    (
        "expect_column_to_agree_with_reference",
        LANDS,
        rows({}, {"country": None}, {"city": None}, {"city": "X"}, {"country": "NO"}, {"city": "Quay"}),
        {5},
    ),
    ("expect_rows_to_satisfy", {"condition": "fare > 3"}, fares("5", "1", None, "inf", "-inf"), {2, 5}),
    (
        "expect_column_values_to_be_before_delivery",
        {"column": "hour"},
        rows({}, {"hour": None}, {"hour": "2025-01-01T00:00:00Z"}),
        {3},
    ),
    (
        "expect_column_values_to_be_before_cutoff",
        {"column": "hour", "cutoff_column": "ended"},
        rows({}, {"hour": None}, {"ended": None}, {"ended": "2024-01-20T10:00:00Z"}),
        {4},
    ),
    (
        "expect_column_text_to_state_its_offset",
        {"column": "hour"},
        rows(
            {},
            {"hour": None},
            {"hour": "2024-01-20 10:00:00"},
            {"hour": "2024-01-20T10:00:00.5-01:00"},
            {"hour": "2024-01-20"},
        ),
        {3, 5},
    ),
    (
        "expect_local_time_to_exist",
        NEW_YORK,
        rows({}, {"hour": None}, {"hour": "2024-03-10T02:00:00Z"}, {"hour": "2024-03-10T03:00:00Z"}),
        {3},
    ),
    (
        "expect_local_time_to_be_unambiguous",
        NEW_YORK,
        rows({}, {"hour": None}, {"hour": "2024-11-03T01:59:59Z"}),
        {3},
    ),
    (
        "expect_column_values_to_be_within_watermark",
        {"column": "hour", "max_late_seconds": 0},
        rows({}, {"hour": None}, {"hour": "2024-01-20T09:59:59.999999Z"}),
        {3},
    ),
]
"""Rule, arguments, rows, and the record numbers that break it; the published table, where it matters,
is one plain row of another key.
"""

TOTAL: Final = {"column": "fare", "reference": "takings", "reference_column": "total", "tolerance": 0.5}
HOURLY: Final = {"column": "hour", "step_seconds": 3600}
TABLE_CASES: Final[list[tuple[str, dict[str, Any], list[Row], int, bool]]] = [
    (
        "expect_no_burst_of_repeats",
        {"column_list": ["fare"], "max_repeats": 1},
        fares(None, None, "1"),
        2,
        False,
    ),
    (
        "expect_no_burst_of_repeats",
        {"column_list": ["fare"], "max_repeats": 1},
        fares("NaN", "NaN", "0", "-0.0", "-0"),
        3,
        False,
    ),
    (
        "expect_no_overlap_between_splits",
        {"column_list": ["fare"], "split_column": "split"},
        fares(None, None),
        0,
        True,
    ),
    (
        "expect_no_overlap_between_splits",
        {"column_list": ["city"], "split_column": "split"},
        rows({"split": None}, {}, {"split": None}),
        0,
        True,
    ),
    (
        "expect_column_offsets_to_agree",
        {"column": "hour"},
        rows({}, {"hour": None}, {"hour": "2024-01-20T10:00:00+00:00"}),
        1,
        True,
    ),
    (
        "expect_series_to_have_no_gaps",
        HOURLY,
        rows({}, {"hour": None}, {"hour": "2024-01-20T12:00:00Z"}),
        1,
        False,
    ),
    (
        "expect_series_to_have_no_gaps",
        HOURLY | {"by": ["city"]},
        rows(
            {"city": None},
            {"city": None, "hour": "2024-01-20T12:59:59Z"},
            {"hour": "1969-12-31T22:30:00Z"},
            {"hour": "1970-01-01T01:00:00Z"},
        ),
        3,
        False,
    ),
    ("expect_sum_to_agree_with_reference", TOTAL, fares("6", None, "4.4"), 0, True),
    ("expect_sum_to_agree_with_reference", TOTAL, fares("6", None, "3.4"), 1, False),
    ("expect_sum_to_agree_with_reference", TOTAL, fares("10", "NaN"), 1, False),
    ("expect_sum_to_agree_with_reference", TOTAL, fares("10", "inf"), 1, False),
    ("expect_sum_to_agree_with_reference", TOTAL, [], 0, True),
]
"""Rule, arguments, rows, what is seen of them, and whether it keeps the rule. The reference's total is 10."""
