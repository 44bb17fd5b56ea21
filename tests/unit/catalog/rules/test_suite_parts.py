"""Whatever stands in a suite file, it loads, or each of its mistakes is told with its line,
and hides no other.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.files import load_catalog
from catalog.rules.expectation_types import EXPECTATIONS, Expectation
from expectations.building.build import build_suite
from lakegate.errors import ContractError
from tests.support.catalog.document_places import places_of
from tests.support.places import ROOT

FLIGHTS = load_catalog(ROOT).get("flights")
ARGUMENTS: dict[str, Any] = {
    "min_value": 0,
    "max_value": 1,
    "regex": "^A",
    "regex_list": ["^A", "B$"],
    "like_pattern": "A%",
    "like_pattern_list": ["A%", "_B"],
    "value": 2,
    "value_pairs_set": [[1, 2], [3, None]],
    "sum_total": 3,
    "strftime_format": "%Y-%m",
    "json_schema": {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/b"}},
        "$defs": {"b": {"type": "string"}},
    },
    "type_": "LongType",
    "type_list": ["LongType", "StringType"],
    "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[1, None]]},
    "partition_object": {"bins": [0, 1, 2], "weights": [0.5, 0.5]},
    "threshold": 0.1,
    "baseline": "previous",
    "statistic": "psi",
    "max_change": 0.1,
    "max_share": 0.5,
    "max_difference": 0.1,
    "shares": {"a": 0.5},
    "method": "iqr",
    "group_by": "carrier",
    "keep": "none",
    "max_repeats": 5,
    "split_column": "origin",
    "condition": "distance > 0",
    "reference": "airports",
    "on": ["dest"],
    "reference_on": ["faa"],
    "reference_column": "name",
    "tolerance": 0.5,
    "step_seconds": 3600,
    "cutoff": "2013-01-01T00:00:00Z",
    "tolerance_seconds": 60,
    "max_late_seconds": 60,
    "time_zone": "America/New_York",
    "max_missing": 1,
    "other_column": "origin",
}
LAST = {
    "type": "expect_colum_values_to_be_null",
    "kwargs": {"column": "year"},
    "severity": "info",
    "meta": {"lakegate": {"rule": "last"}},
}
"""A mistake that is told whatever is wrong with others."""


def _kwargs(kind: Expectation) -> dict[str, Any]:
    """All that a rule of this kind needs and may have, as far as it is written above."""
    first = next(column for column in FLIGHTS.columns if column.type in kind.types and not column.personal)
    fit = [column.name for column in FLIGHTS.columns if column.type == first.type and not column.personal]
    made = {
        "column": fit[-1],
        "column_A": fit[0],
        "column_B": fit[-1],
        "column_list": fit[:2],
        "column_set": fit[:2],
        "value_set": [1, 2],
    }
    return {name: value for name, value in (made | ARGUMENTS).items() if name in kind.arguments}


RULES = [
    {
        "type": name,
        "kwargs": _kwargs(kind),
        "severity": "info",
        "meta": {"lakegate": {"rule": name, "family": kind.family}},
    }
    for name, kind in EXPECTATIONS.items()
    if not kind.generated and "processed" in kind.hops
]


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(allow_nan=False),
    st.text(st.characters(max_codepoint=126), max_size=8),
)
VALUES = st.one_of(
    SCALARS,
    st.lists(SCALARS | st.just("dest"), max_size=3),
    st.just([[]]),
    st.just([{}]),
    st.dictionaries(st.just("a"), SCALARS),
    st.just([1e308, "dest"]),
)


def _told(folder: Path, rules: list[Any]) -> list[ContractError]:
    """What is wrong with a suite file of flights."""
    path = folder / "expectations" / "suites" / "flights.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": "flights", "expectations": rules}, indent=1))
    try:
        build_suite(FLIGHTS, "processed", folder)
    except ContractError as error:
        assert re.fullmatch(rf"{re.escape(str(path))}:\d+", error.where), error  # noqa: PT017
        return [error, *error.others]
    return []


def test_replaced_parts_were_right_before(tmp_path: Path) -> None:
    assert _told(tmp_path, RULES) == []
    assert len(_told(tmp_path, [LAST])) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from([place for place in places_of(RULES) if place]), value=VALUES)
def test_rule_with_any_part_replaced_leaves_the_other_mistakes_told(
    tmp_path: Path, place: tuple[str | int, ...], value: Any
) -> None:
    rule = json.loads(json.dumps(RULES[int(place[0])]))
    held: list[Any] = [rule]
    inner: Any = held
    for step in (0, *place[1:-1]) if len(place) > 1 else ():
        inner = inner[step]
    inner[place[-1] if len(place) > 1 else 0] = value
    told = _told(tmp_path, [*held, LAST])
    assert all(error.fix and error.where.rpartition(":")[2].isdecimal() for error in told)
    assert sum("'expect_colum_values_to_be_null'" in error.what for error in told) == 1


@pytest.mark.parametrize(
    ("place", "value", "what"),
    [
        (
            ("expect_compound_columns_to_be_unique", "column_list"),
            [1e308, "dest"],
            "flights has no column 1e+308",
        ),
        (("expect_column_values_to_not_be_null", "column"), [[]], "flights has no column [[]]"),
        (("expect_multicolumn_sum_to_equal", "sum_total"), 10**400, "sum_total is 1000"),
        (
            ("expect_column_kl_divergence_to_be_less_than", "threshold"),
            None,
            "lacks its argument 'threshold'",
        ),
        (("expect_column_pair_values_to_be_equal", "column_B"), None, "lacks its argument 'column_B'"),
        (("expect_column_values_to_match_json_schema", "json_schema"), {"$schema": {}}, "$schema is no text"),
    ],
    ids=[
        "a number among columns",
        "lists",
        "a long number",
        "no threshold",
        "no column",
        "a draft that is no text",
    ],
)
def test_mistakes_that_once_hid_others_are_told_at_their_place(
    tmp_path: Path, place: tuple[str, str], value: Any, what: str
) -> None:
    rule = next(item for item in RULES if item["type"] == place[0])
    first, second = _told(tmp_path, [{**rule, "kwargs": {**rule["kwargs"], place[1]: value}}, LAST])
    assert what in first.what
    assert "'expect_colum_values_to_be_null'" in second.what
