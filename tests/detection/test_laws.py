"""Laws that Lakegate's own rules keep for any rows: nothing is lost, order means nothing,
what passed passes again, looser is looser.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.planted.drawn import EXAMPLES, HOURS, PUBLISHED, ROWS
from tests.support.planted.gate import Asked, Gate
from tests.support.planted.plain_rows import NEW_YORK
from tests.support.planted.rides import Row, stops

KEY, FARES = {"column_list": ["ride"]}, {"column_list": ["city", "fare"]}
BY_END = {"order_by": ["ended"]}
KEPT: list[Asked] = [
    ("expect_key_to_stand_once", KEY | {"keep": "first"}),
    ("expect_key_to_stand_once", FARES | {"keep": "last"}),
    ("expect_key_to_stand_once", KEY | BY_END | {"keep": "first"}),
    ("expect_key_to_stand_once", FARES | BY_END | {"keep": "last"}),
]
"""Rules that keep one row of each key."""
EACH: list[Asked] = [
    ("expect_key_to_stand_once", FARES | {"keep": "none"}),
    ("expect_columns_to_determine", {"column_list": ["city"], "column": "country"}),
    ("expect_columns_to_determine", {"column_list": ["ride"], "column": "kind"}),
    (
        "expect_compound_columns_to_exist_in_reference",
        {"column_list": ["city", "stop"], "reference": "stops", "reference_column_list": ["city", "stop"]},
    ),
    (
        "expect_column_to_agree_with_reference",
        {
            "column": "country",
            "on": ["city"],
            "reference": "stops",
            "reference_on": ["city"],
            "reference_column": "land",
        },
    ),
    ("expect_rows_to_satisfy", {"condition": "fare > 1 or kind = 'single'"}),
    ("expect_column_values_to_be_before_delivery", {"column": "ended"}),
    ("expect_column_values_to_be_before_cutoff", {"column": "hour", "cutoff_column": "ended"}),
    ("expect_column_text_to_state_its_offset", {"column": "hour"}),
    ("expect_local_time_to_exist", NEW_YORK),
    ("expect_local_time_to_be_unambiguous", NEW_YORK),
    ("expect_column_values_to_be_within_watermark", {"column": "hour", "max_late_seconds": 3600}),
    ("expect_column_values_to_be_of_declared_type", {"column": "fare", "type": "double"}),
    (
        "expect_column_values_to_be_of_declared_type",
        {"column": "booked", "type": "date", "format": "dd/MM/yyyy"},
    ),
]
"""Rules that say the same of a row wherever it stands."""
DISTINCT: Asked = ("expect_rows_to_be_distinct", {})
ALL: list[Asked] = [*KEPT, *EACH, DISTINCT]

REFERENCES = {"stops": stops()}


def number(text: str | None) -> str | None:
    """A fare as rules compare it; NULL where it is none, as text that is no number becomes."""
    try:
        return None if text is None else str(float(text) + 0.0)
    except ValueError:
        return None


def key_of(row: Row, kwargs: dict[str, Any]) -> tuple[str, ...] | None:
    """A row's key; None where a part of it is missing."""
    found = [number(row[name]) if name == "fare" else row[name] for name in kwargs["column_list"]]
    return None if None in found else tuple(str(value) for value in found)


@EXAMPLES
@given(rows=ROWS)
def test_one_row_of_each_key_stays_and_each_row_is_on_one_side(rows: list[Row], sail: Gate) -> None:
    found = sail.ask(rows, ALL, published=[PUBLISHED], references=REFERENCES)
    assert found.passed.isdisjoint(found.aside)
    assert found.passed | found.aside == set(range(1, len(rows) + 1))
    assert found.aside == frozenset().union(*found.broken)
    for (_, kwargs), broken in zip(KEPT, found.broken, strict=False):
        keys = [key_of(row, kwargs) for row in rows]
        stay = Counter(key for place, key in enumerate(keys, 1) if key is not None and place not in broken)
        assert stay == dict.fromkeys({key for key in keys if key is not None}, 1)
        assert not [place for place in broken if keys[place - 1] is None]
    contents = [tuple(typed(row).items()) for row in rows]
    assert Counter(
        content for place, content in enumerate(contents, 1) if place not in found.broken[-1]
    ) == dict.fromkeys(contents, 1)


def typed(row: Row) -> Row:
    """A row as rules see it: text that its type doesn't take is missing,
    and one moment is the same however it is written.
    """
    hour = {"2024-01-20T11:00:00+01:00": HOURS[0]}.get(str(row["hour"]), row["hour"])
    booked = None if row["booked"] == "01/19/2024" else row["booked"]
    return row | {
        "fare": number(row["fare"]),
        "stop": None if row["stop"] == "one" else row["stop"],
        "hour": hour,
        "booked": booked,
    }


@pytest.mark.parametrize("total", [True, False], ids=["in a total order", "with ties"])
@EXAMPLES
@given(rows=ROWS, shuffle=st.randoms(use_true_random=False))
def test_order_of_rows_means_nothing(
    rows: list[Row], shuffle: random.Random, sail: Gate, *, total: bool
) -> None:
    if total:
        rows = [
            row | {"ended": f"2024-01-{1 + place // 24:02}T{place % 24:02}:00:00Z"}
            for place, row in enumerate(rows)
        ]
    order = list(range(len(rows)))
    shuffle.shuffle(order)
    one, other = (
        sail.ask(table, ALL, published=[PUBLISHED], references=REFERENCES).broken
        for table in (rows, [rows[place] for place in order])
    )
    there = [frozenset(order[place - 1] + 1 for place in broken) for broken in other]
    same = {*range(len(KEPT), len(ALL) - 1)} | ({2, 3} if total else set())
    for rule, (here, elsewhere) in enumerate(zip(one, there, strict=True)):
        if rule in same:
            assert here == elsewhere, ALL[rule]
        assert len(here) == len(elsewhere), ALL[rule]


@EXAMPLES
@given(rows=ROWS)
def test_rows_that_passed_pass_again(rows: list[Row], sail: Gate) -> None:
    found = sail.ask(rows, ALL, published=[PUBLISHED], references=REFERENCES)
    passed = [row for place, row in enumerate(rows, 1) if place in found.passed]
    assert passed
    assert found.aside
    again = sail.ask(passed, ALL, published=[PUBLISHED], references=REFERENCES)
    assert again.aside == frozenset()
    assert len(again.passed) == len(passed)


def test_no_rows_break_no_row_rule(sail: Gate) -> None:
    found = sail.ask([], ALL, published=[PUBLISHED], references=REFERENCES)
    assert (found.aside, found.passed) == (frozenset(), frozenset())
    assert {outcome.failed for outcome in found.outcomes} == {0}
