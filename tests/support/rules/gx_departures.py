"""Where Lakegate's rules differ from Great Expectations on purpose: why, and for which rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from expectations.suite import Rule
from tests.support.rules.nasty_tables import TYPES, Row
from tests.support.rules.suites_of_rules import Kwargs

Kinds = list[tuple[str, Kwargs]]


def _is_nan(kwargs: Kwargs, row: Row) -> bool:
    values = [row[kwargs[name]] for name in ("column", "column_A", "column_B") if name in kwargs]
    return any(isinstance(value, float) and math.isnan(value) for value in values)


def _is_odd(kwargs: Kwargs, row: Row) -> bool:
    return isinstance(row[kwargs["column"]], float) and not math.isfinite(row[kwargs["column"]])


def _ends_a_line(kwargs: Kwargs, row: Row) -> bool:
    patterns = kwargs.get("regex_list") or [kwargs["regex"]]
    return str(row[kwargs["column"]]).endswith("\n") and any(pattern.endswith("$") for pattern in patterns)


def _is_zero(kwargs: Kwargs, row: Row) -> bool:
    return any(
        isinstance(row[name], float) and row[name] == 0
        for name in kwargs.get("column_list") or [kwargs["column"]]
    )


def _past_floats(kwargs: Kwargs, _: Row) -> bool:
    bounds = [kwargs.get(name) for name in ("min_value", "max_value", "sum_total")]
    return any(isinstance(value, int) and abs(value) > 2**53 for value in bounds)


def _repeats(kwargs: Kwargs, _: Row) -> bool:
    return len(set(kwargs["value_set"])) < len(kwargs["value_set"])


def _is_time(kwargs: Kwargs, _: Row) -> bool:
    return TYPES[kwargs["column"]] in ("date", "timestamp")


def _is_great(kwargs: Kwargs, row: Row) -> bool:
    return isinstance(row[kwargs["column"]], int) and abs(row[kwargs["column"]]) > 2**52


DIVERGENCE: Final = "expect_column_kl_divergence_to_be_less_than"
"""GX can't find it over bins on Sail, so it is held against GX on pandas."""
_GREAT: Final = {"GX makes great whole numbers floats": _is_great}
_FLOATS: Final = {"GX makes a whole bound a float": _past_floats}
_NO_ORDER: Final = {"a column with NaN has no order": _is_nan}
_NO_SUM: Final = {"a column with NaN or infinite numbers has no sum": _is_odd}
_LINES: Final = {"a last line end is part of a text, to Java's $ it is not": _ends_a_line}
_ZEROS: Final = {"0.0 and -0.0 are one value, to Sail's windows and counts they are two": _is_zero}
_SETS: Final = {"GX counts a value of the set as often as it stands there": _repeats}

DEPARTURES: Final[dict[str, dict[str, Callable[[Kwargs, Row], bool]]]] = {
    "expect_column_values_to_be_between": {
        "NaN lies in no range, to Spark it is the greatest number": _is_nan,
        **_FLOATS,
    },
    "expect_column_pair_values_a_to_be_greater_than_b": {
        "NaN is not more than a number, to Spark it is": _is_nan
    },
    "expect_multicolumn_sum_to_equal": _FLOATS,
    "expect_column_values_to_match_regex": _LINES,
    "expect_column_values_to_not_match_regex": _LINES,
    "expect_column_values_to_match_regex_list": _LINES,
    "expect_column_values_to_not_match_regex_list": _LINES,
    "expect_column_values_to_be_unique": _ZEROS,
    "expect_compound_columns_to_be_unique": _ZEROS,
    "expect_column_unique_value_count_to_be_between": _ZEROS,
    "expect_column_proportion_of_unique_values_to_be_between": _ZEROS,
    "expect_column_min_to_be_between": _NO_ORDER | _FLOATS,
    "expect_column_max_to_be_between": _NO_ORDER | _FLOATS,
    "expect_column_median_to_be_between": _NO_ORDER | _FLOATS | _GREAT,
    "expect_column_quantile_values_to_be_between": _NO_ORDER,
    "expect_column_sum_to_be_between": _NO_SUM,
    "expect_column_mean_to_be_between": _NO_SUM | _GREAT,
    "expect_column_stdev_to_be_between": _NO_SUM | _GREAT,
    "expect_column_most_common_value_to_be_in_set": {"GX compares times with the texts of the set": _is_time},
    "expect_column_distinct_values_to_contain_set": _SETS,
    "expect_column_distinct_values_to_equal_set": _SETS,
    "expect_column_to_exist": {
        "GX takes index 0 for no index": lambda kwargs, _: kwargs.get("column_index") == 0
    },
}
"""Per type and reason: whether the two may differ about this row or, for a table rule, because of it.
All else must agree.
"""


def may_differ(rule: Rule, row: Row) -> bool:
    return any(departs(rule.kwargs, row) for departs in DEPARTURES.get(rule.type, {}).values())
