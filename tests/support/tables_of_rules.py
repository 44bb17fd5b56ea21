"""Tables of nasty values, and for every expectation type that the plan covers the arguments that a contract may give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from hypothesis import strategies as st

from catalog.contract import Column, ColumnType, Contract
from catalog.rules.expectation_types import EXPECTATIONS

Row = dict[str, Any]
Kwargs = dict[str, Any]
Drawn = st.SearchStrategy[Kwargs]

TYPES: Final[dict[str, ColumnType]] = {
    "name": "string",
    "other": "string",
    "first": "integer",
    "second": "integer",
    "real": "double",
    "real2": "double",
    "flag": "boolean",
    "day": "date",
    "at": "timestamp",
}
COLUMNS: Final = tuple(Column(name, kind) for name, kind in TYPES.items())
OTHER: Final = "others"
CONTRACT: Final = Contract(
    "mixed", "feature", Path("mixed.odcs.yaml"), "", COLUMNS, ("name",), "append", inputs=(OTHER,)
)

POOLS: Final[dict[ColumnType, list[Any]]] = {
    "string": [
        "",
        "a",
        "A",
        "ab",
        "abc",
        "a\n",
        "a\nb",
        "é",
        "e\u0301",
        "ß",
        "中文",
        "😀",
        "it's",
        '"a"',
        "\\",
        "a\\b",
        "%",
        "_",
        "50%",
        "a_b",
        " a",
    ],
    "integer": [0, 1, 2, 3, -1, 7, 10**18, -(10**18), 2**53 + 1, 2**53],
    "double": [0.0, -0.0, 0.5, 1.0, 2.0, 3.0, -2.5, 0.1, 5e-324, 1e18],
    "boolean": [False, True],
    "date": ["1969-12-31", "2013-01-31", "2020-02-29", "2020-03-01"],
    "timestamp": [
        "1969-12-31T23:59:59.999999",
        "2013-01-31T05:00:00",
        "2013-01-31T05:00:00.000001",
        "2020-02-29T12:30:00",
    ],
}
ODD: Final = [float("nan"), float("inf"), float("-inf")]
VALUES: Final[dict[ColumnType, st.SearchStrategy[Any]]] = {
    **{kind: st.sampled_from(pool) for kind, pool in POOLS.items()},
    "string": st.sampled_from(POOLS["string"])
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
    "integer": st.sampled_from(POOLS["integer"]) | st.integers(-5, 5),
    "double": st.sampled_from(POOLS["double"]) | st.floats(-5, 5, width=16),
}
"""Values as a contract writes them."""

_ARROW: Final[dict[ColumnType, pa.DataType]] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
_READ: Final[dict[ColumnType, Callable[[str], Any]]] = {
    "date": date.fromisoformat,
    "timestamp": lambda value: datetime.fromisoformat(value).replace(tzinfo=UTC),
}


def _cell(kind: ColumnType, value: Any) -> Any:
    return _READ[kind](value) if kind in _READ else value


def _cells(kind: ColumnType, *, odd: bool) -> st.SearchStrategy[Any]:
    values = VALUES[kind].map(lambda value: _cell(kind, value))
    rare = st.sampled_from([None, *ODD]) if odd and kind == "double" else st.none()
    return st.integers(0, 3).flatmap(lambda turn: values if turn else rare)


def tables(*sizes: int) -> st.SearchStrategy[list[Row]]:
    """Rows of a table, with NaN and infinite numbers or without."""

    def rows(size: int, odd: bool) -> st.SearchStrategy[list[Row]]:
        row = st.fixed_dictionaries({name: _cells(kind, odd=odd) for name, kind in TYPES.items()})
        return st.lists(row, min_size=size, max_size=size)

    return st.tuples(st.sampled_from(sizes), st.booleans()).flatmap(lambda drawn: rows(*drawn))


def nasty(rows: int = 60, *, odd: bool) -> list[Row]:
    """One fixed table: each column turns through its values and NULL at a pace of its own."""
    found: list[Row] = [{} for _ in range(rows)]
    for pace, (name, kind) in enumerate(TYPES.items(), 1):
        pool = [
            None,
            *(_cell(kind, value) for value in POOLS[kind]),
            *(ODD if odd and kind == "double" else []),
        ]
        for number, row in enumerate(found):
            row[name] = pool[(number * pace + number // len(pool)) % len(pool)]
    return found


def arrow(rows: list[Row]) -> pa.Table:
    """Rows as a typed table, with the columns that name a row."""
    schema = pa.schema(
        [
            *((name, _ARROW[kind]) for name, kind in TYPES.items()),
            ("_row", pa.int64()),
            ("_record", pa.string()),
        ]
    )
    return pa.Table.from_pylist(
        [row | {"_row": number, "_record": ""} for number, row in enumerate(rows, 1)], schema
    )


def _some(**more: st.SearchStrategy[Any]) -> Drawn:
    return st.fixed_dictionaries({}, optional=more)


def _all(**more: st.SearchStrategy[Any]) -> Drawn:
    return st.fixed_dictionaries(dict(more))


def _together(*parts: Drawn) -> Drawn:
    return st.tuples(*parts).map(
        lambda found: {name: value for part in found for name, value in part.items()}
    )


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
    return _together(both | _all(min_value=values) | _all(max_value=values), _some(**more))


_STRICT: Final = {"strict_min": st.booleans(), "strict_max": st.booleans()}


def _between(name: str) -> Drawn:
    return _bounds(VALUES[TYPES[name]], **_STRICT)


def _set(name: str) -> Drawn:
    return _all(value_set=st.lists(VALUES[TYPES[name]], min_size=1, max_size=4))


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
    return _together(
        names,
        _some(
            ignore_row_if=st.sampled_from(["both_values_are_missing", "either_value_is_missing", "neither"]),
            **more,
        ),
    )


def _pairs() -> Drawn:
    names = st.tuples(st.sampled_from([*TYPES]), st.sampled_from([*TYPES]))
    return names.flatmap(
        lambda found: _together(
            _pair(found),
            _all(
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
    return _together(names, _all(**more), _some(ignore_row_if=ignored))


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
    **_column("expect_column_values_to_match_regex", lambda _: _all(regex=_REGEX)),
    **_column("expect_column_values_to_not_match_regex", lambda _: _all(regex=_REGEX)),
    **_column(
        "expect_column_values_to_match_regex_list",
        lambda _: _together(_all(regex_list=st.lists(_REGEX, min_size=1, max_size=3)), _some(match_on=_ON)),
    ),
    **_column(
        "expect_column_values_to_not_match_regex_list",
        lambda _: _all(regex_list=st.lists(_REGEX, min_size=1, max_size=3)),
    ),
    **_column("expect_column_value_lengths_to_be_between", lambda _: _bounds(_COUNTS, **_STRICT)),
    **_column("expect_column_value_lengths_to_equal", lambda _: _all(value=_COUNTS)),
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
        lambda name: _together(_set(name), _some(ties_okay=st.booleans())),
    ),
    **_column("expect_column_values_to_be_of_type", lambda _: _all(type_=_KINDS)),
    **_column(
        "expect_column_values_to_be_in_type_list", lambda _: _all(type_list=st.lists(_KINDS, min_size=1))
    ),
    **_column("expect_column_type_to_be", lambda _: _all(type_=_KINDS)),
    **_column("expect_column_to_exist", lambda _: _some(column_index=st.integers(0, 8))),
    "expect_table_columns_to_match_set": _together(_all(column_set=_NAMES), _some(exact_match=st.booleans())),
    "expect_table_columns_to_match_ordered_list": _all(column_list=_NAMES),
    "expect_table_column_count_to_be_between": _bounds(st.integers(7, 11)),
    "expect_table_column_count_to_equal": _all(value=st.integers(7, 11)),
    "expect_table_row_count_to_be_between": _bounds(_COUNTS, **_STRICT),
    "expect_table_row_count_to_equal": _all(value=st.sampled_from([0, 1, 5, 12])),
}
SQL_RULES: Final[dict[str, Drawn]] = {
    **_column("expect_column_values_to_match_like_pattern", lambda _: _all(like_pattern=_LIKE)),
    **_column("expect_column_values_to_not_match_like_pattern", lambda _: _all(like_pattern=_LIKE)),
    **_column(
        "expect_column_values_to_match_like_pattern_list",
        lambda _: _together(
            _all(like_pattern_list=st.lists(_LIKE, min_size=1, max_size=3)), _some(match_on=_ON)
        ),
    ),
    **_column(
        "expect_column_values_to_not_match_like_pattern_list",
        lambda _: _all(like_pattern_list=st.lists(_LIKE, min_size=1, max_size=3)),
    ),
    "expect_table_row_count_to_equal_other_table": st.just({"other_table_name": OTHER}),
}
"""Rules that GX has for SQL engines only."""

_OPERATORS: Final = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
_SQL: Final = st.sampled_from(
    [
        "first > 1",
        "name is not null",
        "name = 'it\\'s' or flag",
        "not flag",
        "real > 0.5D",
        "second in (1, 2, null)",
        "day >= date'2013-01-31'",
        "char_length(name) > 1 and first is null",
        "at < timestamp'2020-01-01 00:00:00'",
        "coalesce(other, name) like 'a%'",
    ]
)


def _comparison(name: str) -> Drawn:
    # GX writes a double as a decimal, which Sail casts the column to, and most of its values don't fit.
    values = VALUES["integer" if TYPES[name] == "double" else TYPES[name]]
    one = st.tuples(_OPERATORS, values)
    more = st.tuples(st.sampled_from(["IN", "NOT_IN"]), st.lists(values, min_size=1, max_size=3))
    found = one if name == "flag" else one | more  # GX takes no list of true and false
    return found.map(
        lambda pair: {
            "type": "comparison",
            "column": {"name": name},
            "operator": pair[0],
            "parameter": pair[1],
        }
    )


def _nullity(name: str) -> Drawn:
    return st.booleans().map(lambda null: {"type": "nullity", "column": {"name": name}, "is_null": null})


def conditions() -> Drawn:
    """A row condition, as Spark SQL or as GX's JSON, as the arguments of a rule."""
    part = st.sampled_from([*TYPES]).flatmap(lambda name: _comparison(name) | _nullity(name))
    whole = part | _all(
        type=st.sampled_from(["and", "or"]), conditions=st.lists(part, min_size=2, max_size=3)
    )
    return _all(row_condition=_SQL, condition_parser=st.just("spark")) | _all(row_condition=whole)


def suites(
    kinds: Mapping[str, Drawn], *, unconditional: AbstractSet[str]
) -> st.SearchStrategy[list[tuple[str, Kwargs]]]:
    """A rule of each type, half of them asked of the rows that one condition names."""
    return conditions().flatmap(
        lambda condition: st.tuples(*(_rule(*item, condition, unconditional) for item in kinds.items())).map(
            list
        )
    )


def _rule(
    name: str, made: Drawn, condition: Kwargs, unconditional: AbstractSet[str]
) -> st.SearchStrategy[tuple[str, Kwargs]]:
    kind = EXPECTATIONS[name]
    chosen = [{}, condition] if "row_condition" in kind.takes and name not in unconditional else [{}]
    mostly = [{}, {"mostly": 0.2}, {"mostly": 0.5}, {"mostly": 0.9}, {"mostly": 1}] if kind.row_rule else [{}]
    return _together(made, st.sampled_from(chosen), st.sampled_from(mostly)).map(
        lambda kwargs: (name, kwargs)
    )
