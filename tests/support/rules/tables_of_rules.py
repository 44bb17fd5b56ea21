"""Tables of nasty values, and for every expectation type that the plan covers the arguments that a contract
may give it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

from catalog.rules.expectation_types import EXPECTATIONS
from tests.support.rules.nasty_tables import OTHER, TYPES, VALUES
from tests.support.rules.suites_of_rules import Drawn, all_of, some_of, together


def _column(rule: str, more: Callable[[str], Drawn] = lambda _: st.just({})) -> dict[str, Drawn]:
    """A rule of one column that it can judge, and what it takes of such a column."""
    names = st.sampled_from([name for name, kind in TYPES.items() if kind in EXPECTATIONS[rule].types])
    OF_A_COLUMN[rule] = lambda name: more(name).map(lambda found: {"column": name, **found})
    return {rule: names.flatmap(OF_A_COLUMN[rule])}


OF_A_COLUMN: Final[dict[str, Callable[[str], Drawn]]] = {}
"""What a rule of one column takes of a column, by the rule's type."""


def _bounds(values: st.SearchStrategy[Any], **more: st.SearchStrategy[Any]) -> Drawn:
    both = (
        st.tuples(values, values).map(sorted).map(lambda ends: {"min_value": ends[0], "max_value": ends[1]})
    )
    return together(both | all_of(min_value=values) | all_of(max_value=values), some_of(**more))


_STRICT: Final = {"strict_min": st.booleans(), "strict_max": st.booleans()}


def _between(name: str) -> Drawn:
    return _bounds(VALUES[TYPES[name]], **_STRICT)


def _set(name: str) -> Drawn:
    return all_of(value_set=st.lists(VALUES[TYPES[name]], min_size=1, max_size=4))


def _quantiles(_: str) -> Drawn:
    ends = st.tuples(VALUES["double"], VALUES["double"]).map(sorted)
    ranges = st.tuples(ends, st.booleans(), st.booleans()).map(
        lambda f: [None if f[1] else f[0][0], None if f[2] else f[0][1]]
    )
    pair = st.tuples(st.sampled_from([0, 0.1, 0.25, 1 / 3, 0.5, 0.9, 1]), ranges)
    return st.lists(pair, min_size=1, max_size=3, unique_by=lambda found: found[0]).map(
        lambda found: {
            "quantile_ranges": {
                "quantiles": [item[0] for item in found],
                "value_ranges": [item[1] for item in found],
            }
        }
    )


def _pair(*choices: tuple[str, str], **more: st.SearchStrategy[Any]) -> Drawn:
    names = st.sampled_from(choices).map(lambda found: {"column_A": found[0], "column_B": found[1]})
    return together(
        names,
        some_of(
            ignore_row_if=st.sampled_from(["both_values_are_missing", "either_value_is_missing", "neither"]),
            **more,
        ),
    )


def _pairs() -> Drawn:
    names = st.tuples(st.sampled_from([*TYPES]), st.sampled_from([*TYPES]))
    return names.flatmap(
        lambda found: together(
            _pair(found),
            all_of(
                value_pairs_set=st.lists(
                    st.tuples(*(st.none() | VALUES[TYPES[name]] for name in found)).map(list),
                    min_size=1,
                    max_size=4,
                )
            ),
        )
    )


def _columns(*choices: tuple[str, ...], **more: st.SearchStrategy[Any]) -> Drawn:
    names = st.sampled_from(choices).flatmap(st.permutations).map(lambda found: {"column_list": list(found)})
    ignored = st.sampled_from(["all_values_are_missing", "any_value_is_missing", "never"])
    return together(names, all_of(**more), some_of(ignore_row_if=ignored))


_REGEX: Final = st.sampled_from(
    [
        "^a",
        "b$",
        "a$",
        "^[a-z]+$",
        "^$",
        "",
        "é",
        "^.$",
        "^..$",
        "'",
        "\\\\",
        "[%_]",
        "(a|é)b?",
        "^a\\$",
        "中|😀",
        "^[^a]$",
        '"',
        "a.b",
        "(?i)AB",
    ]
)
_LIKE: Final = st.sampled_from(
    ["a%", "%a", "_", "__", "%", "a_b", "%'%", "%é%", "ß", "A%", "%\n%", "中_", "50%", '%"%', "%_%"]
)
_ON: Final = st.sampled_from(["any", "all"])
_COMPARED: Final = (
    ("first", "second"),
    ("real", "real2"),
    ("first", "real"),
    ("real2", "second"),
    ("day", "day"),
    ("at", "at"),
)
_ALIKE: Final = (("first", "second"), ("real", "real2"), ("first", "second", "real"))
_KEYS: Final = (
    ("name", "other"),
    ("first", "flag"),
    ("real", "name"),
    ("day", "at", "flag"),
    ("real", "real2"),
    tuple(TYPES),
)
_SHARES: Final = st.sampled_from([0, 0.25, 0.5, 2 / 3, 1])
_COUNTS: Final = st.integers(0, 6)
_KINDS: Final = st.sampled_from(
    ["StringType", "LongType", "DoubleType", "BooleanType", "DateType", "TimestampType"]
)
_NAMES: Final = (
    st.lists(st.sampled_from([*TYPES]), unique=True, min_size=1)
    | st.permutations([*TYPES]).map(list)
    | st.just([*TYPES])
)

ROW_RULES: Final[dict[str, Drawn]] = {
    **_column("expect_column_values_to_not_be_null"),
    **_column("expect_column_values_to_be_null"),
    **_column("expect_column_values_to_be_between", _between),
    **_column("expect_column_values_to_be_in_set", _set),
    **_column("expect_column_values_to_not_be_in_set", _set),
    **_column("expect_column_values_to_match_regex", lambda _: all_of(regex=_REGEX)),
    **_column("expect_column_values_to_not_match_regex", lambda _: all_of(regex=_REGEX)),
    **_column(
        "expect_column_values_to_match_regex_list",
        lambda _: together(
            all_of(regex_list=st.lists(_REGEX, min_size=1, max_size=3)), some_of(match_on=_ON)
        ),
    ),
    **_column(
        "expect_column_values_to_not_match_regex_list",
        lambda _: all_of(regex_list=st.lists(_REGEX, min_size=1, max_size=3)),
    ),
    **_column("expect_column_value_lengths_to_be_between", lambda _: _bounds(_COUNTS, **_STRICT)),
    **_column("expect_column_value_lengths_to_equal", lambda _: all_of(value=_COUNTS)),
    "expect_column_pair_values_a_to_be_greater_than_b": _pair(*_COMPARED, or_equal=st.booleans()),
    "expect_column_pair_values_to_be_equal": _pair(*_COMPARED, ("name", "other"), ("flag", "flag")),
    "expect_column_pair_values_to_be_in_set": _pairs(),
    "expect_multicolumn_sum_to_equal": _columns(*_ALIKE, sum_total=VALUES["integer"] | VALUES["double"]),
    "expect_multicolumn_values_to_be_equal": _columns(*_ALIKE, ("name", "other")),
    "expect_select_column_values_to_be_unique_within_record": _columns(*_ALIKE, ("name", "other")),
    "expect_compound_columns_to_be_unique": _columns(*_KEYS),
    **_column("expect_column_values_to_be_unique"),
}
TABLE_RULES: Final[dict[str, Drawn]] = {
    **_column("expect_column_min_to_be_between", _between),
    **_column("expect_column_max_to_be_between", _between),
    **_column("expect_column_sum_to_be_between", _between),
    **_column("expect_column_mean_to_be_between", _between),
    **_column("expect_column_median_to_be_between", _between),
    **_column("expect_column_stdev_to_be_between", _between),
    **_column("expect_column_quantile_values_to_be_between", _quantiles),
    **_column("expect_column_unique_value_count_to_be_between", lambda _: _bounds(_COUNTS, **_STRICT)),
    **_column(
        "expect_column_proportion_of_unique_values_to_be_between", lambda _: _bounds(_SHARES, **_STRICT)
    ),
    **_column(
        "expect_column_proportion_of_non_null_values_to_be_between", lambda _: _bounds(_SHARES, **_STRICT)
    ),
    **_column("expect_column_distinct_values_to_be_in_set", _set),
    **_column("expect_column_distinct_values_to_contain_set", _set),
    **_column("expect_column_distinct_values_to_equal_set", _set),
    **_column(
        "expect_column_most_common_value_to_be_in_set",
        lambda name: together(_set(name), some_of(ties_okay=st.booleans())),
    ),
    **_column("expect_column_values_to_be_of_type", lambda _: all_of(type_=_KINDS)),
    **_column(
        "expect_column_values_to_be_in_type_list", lambda _: all_of(type_list=st.lists(_KINDS, min_size=1))
    ),
    **_column("expect_column_type_to_be", lambda _: all_of(type_=_KINDS)),
    **_column("expect_column_to_exist", lambda _: some_of(column_index=st.integers(0, 8))),
    "expect_table_columns_to_match_set": together(
        all_of(column_set=_NAMES), some_of(exact_match=st.booleans())
    ),
    "expect_table_columns_to_match_ordered_list": all_of(column_list=_NAMES),
    "expect_table_column_count_to_be_between": _bounds(st.integers(7, 11)),
    "expect_table_column_count_to_equal": all_of(value=st.integers(7, 11)),
    "expect_table_row_count_to_be_between": _bounds(_COUNTS, **_STRICT),
    "expect_table_row_count_to_equal": all_of(value=st.sampled_from([0, 1, 5, 12])),
}
SQL_RULES: Final[dict[str, Drawn]] = {
    **_column("expect_column_values_to_match_like_pattern", lambda _: all_of(like_pattern=_LIKE)),
    **_column("expect_column_values_to_not_match_like_pattern", lambda _: all_of(like_pattern=_LIKE)),
    **_column(
        "expect_column_values_to_match_like_pattern_list",
        lambda _: together(
            all_of(like_pattern_list=st.lists(_LIKE, min_size=1, max_size=3)), some_of(match_on=_ON)
        ),
    ),
    **_column(
        "expect_column_values_to_not_match_like_pattern_list",
        lambda _: all_of(like_pattern_list=st.lists(_LIKE, min_size=1, max_size=3)),
    ),
    "expect_table_row_count_to_equal_other_table": st.just({"other_table_name": OTHER}),
}
"""Rules that GX has for SQL engines only."""
