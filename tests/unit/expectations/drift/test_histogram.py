"""Histograms: bins that hold what they say, and a merge that knows neither order nor grouping."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.contract import Column
from expectations.drift.histogram import (
    INFINITE,
    MOST_CLASSES,
    PARTS,
    REACH,
    Histogram,
    Histograms,
    Kind,
    code_of,
    kind_of,
    merge,
    merge_all,
    span,
)

NUMBERS = st.floats(allow_nan=False) | st.integers(-(10**18), 10**18).map(float)
COUNTS = st.integers(1, 10**6)


def histogram(kind: Kind, **more: Any) -> st.SearchStrategy[Histogram]:
    return st.builds(Histogram, kind=st.just(kind), rows=COUNTS, nulls=COUNTS, **more)


MANY = st.integers(0, 2).map(lambda part: {str(number): 1 for number in range(part * 300, part * 300 + 700)})
KINDS: dict[Kind, st.SearchStrategy[Histogram]] = {
    "integer": histogram(
        "integer", bins=st.dictionaries(st.integers(-INFINITE, INFINITE), COUNTS), nan=st.integers(0, 3)
    ),
    "class": histogram("class", classes=st.dictionaries(st.text(max_size=3), COUNTS) | MANY),
    "presence": histogram("presence"),
}
TABLES = st.builds(Histograms, COUNTS, st.fixed_dictionaries({}, optional=dict(KINDS.items())))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_merge_is_associative_and_commutative_and_empty_is_neutral(kind: Kind, data: st.DataObject) -> None:
    a, b, c = (data.draw(KINDS[kind]) for _ in range(3))
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(a, b) == merge(b, a)
    assert merge(a, Histogram(kind)) == a == merge(Histogram(kind), a)


@given(a=TABLES, b=TABLES, c=TABLES)
def test_histograms_of_tables_merge_column_by_column(a: Histograms, b: Histograms, c: Histograms) -> None:
    assert merge_all(merge_all(a, b), c) == merge_all(a, merge_all(b, c))
    assert merge_all(a, b) == merge_all(b, a)
    assert merge_all(a, Histograms()) == a


@given(TABLES)
def test_json_gives_the_same_histograms_back(table: Histograms) -> None:
    assert Histograms.from_json(json.loads(table.text())) == table


def test_more_classes_than_are_counted_are_none_wherever_they_came_together() -> None:
    parts = [
        Histogram("class", 700, classes={f"{part}-{number}": 1 for number in range(700)}) for part in range(2)
    ]
    both = merge(*parts)
    assert (both.too_many, both.classes, both.rows) == (True, {}, 1400)
    assert merge(both, parts[0]).too_many
    full = Histogram("class", MOST_CLASSES, classes={str(number): 1 for number in range(MOST_CLASSES)})
    assert not merge(full, full).too_many


def test_kinds_of_columns_do_not_merge() -> None:
    with pytest.raises(ValueError, match=r"integer.*double"):
        merge(Histogram("integer"), Histogram("double"))


@given(NUMBERS)
def test_number_lies_in_its_bins_span_and_its_mirror_in_the_mirrors(number: float) -> None:
    low, high = span(code_of(number), whole=False)
    assert low <= number <= high
    assert code_of(-number) == -code_of(number)
    if 2.0**-REACH <= abs(number) < 2.0**REACH:
        assert high - low <= abs(number) / PARTS


@given(NUMBERS, NUMBERS)
def test_bins_keep_the_order_of_numbers(one: float, other: float) -> None:
    assert (one <= other) <= (code_of(one) <= code_of(other))


@given(st.integers(-(2**53), 2**53))
def test_small_whole_numbers_have_a_bin_each_and_the_others_lie_within(number: int) -> None:
    low, high = span(code_of(number), whole=True)
    assert low <= number <= high
    assert (low == high) if abs(number) < 128 else (high - low <= abs(number) / PARTS)


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (0.0, (0.0, 0.0)),
        (math.inf, (math.inf, math.inf)),
        (-math.inf, (-math.inf, -math.inf)),
        (1.5, (1.5, 1.515625)),
    ],
)
def test_zero_and_infinities_have_bins_of_their_own(value: float, bounds: tuple[float, float]) -> None:
    assert span(code_of(value), whole=False) == bounds


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (Column("a", "integer"), "integer"),
        (Column("a", "double"), "double"),
        (Column("a", "boolean"), "class"),
        (Column("a", "string"), "class"),
        (Column("a", "timestamp"), "presence"),
        (Column("a", "string", classification="personal"), "presence"),
        (Column("a", "double", classification="PII"), "presence"),
    ],
)
def test_values_of_personal_columns_are_never_counted(column: Column, kind: str) -> None:
    assert kind_of(column) == kind
