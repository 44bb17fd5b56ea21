"""Each function and operator that SQL may use answers alike on Sail and on Spark, on a table of edge values (promise P5)."""

from __future__ import annotations

import contextlib
import itertools
import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalog.contract import Column
from catalog.expressions.condition import value_of
from catalog.expressions.functions import AGGREGATES, ROW_FUNCTIONS, WINDOWED
from catalog.expressions.parse import written as trees
from catalog.expressions.values import Refused, of_column
from catalog.queries.query import relation
from catalog.queries.relation import Relation
from catalog.queries.scope import Rows
from lake.engine.engine import Engine

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
    None, "", "a", "A", "ab", "abcab", " a ", "\ta\n", "é", "e\u0301", "ß", "SS", "İ", "ı", "ﬁ", "Σσς", "ΑΣ", "中文", "😀x", "it's", "\\", "%", "_",
    "1", "-7", "+12", "12.5", "1e3", "NaN", "inf", "1d", "0x1F", "999999999999999999", "9223372036854775808", "true", "T", "yes",
    "2013-01-31", " 2013-02-28 ", "2013-02-30", "0000-01-01", "0001-01-01", "9999-12-31", "2013-1-1", "2013-01-31T05:00:00+01:00",
    "2013-01-31 05:00:00.000001", "a,b,,c", "\u00a0a\u3000", "a\u0000b"[0:1] + "c", ".5", "5.", "99999999999999999999999999999999",
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
    None, 0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 0.49999999999999994, 1.005, 1e15 + 0.5, 2.0**52 + 1, 2.0**53, -(2.0**63), 2.0**63, 1e300,
    5e-324, math.nan, math.inf, -math.inf, 9.2e18, 1 / 3,
]  # fmt: skip
DAYS: Final = [
    None, date(1, 1, 1), date(1582, 10, 4), date(1582, 10, 15), date(1900, 2, 28), date(1969, 12, 31), date(1970, 1, 1), date(2012, 2, 29),
    date(2012, 12, 31), date(2013, 1, 31), date(2016, 1, 3), date(2020, 12, 31), date(2021, 1, 3), date(9999, 12, 31),
]  # fmt: skip
TIMES: Final = [
    None, datetime(1, 1, 1, tzinfo=UTC), datetime(1582, 10, 10, 3, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC), datetime(2012, 2, 29, 12, 30, 59, 1, tzinfo=UTC), datetime(2013, 1, 31, 5, tzinfo=UTC),
    datetime(2020, 12, 31, 23, 59, 59, 500000, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]  # fmt: skip
ROWS: Final = 150

OPERATORS: Final = [
    *(f"{left} {sign} {right}" for left, sign, right in itertools.product("nm", ("+", "-", "*"), ("n", "m", "13", "0.25"))),
    *(f"{left} {sign} {right}" for left, sign, right in itertools.product("xn", ("+", "-", "*", "/"), ("y", "x", "1.5D"))),
    "n / m", "n / 0", "x / 0", "n % m", "n div m", "n % 0", "n div 0", "n * 0.25 - m", "n * m + m", "- n", "- x", "n * 13",
    *(f"{left} {sign} {right}" for sign in ("=", "<>", "<", "<=", ">", ">=", "<=>") for left, right in ("su", "nm", "xy", "bb", "de", "tv", "nx", "dt")),
    "x = 0", "x = -0.0", "x < 0.1", "n > 0.5", "n * 0.5 > 1", "n * m * 0.5 > x", "s = 'a'", "d = '2013-01-31'", "t > '2013-01-31T05:00:00+01:00'",
    "t between '1970-01-01' and '2013-01-31'", "x between 0 and 1", "x in (0, 0.5)", "s in ('a', null)", "n in (1, 2)", "n not in (1, null)",
    "b and x > 0", "b or x > 0", "not b", "b is true", "b is not false", "s is null", "s like 'a%'", "s not like 'a%'", "s not rlike '^a'", "n not between 1 and 7", "s is not null", "b is not true",
    "s like '%_b'", "s rlike '^[a-zé]+$'",
    "s || u", "s || n", "concat(d, b)", "case when b then n else 0.5 end", "case n when 1 then 'one' when 2 then s end", "case when b then d else t end",
    "cast(s as bigint)", "cast(s as int)", "cast(s as double)", "cast(s as decimal(12, 2))", "cast(s as boolean)", "cast(s as date)",
    "cast(s as timestamp)", "cast(n as int)", "cast(n as double)", "cast(n as decimal(20, 2))", "cast(n as string)", "cast(n * 13 as string)",
    "cast(x as bigint)", "cast(x as int)", "cast(x as decimal(38, 9))", "cast(x as decimal(12, 0))", "cast(n * 0.25 as decimal(20, 1))",
    "cast(cast(x as decimal(20, 3)) as double)", "x - y > 0", "x / y = x - y", "- (x / y) > 0", "cast(b as double)", "cast(b as string)", "cast(b as int)", "cast(d as string)", "cast(t as date)", "cast(d as timestamp)",
    "cast('2013-01-31' as date)", "timestamp'2013-01-31 05:00:00'", "t + interval '1' hour", "t - interval '90' minute", "t + interval '2' week",
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


def plain(value: Any) -> Any:
    """A value as one that equals itself: NaN is a word, -0.0 is 0.0."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value + 0.0
    return value


def counted(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times as whole numbers: Python's end with the year 9999."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    return column.cast(pa.int32()) if pa.types.is_date32(column.type) else column


def answers(engine: Engine, path: Path, asked: dict[str, str]) -> dict[str, list[Any]]:
    frame, found = engine.spark.read.parquet(path.as_uri()), {}
    names = list(asked)
    for start in range(0, len(names), 60):
        part = names[start : start + 60]
        rows = (
            frame.selectExpr("_row", *(f"{asked[name]} as c{number}" for number, name in enumerate(part)))
            .toArrow()
            .sort_by("_row")
        )
        for number, name in enumerate(part):
            found[name] = [plain(value) for value in counted(rows.column(f"c{number}")).to_pylist()]
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return table(tmp_path_factory.mktemp("functions") / "rows.parquet")


GROUPED: Final = [
    "count(*)", "count(n)", "count(distinct n)", "count(distinct s)", "count_if(n > 1)", "sum(i)", "sum(distinct i)", "avg(i)", "mean(i)",
    "sum(cast(n as decimal(38, 0)))", "cast(sum(cast(i as decimal(18, 2))) as double) / count(i)", "min(n)", "max(n)", "min(s)", "max(s)", "min(t)",
    "max(d)", "min(b)", "max(b)", "bool_and(n > 1)", "bool_or(n > 1)", "every(n > 1)", "some(n > 1)", "percentile(i, 0.5)", "percentile(i, 0.25)",
    "median(i)", "max(x)", "min(x)", "count(distinct x)", "count(distinct x - y)", "max(x - y)", "min(x / y)", "count(distinct n, s)",
    "sum(cast(x as decimal(38, 9)))", "cast(sum(cast(x as decimal(38, 9))) as double) / count(x)", "avg(n * m)", "sum(n * 0.25)",
    "sum(distinct n * m)", "max(n * m) + max(cast(n as int)) + max(n)", "count(*) filter (where n > 1)", "sum(i) filter (where i > 5)",
]  # fmt: skip
_ORDERED: Final = "over (partition by b order by n, _row)"
WINDOWS: Final = [
    f"row_number() {_ORDERED}", "row_number() over (order by s desc nulls last, _row)", "row_number() over (order by n nulls last, _row desc)",
    "rank() over (partition by b order by n)", "dense_rank() over (partition by b order by n desc)", f"ntile(4) {_ORDERED}", f"lag(n) {_ORDERED}",
    f"lag(n, 2) {_ORDERED}", f"lead(s, 1) {_ORDERED}", f"lead(s) ignore nulls {_ORDERED}", f"first_value(s) {_ORDERED}",
    f"first_value(s) ignore nulls {_ORDERED}", f"last_value(s) {_ORDERED}", f"nth_value(s, 2) {_ORDERED}", "sum(i) over (partition by b)",
    "sum(i) over (partition by b order by _row rows between 2 preceding and current row)", "avg(i) over (partition by b)",
    "count(n) over (partition by b)", "max(x - y) over (partition by b order by _row rows between 3 preceding and current row)",
    "lag(n, 1, 0.5) over (order by _row)", "sum(n * m) over (partition by b order by _row)", "rank() over (order by x / y, s, _row)", "min(s) over (partition by b order by _row)",
]  # fmt: skip
"""What the SQL of a feature may ask of several rows."""


_COLUMNS: Final = tuple(
    (item.name, of_column(item)) for item in (*COLUMNS, Column("i", "integer"), Column("_row", "integer"))
)
TABLES: Final = {"t": Relation("", _COLUMNS, key=frozenset({"_row"}))}


def of_features(engine: Engine, path: Path) -> dict[str, list[Any]]:
    """What features may ask, as it is asked for them."""
    rows = engine.spark.read.parquet(path.as_uri()).selectExpr(
        "*", "cast(case when abs(n) < 1000 then n end as bigint) as i"
    )
    rows.createOrReplaceTempView("t")
    calls_of = [call for name in ROW_FUNCTIONS for call in calls(name) if "* 13" not in call]
    found = {}
    for key, asked, tail in (
        ("b", GROUPED, " group by b"),
        ("_row", WINDOWS, ""),
        ("_row", sorted(calls_of), ""),
    ):
        for start in range(0, len(asked), 60):
            part = asked[start : start + 60]
            columns = ", ".join(f"{sql} as c{number}" for number, sql in enumerate(part))
            query = relation(trees(f"select {key}, {columns} from t{tail}")[0], Rows([], relation), TABLES)
            answer = engine.spark.sql(query.sql).toArrow().sort_by(key)
            found |= {
                sql: [plain(value) for value in counted(answer.column(f"c{number}")).to_pylist()]
                for number, sql in enumerate(part)
            }
    return found


_NUMBERS: Final = st.sampled_from(["n", "m", "0", "1", "13", "999999999999999999", "cast(n as int)"])


def _more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(inner, st.sampled_from("+-*"), inner).map(
        lambda found: f"({' '.join(found)})"
    ) | inner.map(lambda found: f"(- {found})")


def _int(value: int | None) -> int | None:
    return value if value is not None and -(2**31) <= value < 2**31 else None


@given(st.lists(st.recursive(_NUMBERS, _more, max_leaves=4), min_size=40, max_size=40, unique=True))
@settings(
    max_examples=3,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
def test_whole_numbers_are_computed_as_python_does(
    sail_engine: Engine, path: Path, written: list[str]
) -> None:
    asked = {}
    for sql in written:
        with contextlib.suppress(Refused):
            asked[sql] = value_of(sql, COLUMNS).sql
    rows = pq.read_table(path).to_pylist()
    assert len(asked) > len(written) // 2
    for sql, found in answers(sail_engine, path, asked).items():
        code = compile(sql.replace("cast(n as int)", "i"), "sql", "eval")
        for row, value in zip(rows, found, strict=True):
            names = {"n": row["n"], "m": row["m"], "i": _int(row["n"])}
            wanted = None if any(names[name] is None for name in code.co_names) else eval(code, {}, names)
            assert value == wanted, (sql, row)


def test_an_operator_means_what_the_engine_means_by_it(sail_engine: Engine, path: Path) -> None:
    """But for products, which wrap there, and for what fails there."""
    made, different, same = expressions(), set(), 0
    for sql in OPERATORS:
        with contextlib.suppress(Exception):
            raw = answers(sail_engine, path, {sql: sql})[sql]
            different |= {sql} if raw != answers(sail_engine, path, {sql: made[sql]})[sql] else set()
            same += 1
    assert same > len(OPERATORS) * 3 // 4
    assert {sql for sql in different if "*" not in sql} == set()


def test_what_only_data_can_decide_is_null(sail_engine: Engine, path: Path) -> None:
    made = {
        sql: value_of(sql, COLUMNS).sql
        for sql in ("n / 0", "n % 0", "n div 0", "x / (n - n)", "cast('a' as bigint)", "cast('9.0' as int)")
    }
    assert {value for values in answers(sail_engine, path, made).values() for value in values} == {None}
    made = {
        sql: value_of(sql, COLUMNS).sql
        for sql in (
            "999999999999999999 * 13",
            "7 div 2",
            "-7 % 3",
            "cast(' +12 ' as bigint)",
            "cast(2.5D as int)",
        )
    }
    assert [int(values[0]) for values in answers(sail_engine, path, made).values()] == [
        12999999999999999987,
        3,
        -1,
        12,
        2,
    ]


@pytest.mark.spark
def test_each_function_and_operator_answers_alike_on_both_engines(
    sail_engine: Engine, spark_engine: Engine, path: Path
) -> None:
    asked = expressions()
    sail, spark = (answers(engine, path, asked) for engine in (sail_engine, spark_engine))
    assert {name for name in asked if sail[name] != spark[name]} == set()
    sail, spark = (of_features(engine, path) for engine in (sail_engine, spark_engine))
    assert {name for name, values in sail.items() if values != spark[name]} == set()
    assert all(f"{name}(" in " ".join(sail) for name in ROW_FUNCTIONS.keys() | AGGREGATES | WINDOWED)
    assert all(f"{name}(" in " ".join(asked) for name in ROW_FUNCTIONS)
