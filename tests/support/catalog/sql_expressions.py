"""A table of edge values, and every function and operator that SQL may use, asked of its columns."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.contract import Column
from catalog.expressions.condition import value_of
from catalog.expressions.functions import ROW_FUNCTIONS

COLUMNS: Final = (
    Column("s", "string"),
    Column("u", "string"),
    Column("n", "integer"),
    Column("m", "integer"),
    Column("x", "double"),
    Column("y", "double"),
    Column("b", "boolean"),
    Column("d", "date"),
    Column("e", "date"),
    Column("t", "timestamp"),
    Column("v", "timestamp"),
)
TEXTS: Final = [
    None, "", "a", "A", "ab", "abcab", " a ", "\ta\n", "é", "e\u0301", "ß", "SS", "İ", "ı", "ﬁ", "Σσς", "ΑΣ",
    "中文", "😀x", "it's", "\\", "%", "_",
    "1", "-7", "+12", "12.5", "1e3", "NaN", "inf", "1d", "0x1F", "999999999999999999", "9223372036854775808",
    "true", "T", "yes",
    "2013-01-31", " 2013-02-28 ", "2013-02-30", "0000-01-01", "0001-01-01", "9999-12-31", "2013-1-1",
    "2013-01-31T05:00:00+01:00",
    "2013-01-31 05:00:00.000001", "a,b,,c", "\u00a0a\u3000", "a\u0000b"[0:1] + "c", ".5", "5.",
    "99999999999999999999999999999999",
]  # fmt: skip
WHOLE: Final = [
    None,
    0,
    1,
    -1,
    2,
    3,
    7,
    -7,
    13,
    100,
    999999999999999999,
    -999999999999999999,
    9007199254740993,
    2**31,
    -(2**31) - 1,
]
REAL: Final = [
    None, 0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 0.49999999999999994, 1.005, 1e15 + 0.5, 2.0**52 + 1,
    2.0**53, -(2.0**63), 2.0**63, 1e300,
    5e-324, math.nan, math.inf, -math.inf, 9.2e18, 1 / 3,
]  # fmt: skip
DAYS: Final = [
    None, date(1, 1, 1), date(1582, 10, 4), date(1582, 10, 15), date(1900, 2, 28), date(1969, 12, 31),
    date(1970, 1, 1), date(2012, 2, 29),
    date(2012, 12, 31), date(2013, 1, 31), date(2016, 1, 3), date(2020, 12, 31), date(2021, 1, 3),
    date(9999, 12, 31),
]  # fmt: skip
TIMES: Final = [
    None, datetime(1, 1, 1, tzinfo=UTC), datetime(1582, 10, 10, 3, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC), datetime(2012, 2, 29, 12, 30, 59, 1, tzinfo=UTC),
    datetime(2013, 1, 31, 5, tzinfo=UTC),
    datetime(2020, 12, 31, 23, 59, 59, 500000, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]  # fmt: skip
ROWS: Final = 150

OPERATORS: Final = [
    *(f"{left} {sign} {right}" for left, sign,
        right in itertools.product("nm", ("+", "-", "*"), ("n", "m", "13", "0.25"))),
    *(f"{left} {sign} {right}" for left, sign,
        right in itertools.product("xn", ("+", "-", "*", "/"), ("y", "x", "1.5D"))),
    "n / m", "n / 0", "x / 0", "n % m", "n div m", "n % 0", "n div 0", "n * 0.25 - m", "n * m + m", "- n",
    "- x", "n * 13",
    *(f"{left} {sign} {right}" for sign in ("=", "<>", "<", "<=", ">", ">=", "<=>") for left,
        right in ("su", "nm", "xy", "bb", "de", "tv", "nx", "dt")),
    "x = 0", "x = -0.0", "x < 0.1", "n > 0.5", "n * 0.5 > 1", "n * m * 0.5 > x", "s = 'a'",
    "d = '2013-01-31'", "t > '2013-01-31T05:00:00+01:00'",
    "t between '1970-01-01' and '2013-01-31'", "x between 0 and 1", "x in (0, 0.5)", "s in ('a', null)",
    "n in (1, 2)", "n not in (1, null)",
    "b and x > 0", "b or x > 0", "not b", "b is true", "b is not false", "s is null", "s like 'a%'",
    "s not like 'a%'", "s not rlike '^a'", "n not between 1 and 7", "s is not null", "b is not true",
    "s like '%_b'", "s rlike '^[a-zé]+$'",
    "s || u", "s || n", "concat(d, b)", "case when b then n else 0.5 end",
    "case n when 1 then 'one' when 2 then s end", "case when b then d else t end",
    "cast(s as bigint)", "cast(s as int)", "cast(s as double)", "cast(s as decimal(12, 2))",
    "cast(s as boolean)", "cast(s as date)",
    "cast(s as timestamp)", "cast(n as int)", "cast(n as double)", "cast(n as decimal(20, 2))",
    "cast(n as string)", "cast(n * 13 as string)",
    "cast(x as bigint)", "cast(x as int)", "cast(x as decimal(38, 9))", "cast(x as decimal(12, 0))",
    "cast(n * 0.25 as decimal(20, 1))",
    "cast(cast(x as decimal(20, 3)) as double)", "x - y > 0", "x / y = x - y", "- (x / y) > 0",
    "cast(b as double)", "cast(b as string)", "cast(b as int)", "cast(d as string)", "cast(t as date)",
    "cast(d as timestamp)",
    "cast('2013-01-31' as date)", "timestamp'2013-01-31 05:00:00'", "t + interval '1' hour",
    "t - interval '90' minute", "t + interval '2' week",
    "t - interval 1 day", "d + interval 1 day", "d - interval '3' day", "t + interval '1' second",
]  # fmt: skip
"""Beyond the functions: what a condition can be made of."""
ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "s": ("s", "u", "'a'"),
    "n": ("n", "x", "n * 13", "n * 0.25"),
    "f": ("x", "n"),
    "b": ("b", "n > 1"),
    "d": ("d", "e"),
    "t": ("t",),
    "m": ("d", "t"),
    "k": ("2", "1", "0", "-2", "100", "m", "length(u) - 3"),
    "c": ("2", "1", "0", "100", "length(u) - 3", "m"),
    "o": ("1", "2", "100"),
    "p": ("'^(a)(b)?'", "'([0-9])([0-9]*)'", "'(é)|(中)'"),
    "x": ("s", "n", "x", "b", "d", "t", "n * 0.5"),
}
OTHERS: Final = {"s": "u", "n": "m", "x": "y", "d": "e", "t": "v", "b": "n > 1", "n * 0.5": "n"}


def table(path: Path) -> Path:
    """Each column turns through its values at a pace of its own."""
    pools = {
        "string": TEXTS,
        "integer": WHOLE,
        "double": REAL,
        "boolean": [True, False, None],
        "date": DAYS,
        "timestamp": TIMES,
    }
    paces = {"u": 3, "m": 3, "y": 5, "e": 3, "v": 5}
    types = {
        "string": pa.string(),
        "integer": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
    }
    types["timestamp"] = pa.timestamp("us", tz="UTC")
    made = {"_row": pa.array(range(ROWS), pa.int64())}
    for column in COLUMNS:
        pool, pace = pools[column.type], paces.get(column.name, 1)
        made[column.name] = pa.array(
            [pool[(row * pace + row // len(pool)) % len(pool)] for row in range(ROWS)], types[column.type]
        )
    pq.write_table(pa.table(made), path)
    return path


def calls(name: str) -> list[str]:
    """Calls of a function with arguments of every kind that it takes."""
    function = ROW_FUNCTIONS[name]
    needed, _, more = function.takes.partition("?")
    arguments = (
        ARGUMENTS | {"p": ARGUMENTS["p"][:3], "c": ("2", "1", "0")} if name == "regexp_extract" else ARGUMENTS
    )
    letters = [
        [*needed.removesuffix("*")],
        [*(needed.removesuffix("*") + more)],
        [*needed.removesuffix("*"), *(needed[-2:-1] if needed.endswith("*") else "")],
    ]
    found = []
    for chosen in letters:
        choices = [
            [word if word.isdecimal() else f"'{word}'" for word in function.words]
            if letter == "w"
            else arguments[letter]
            for letter in chosen
        ]
        for turn in range(max(map(len, choices))):
            parts: list[str] = []
            for place, (letter, options) in enumerate(zip(chosen, choices, strict=True)):
                before = parts[-1] if parts else ""
                again = letter == "x" and place and before in OTHERS and chosen[place - 1] == "x"
                chosen_one = options[(turn + place * (letter == "s")) % len(options)]
                parts.append(
                    "'xy'"
                    if name == "regexp_replace" and place == len("sp")
                    else OTHERS[before]
                    if again
                    else chosen_one
                )
            found.append(f"{name}({', '.join(parts)})")
    return list(dict.fromkeys(found))


def expressions() -> dict[str, str]:
    """What is asked, by how it is written."""
    found = {}
    for sql in [*OPERATORS, *(call for name in ROW_FUNCTIONS for call in calls(name))]:
        found[sql] = value_of(sql, COLUMNS).sql
    return found
