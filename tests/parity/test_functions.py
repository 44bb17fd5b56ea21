"""Each function and operator that SQL may use answers alike on Sail and on Spark,
on a table of edge values (promise P5).
"""

from __future__ import annotations

import contextlib
import math
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
from tests.support.catalog.sql_expressions import COLUMNS, OPERATORS, calls, expressions, table


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
    "count(*)", "count(n)", "count(distinct n)", "count(distinct s)", "count_if(n > 1)", "sum(i)",
    "sum(distinct i)", "avg(i)", "mean(i)",
    "sum(cast(n as decimal(38, 0)))", "cast(sum(cast(i as decimal(18, 2))) as double) / count(i)", "min(n)",
    "max(n)", "min(s)", "max(s)", "min(t)",
    "max(d)", "min(b)", "max(b)", "bool_and(n > 1)", "bool_or(n > 1)", "every(n > 1)", "some(n > 1)",
    "percentile(i, 0.5)", "percentile(i, 0.25)",
    "median(i)", "max(x)", "min(x)", "count(distinct x)", "count(distinct x - y)", "max(x - y)", "min(x / y)",
    "count(distinct n, s)",
    "sum(cast(x as decimal(38, 9)))", "cast(sum(cast(x as decimal(38, 9))) as double) / count(x)",
    "avg(n * m)", "sum(n * 0.25)",
    "sum(distinct n * m)", "max(n * m) + max(cast(n as int)) + max(n)", "count(*) filter (where n > 1)",
    "sum(i) filter (where i > 5)",
]  # fmt: skip
_ORDERED: Final = "over (partition by b order by n, _row)"
WINDOWS: Final = [
    f"row_number() {_ORDERED}", "row_number() over (order by s desc nulls last, _row)",
    "row_number() over (order by n nulls last, _row desc)",
    "rank() over (partition by b order by n)", "dense_rank() over (partition by b order by n desc)",
    f"ntile(4) {_ORDERED}", f"lag(n) {_ORDERED}",
    f"lag(n, 2) {_ORDERED}", f"lead(s, 1) {_ORDERED}", f"lead(s) ignore nulls {_ORDERED}",
    f"first_value(s) {_ORDERED}",
    f"first_value(s) ignore nulls {_ORDERED}", f"last_value(s) {_ORDERED}", f"nth_value(s, 2) {_ORDERED}",
    "sum(i) over (partition by b)",
    "sum(i) over (partition by b order by _row rows between 2 preceding and current row)",
    "avg(i) over (partition by b)",
    "count(n) over (partition by b)",
    "max(x - y) over (partition by b order by _row rows between 3 preceding and current row)",
    "lag(n, 1, 0.5) over (order by _row)", "sum(n * m) over (partition by b order by _row)",
    "rank() over (order by x / y, s, _row)", "min(s) over (partition by b order by _row)",
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


def test_operator_means_what_the_engine_means_by_it(sail_engine: Engine, path: Path) -> None:
    """But for products, which wrap there, and for what fails there."""
    made, different, same = expressions(), set(), 0
    for sql in OPERATORS:
        with contextlib.suppress(Exception):
            raw = answers(sail_engine, path, {sql: sql})[sql]
            different |= {sql} if raw != answers(sail_engine, path, {sql: made[sql]})[sql] else set()
            same += 1
    assert same > len(OPERATORS) * 3 // 4
    assert {sql for sql in different if "*" not in sql} == set()


def test_failure_that_only_data_can_decide_is_null(sail_engine: Engine, path: Path) -> None:
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
