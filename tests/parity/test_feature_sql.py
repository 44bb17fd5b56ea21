"""The SQL of features gives the right answer, the same on both engines: no number wraps,
and no data makes it fail (promise P5).
"""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from catalog.contract import Column, Contract
from catalog.queries.feature_query import TOO_GREAT, feature_query
from lake.engine.engine import Engine

BIG: Final = 999_999_999_999_999_999
NAN: Final = "NaN"
ROWS: Final = f"""
select * from values
  (1, {BIG},   3, 'a', '12',   0.1D,   -0.0D,          date'2013-01-31'),
  (2, {BIG},   0, 'a', '１２', 0.2D,   0.0D,           date'2013-02-28'),
  (3, -5,      2, 'b', '1e3',  2.5D,   double('NaN'),  null),
  (4, null,    7, 'b', 'tRuE', -1e19D, double('inf'),  date'2016-02-29'),
  (5, 4,    null, 'b', ' 12 ', null,   double('-inf'), date'9999-12-31')
as t(_row, n, m, g, s, x, z, d)
"""
TYPES: Final = {
    "n": "integer",
    "m": "integer",
    "g": "string",
    "s": "string",
    "x": "double",
    "z": "double",
    "d": "date",
}
INPUTS: Final = {"t": [Column(name, kind) for name, kind in TYPES.items()]}  # type: ignore[arg-type]
ROW: Final[dict[str, list[Any]]] = {
    # whole numbers: exact, or marked as too great for their column
    "n + 1 as integer": [TOO_GREAT, TOO_GREAT, -4, None, 5],
    "n * 13 as integer": [TOO_GREAT, TOO_GREAT, -65, None, 52],
    "n * n * 1.0 as double": [1e36, 1e36, 25.0, None, 16.0],
    "-n as integer": [-BIG, -BIG, 5, None, -4],
    "abs(n) - abs(n) as integer": [0, 0, 0, None, 0],
    "sum(n) over (order by _row) as integer": [BIG, TOO_GREAT, TOO_GREAT, TOO_GREAT, TOO_GREAT],
    "cast(n as int) as integer": [None, None, -5, None, 4],
    "cast(z as bigint) as integer": [0, 0, None, None, None],
    "cast(x * 1e10D as int) as integer": [1_000_000_000, 2_000_000_000, None, None, None],
    # what only data can decide
    "n div m as integer": [333333333333333333, None, -2, None, None],
    "n / m as double": [BIG / 3, None, -2.5, None, None],
    "n % m as integer": [0, None, -1, None, None],
    "x / (m - m) as double": [None] * 5,
    "cast(s as bigint) as integer": [12, None, None, None, 12],
    "cast(s as double) as double": [12.0, None, 1000.0, None, 12.0],
    "cast(s as boolean) as boolean": [None, None, None, True, None],
    "cast(s as date) as date": [None] * 5,
    # doubles
    "cast(x as decimal(38, 9)) as double": [0.1, 0.2, 2.5, -1e19, None],
    "cast(x * 5 as decimal(12, 0)) as integer": [1, 1, 13, None, None],
    "round(x, 0) as double": [0.0, 0.0, 3.0, -1e19, None],
    "z - z > 0 as boolean": [False, False, True, True, True],
    "z = 0 as boolean": [True, True, False, False, False],
    "rank() over (order by z) as integer": [2, 2, 5, 4, 1],
    "rank() over (order by z - z, _row) as integer": [1, 2, 3, 4, 5],
    "greatest(z - z, x) as double": [0.1, 0.2, NAN, NAN, NAN],
    "max(z) over (order by _row) as double": [0.0, 0.0, NAN, NAN, NAN],
    "min(case when _row > 2 then z - z end) over (order by _row) as double": [None, None, NAN, NAN, NAN],
    "count(*) filter (where m > 1) over (partition by g) as integer": [1, 1, 2, 2, 2],
    "sum(m) filter (where m > 2) over (order by _row) as integer": [3, 3, 3, 10, 10],
    "max(z) filter (where m > 2) over () as double": [math.inf] * 5,
    "median(m) filter (where m > 2) over () as double": [5.0] * 5,
    "lag(n) ignore nulls over (order by _drop, _row) as integer": [None, BIG, BIG, -5, -5],
    "nth_value(m, 2) ignore nulls over (order by _drop, _row) as integer": [None, 0, 0, 0, 0],
    "round(1.005, 2) as double": [1.01] * 5,
    "round(-m * 0.5) as integer": [-2, 0, -1, -4, None],
    "round(m * 0.00000015, 7) * 10000000 as double": [5.0, 0.0, 3.0, 11.0, None],
    "round(cast(n as decimal(38, 9)) + 0.999999999, 3) - n as double": [1.0, 1.0, 1.0, None, 1.0],
    "0.1 + 0.2 as double": [0.3] * 5,
    "m * 1.1 as double": [3.3, 0.0, 2.2, 7.7, None],
    "weekday(d) as integer": [3, 3, None, 0, 4],
    "m + 1 as k, k * 2 as integer": [8, 2, 6, 16, None],
}
"""What is asked of each row, `as` the type of its column, and the answers by row."""
WHOLE: Final[dict[str, list[tuple[Any, ...]]]] = {
    "select g as g, sum(n) as v, 1 as w from t group by g": [("a", TOO_GREAT, 1), ("b", -1, 1)],
    "select g, sum(n * n) - sum(n * n) as v, count(*) as w from t group by g": [("a", None, 2), ("b", 0, 3)],
    "select g, cast(avg(n) = 999999999999999999 as int) as v, count_if(m > 1) as w from t group by 1": [
        ("a", 1, 1),
        ("b", 0, 2),
    ],
    "select g, max(z) as v, min(z) as w from t group by g": [("a", 0.0, 0.0), ("b", NAN, -math.inf)],
    "select g, max(z) as v, min(-z) as w from t where _row = 5 group by g": [("b", -math.inf, math.inf)],
    "select g, min(z) as v, max(-z) as w from t where _row in (3, 4) group by g": [("b", math.inf, NAN)],
    "select g, coalesce(max(x / 0), 0.5D) as v, "
    "min(z) filter (where _row = 4) as w from t where _row > 3 group by g": [("b", 0.5, math.inf)],
    "select g, sum(case when g = '{0}' or s = '{x}' then 1 else n * 1000000000 end) as v, 0 as w from t "
    "where _row > 2 group by g": [("b", -1000000000, 0)],
    "select g, sum(m) over w as v, lead(m) over w as w from t "
    "where m > 1 window w as (partition by g order by _drop, _row)": [
        ("a", 3, None),
        ("b", 2, 7),
        ("b", 9, None),
    ],
    "select g, (select max(i.n) from t as i where i.g = o.g and exists (select 1 from t "
    "as j where j._row = i.m)) as v, (select count(*) from t as i where o._row = i.m "
    "and i.n > 0) as w from t as o where not exists (select 1 from t as i where i.d = o.d)": [("b", -5, 1)],
    "select g, count(distinct z) as v, count(distinct z - z) as w from t group by g": [
        ("a", 1, 1),
        ("b", 3, 1),
    ],
    "select g, sum(cast(x as decimal(38, 9))) as v, median(m) as w from t group by g": [
        ("a", 0.3, 1.5),
        ("b", None, 4.5),
    ],
    "select 'x' as g, count(*) as v, max(m) as w from t group by z": [
        ("x", 2, 3),
        ("x", 1, 2),
        ("x", 1, 7),
        ("x", 1, None),
    ],
    "select distinct 'x' as g, z - z as v, 0 as w from t": [("x", 0.0, 0), ("x", NAN, 0)],
    "select g, max(_row) as v, count(w) as w from (select g, _row, x / 0 as w from t) group by g, w": [
        ("a", 2, 0),
        ("b", 5, 0),
    ],
    "select g, v, sum(v) over () as w from (select g, n as v from t where m > 0 union all select 'u', 0.5 "
    "from t where _row = 1)": [
        ("a", float(BIG), 1e18),
        ("b", -5.0, 1e18),
        ("b", None, 1e18),
        ("u", 0.5, 1e18),
    ],
    "select g, z - z as v, 0 as w from t where _row in (1, 3) intersect select g, z - z, 0 from t": [
        ("a", 0.0, 0),
        ("b", NAN, 0),
    ],
    "select g, m as v, 0 as w from t except select g, m, 0 from t where _row < 3": [
        ("b", 2, 0),
        ("b", 7, 0),
        ("b", None, 0),
    ],
    "select g, m as v, 0 as w from t where m in (select m from t "
    "where _row > 3) and d in (select d from t)": [("b", 7, 0)],
    "select g, count(*) as v, sum(distinct m) as w from t "
    "where d in (select d from t where _row = 5) group by g": [("b", 1, None)],
    "with q as (select g as k, count(*) as c from t group by g) select t.g, q.c as v, (select max(i.n) from "
    "t as i where i.g = q.k) as w "
    "from t join q on t.g = q.k where t._row in (select max(_row) from t group by g)": [
        ("a", 2, BIG),
        ("b", 3, 4),
    ],
}
"""Queries of columns g, v, w, and their rows."""


def feature(columns: dict[str, str], sql: str) -> Contract:
    made = tuple(Column(name, kind) for name, kind in columns.items())  # type: ignore[arg-type]
    return Contract(
        "f",
        "feature",
        Path("f.odcs.yaml"),
        "",
        made,
        (),
        "replace",
        sql=sql,
        sql_path=Path("f.sql"),
        inputs=("t",),
    )


def plain(value: Any) -> Any:
    if isinstance(value, float):
        return NAN if math.isnan(value) else value + 0.0
    return float(value) if isinstance(value, Decimal) else value


def ask(engine: Engine, contract: Contract) -> list[tuple[Any, ...]]:
    found = engine.spark.sql(feature_query(contract, INPUTS).sql)
    return [tuple(map(plain, row)) for row in found.collect()]


def answers(engine: Engine) -> tuple[dict[str, list[Any]], dict[str, list[tuple[Any, ...]]]]:
    typed = [f"cast({name} as {_SQL[kind]}) as {name}" for name, kind in TYPES.items()]
    engine.spark.sql(ROWS).selectExpr(
        "cast(_row as bigint) as _row", *typed, "'d' as _drop"
    ).createOrReplaceTempView("t")
    asked = {f"c{number}": sql.rpartition(" as ") for number, sql in enumerate(ROW)}
    listed = ", ".join(f"{expression} as {name}" for name, (expression, _, _) in asked.items())
    rows = ask(
        engine,
        feature({name: kind for name, (_, _, kind) in asked.items()}, f"select {listed}, _drop, _row from t"),
    )
    by_row = {
        sql: [row[number] for row in sorted(rows, key=lambda row: row[-1])] for number, sql in enumerate(ROW)
    }
    whole = {}
    for sql, wanted in WHOLE.items():
        kinds = [
            "double" if any(isinstance(row[at], float) or row[at] == NAN for row in wanted) else "integer"
            for at in (1, 2)
        ]
        around = f"select g, v, w, 'd' as _drop, 0 as _row from ({sql})"
        contract = feature({"g": "string", "v": kinds[0], "w": kinds[1]}, around)
        whole[sql] = sorted((row[:3] for row in ask(engine, contract)), key=str)
    return by_row, whole


_SQL: Final = {"integer": "bigint", "string": "string", "double": "double", "date": "date"}


@pytest.mark.spark
@pytest.mark.parametrize("engine", ["sail_engine", "spark_engine"])
def test_sql_of_a_feature_gives_the_right_answer_on_both_engines(
    engine: str, request: pytest.FixtureRequest
) -> None:
    by_row, whole = answers(request.getfixturevalue(engine))
    assert {sql: found for sql, found in by_row.items() if found != ROW[sql]} == {}
    assert {sql: found for sql, found in whole.items() if found != sorted(WHOLE[sql], key=str)} == {}
