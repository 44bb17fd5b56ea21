"""`keep: majority` of a functional dependency sets those rows aside that differ from most of their key,
and no others.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalog.rules.rule_checks import mistakes
from tests.support.planted.gate import Gate
from tests.support.planted.rides import CONTRACT, Row

MAJORITY = {"column_list": ["city"], "column": "country", "keep": "majority"}
KIND = "expect_columns_to_determine"


def rows_of(*pairs: tuple[str | None, str | None]) -> list[Row]:
    empty: Row = {column.name: None for column in CONTRACT.columns}
    return [
        empty | {"ride": str(number), "city": city, "country": country}
        for number, (city, country) in enumerate(pairs)
    ]


def aside(gate: Gate, pairs: list[Any], published: list[Any] | None = None, **more: Any) -> frozenset[int]:
    rows = rows_of(*pairs)
    return gate.ask(
        rows, [(KIND, MAJORITY | more)], published=None if published is None else rows_of(*published)
    ).broken[0]


def test_one_typo_sets_one_row_aside_and_not_its_group(sail: Gate) -> None:
    rows = [
        ("Aarhus", "DK"),
        ("Aarhus", "DK"),
        ("Aarhus", "KD"),
        ("Bergen", "NO"),
        (None, "X"),
        ("Aarhus", None),
    ]
    assert aside(sail, rows) == {3}
    assert aside(sail, rows, keep="none") == {1, 2, 3}


def test_rows_are_all_set_aside_where_no_value_has_most(sail: Gate) -> None:
    assert aside(sail, [("a", "x"), ("a", "y"), ("b", "x"), ("b", "x")]) == {1, 2}
    assert aside(sail, [("a", "x"), ("a", "x"), ("a", "y"), ("a", "y"), ("a", "z")]) == {1, 2, 3, 4, 5}


def test_published_rows_count_with_the_drop(sail: Gate) -> None:
    assert aside(sail, [("a", "x"), ("a", "y")], [("a", "x")]) == {2}
    assert aside(sail, [("a", "x"), ("a", "x")], [("a", "typo")]) == set()
    assert aside(sail, [("a", "x")], [("a", "y"), ("a", "y")]) == {1}
    assert aside(sail, [("a", "x")], [("a", "y")]) == {1}
    assert aside(sail, [("a", "x"), ("a", "x"), ("a", "y")], []) == {3}


_PAIRS = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["x", "y", "z", None])), max_size=12
)


@given(rows=_PAIRS.filter(bool), published=st.none() | _PAIRS)
@settings(
    max_examples=12,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
def test_majority_is_what_counting_by_hand_gives(
    sail: Gate, rows: list[Any], published: list[Any] | None
) -> None:
    votes = Counter(pair for pair in [*rows, *(published or [])] if None not in pair)
    wanted = set()
    for number, (city, country) in enumerate(rows, 1):
        counts = {value: count for (key, value), count in votes.items() if key == city}
        first = [value for value, count in counts.items() if count == max(counts.values())]
        if None not in (city, country) and len(counts) > 1 and first != [country]:
            wanted.add(number)
    assert aside(sail, rows, published) == wanted


def test_keep_that_is_no_majority_is_told() -> None:
    found = list(mistakes(CONTRACT, "processed", KIND, MAJORITY | {"keep": "first"}, "quarantine"))
    assert [item.what for item in found] == ["keep can't be 'first'"]
    assert "majority" in found[0].fix
