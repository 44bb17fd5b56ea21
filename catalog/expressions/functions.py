"""The functions of SQL, with the same results on both engines (promise P5; tests/parity/test_functions.py).

Any other is refused by name. `LEFT_OFF` says why some functions that people want are not listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from catalog.documents.meanings import by_word

Given = Literal["boolean", "exact", "double", "string", "date", "timestamp", "same", "days"]


@dataclass(frozen=True)
class Function:
    """What a function takes of a row and gives.

    `takes` is a letter for each argument: s text, n number, e exact number, f double, b boolean, d date, t
    timestamp, m date or timestamp, x anything, k a whole number that is written out, c one of 0 or more, o
    one of 1 or more, p a pattern, w a word of `words`; ? before those that can be left out, * after the one
    that may come again.
    """

    takes: str
    gives: Given
    sql: str = ""
    """The engine's SQL, with {0}, {1} for the arguments; empty: a call by the function's name."""
    words: tuple[str, ...] = ()
    most: int = 2**31
    """Of an exact number: the greatest that it gives."""


_LENGTH: Final = Function("s", "exact", "length({0})")
_PLACE: Final = Function("ss", "exact", "instr({0}, {1})")
_PART: Final = Function("sk?c", "string")
_WITHIN: Final = "case when abs({{0}}) < 9007199254740992D then cast({}({{0}}) as double) else {{0}} end"
"""Beyond 2^53 every double is whole, and engines give the greatest bigint."""
_WEEKDAY: Final = "(dayofweek({0}) + 5) % 7"
"""Sail 0.7.2 says -1 of a Sunday."""
TRUNCATED: Final = {
    "year": "make_date(year({0}), 1, 1)",
    "quarter": "make_date(year({0}), (quarter({0}) - 1) * 3 + 1, 1)",
    "month": "make_date(year({0}), month({0}), 1)",
    "week": f"date_sub({{0}}, {_WEEKDAY})",
    "day": "{0}",
}
"""The first day of a date's year, quarter and so on; Sail 0.7.2 truncates no times beyond 1677 and 2262."""
_YEARS: Final = Function("m", "exact", most=9999)

ROW_FUNCTIONS: Final[dict[str, Function]] = {
    **dict.fromkeys(("length", "char_length", "character_length"), _LENGTH),
    **dict.fromkeys(("substring", "substr"), _PART),
    "left": Function("sc", "string"),
    "right": Function("sc", "string"),
    "trim": Function("s", "string"),
    "ltrim": Function("s", "string"),
    "rtrim": Function("s", "string"),
    "lower": Function("s", "string"),
    "upper": Function("s", "string"),
    "concat": Function("s*", "string"),
    "replace": Function("sss", "string"),
    "translate": Function("sss", "string"),
    "reverse": Function("s", "string"),
    "repeat": Function("sc", "string"),
    "lpad": Function("scs", "string"),
    "rpad": Function("scs", "string"),
    "split_part": Function("sso", "string"),
    "contains": Function("ss", "boolean"),
    "startswith": Function("ss", "boolean"),
    "endswith": Function("ss", "boolean"),
    "instr": _PLACE,
    "locate": Function("ss", "exact", "instr({1}, {0})"),
    "position": Function("ss", "exact", "instr({1}, {0})"),
    "ascii": Function("s", "exact"),
    "md5": Function("s", "string"),
    "sha2": Function("sw", "string", words=("224", "256", "384", "512")),
    "regexp_like": Function("sp", "boolean", "({0} rlike {1})"),
    "regexp_extract": Function("spc", "string"),
    "regexp_replace": Function("sps", "string"),
    "abs": Function("n", "same"),
    "ceil": Function("f", "double", _WITHIN.format("ceil")),
    "floor": Function("f", "double", _WITHIN.format("floor")),
    "round": Function("f?w", "same", words=tuple("0123456789")),
    "sqrt": Function("f", "double"),
    "isnan": Function("f", "boolean", "coalesce(isnan({0}), false)"),
    "greatest": Function("xx*", "same"),
    "least": Function("xx*", "same"),
    "coalesce": Function("xx*", "same"),
    "ifnull": Function("xx", "same", "coalesce({0}, {1})"),
    "nvl": Function("xx", "same", "coalesce({0}, {1})"),
    "nullif": Function("xx", "same"),
    "if": Function("bxx", "same", "case when {0} then {1} else {2} end"),
    "isnull": Function("x", "boolean", "({0} is null)"),
    "isnotnull": Function("x", "boolean", "({0} is not null)"),
    "year": _YEARS,
    "quarter": _YEARS,
    "month": _YEARS,
    "day": _YEARS,
    "dayofmonth": _YEARS,
    "dayofweek": _YEARS,
    "weekday": Function("m", "exact", _WEEKDAY),
    "dayofyear": _YEARS,
    "weekofyear": Function("m", "exact", "weekofyear(cast({0} as date))"),
    "hour": Function("t", "exact", most=24),
    "minute": Function("t", "exact", most=60),
    "second": Function("t", "exact", most=60),
    "date_add": Function("dk", "date"),
    "date_sub": Function("dk", "date"),
    "add_months": Function("dk", "date"),
    "last_day": Function("d", "date"),
    "trunc": Function("dw", "date", words=("year", "quarter", "month", "week")),  # its SQL is in `TRUNCATED`
    "date_trunc": Function("wt", "timestamp", words=("year", "quarter", "month", "week", "day")),
    "datediff": Function("mm", "exact", "datediff(cast({0} as date), cast({1} as date))"),
    "date_diff": Function("mm", "exact", "datediff(cast({0} as date), cast({1} as date))"),
    "to_date": Function("m", "date", "cast({0} as date)"),
    "unix_date": Function("d", "exact", "datediff({0}, date'1970-01-01')"),
    "unix_micros": Function("t", "exact", most=10**18),
}
"""Functions of one row, for conditions and the SQL of features."""

_OF_CONDITIONS: Final = ("bool_and", "bool_or", "every", "some")
AGGREGATES: Final = frozenset(
    {"count", "count_if", "sum", "avg", "mean", "min", "max", "percentile", "median", *_OF_CONDITIONS}
)
"""Functions of several rows, for the SQL of features alone."""
WINDOW_ARGUMENTS: Final = {
    **dict.fromkeys(("row_number", "rank", "dense_rank"), (0, 0)),
    **dict.fromkeys(("first_value", "last_value", "ntile"), (1, 1)),
    **dict.fromkeys(("lag", "lead"), (1, 3)),
    "nth_value": (2, 2),
}
"""The least and the greatest number of arguments of each window function."""
WINDOWED: Final = frozenset(WINDOW_ARGUMENTS)
"""Functions over a window, whose order has to be total for some (`catalog.queries.windows`)."""

_FLOATS: Final = "engines round it differently; compare with a margin, or compute it where the data is made"
_BEFORE_1970: Final = "engines round times before 1970 differently: use unix_micros(at)"
LEFT_OFF: Final[dict[str, str]] = by_word(
    {
        _BEFORE_1970: "unix_millis unix_seconds",
        _FLOATS: "exp ln log log2 log10 pow power sin cos tan cbrt",
    }
)
"""Functions that people want, and why they are not on the list."""
