"""NULL, NaN and -0.0 break each of Lakegate's own rules where docs/null-and-nan.md says so."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from catalog.rules.expectation_types import OWN
from expectations.rules.join_rules import LOOK_UPS, QUERIES
from expectations.rules.time_rules import TIME_RULES
from tests.support.planted import missing
from tests.support.planted.everything import clock_changes
from tests.support.planted.gate import Gate, name_of
from tests.support.planted.plain_rows import PLAIN
from tests.support.planted.rides import Row, stops

TEN = pa.table(
    {
        "town": pa.array(["Aarhus", None], pa.string()),
        "total": pa.array([10.0, None]),
        "stops": pa.array([1, None], pa.int64()),
    }
)


@pytest.mark.parametrize(("kind", "kwargs", "rows", "broken"), missing.ROW_CASES, ids=name_of)
def test_null_and_nan_break_a_row_rule_where_the_truth_table_says_so(
    kind: str, kwargs: dict[str, Any], rows: list[Row], broken: set[int], sail: Gate
) -> None:
    published = [PLAIN] if "watermark" in kind else None
    assert sail.ask(rows, [(kind, kwargs)], references={"stops": stops()}, published=published).broken == (
        broken,
    )


@pytest.mark.parametrize(
    ("kind", "kwargs", "rows", "seen_kept"),
    [(*case[:3], case[3:]) for case in missing.TABLE_CASES],
    ids=name_of,
)
def test_null_and_nan_break_a_table_rule_where_the_truth_table_says_so(
    kind: str, kwargs: dict[str, Any], rows: list[Row], seen_kept: tuple[int, bool], sail: Gate
) -> None:
    (outcome,) = sail.ask(rows, [(kind, kwargs)], references={"takings": TEN}).outcomes
    assert (outcome.observed["observed_value"], outcome.success) == seen_kept


def test_every_own_rule_of_these_families_stands_in_the_truth_table() -> None:
    asked = {case[0] for case in [*missing.ROW_CASES, *missing.TABLE_CASES]} | {
        "expect_rows_not_to_be_delivered_again"
    }
    assert (LOOK_UPS | QUERIES | TIME_RULES.keys()) & OWN <= asked


def test_clock_changes_are_found_where_the_time_zone_database_has_them(sail: Gate) -> None:
    asked, rows, wanted = clock_changes()
    assert [len(found) for found in wanted] == [24 * 4, 24 * 4]
    assert sail.ask(rows, asked).broken == wanted
