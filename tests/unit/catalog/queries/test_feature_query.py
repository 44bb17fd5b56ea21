"""What a query can ask so that its answer is one on both engines, whatever the data (promise P5)."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Final

import pytest

from catalog.contract import Column, Contract
from catalog.queries.feature_query import feature_query
from lakegate.errors import ContractError

TYPES: Final = {"n": "integer", "m": "integer", "g": "string", "x": "double", "d": "date"}
INPUTS: Final = {name: [Column(column, kind) for column, kind in TYPES.items()] for name in ("t", "u")}  # type: ignore[arg-type]

UNORDERED: Final = {
    # a group of NULL on each side
    "select row_number() over (order by l.g, r.g) as v from (select g, count(*) as k from t "
    "group by g) as l full join (select g, count(*) as k from u group by g) as r on l.g = r.g": "",
    # frames by rows
    "select sum(n) over (order by d rows between 1 preceding and current row) as v from t": "t._drop, t._row",
    "select count(*) over (order by d, _row rows unbounded preceding) as v from t": "t._drop",
    "select max(n) over (partition by g rows between 1 "
    "preceding and 1 following) as v from t": "t._drop, t._row",
    "select avg(n) over w as v from t window w "
    "as (order by d rows between unbounded preceding and current row)": "t._drop, t._row",
    # ranks
    "select lag(n) over (order by d) as v from t": "t._drop, t._row",
    "select lag(n) ignore nulls over (order by d) as v from t": "t._drop, t._row",
    "select nth_value(n, 2) ignore nulls over (order by d) as v from t": "t._drop, t._row",
    "select first_value(n) ignore nulls over w as v from t "
    "window w as (partition by g order by _row)": "t._drop",
    # behind joins and unions
    "select row_number() over (order by a._drop, a._row) as "
    "v from t as a join u as b on a.n = b.n": "b._drop, b._row",
    "select row_number() over (order by a._drop, a._row) as v "
    "from t as a left join u as b on a.g = b.g and a._row > 1": "b._drop, b._row",
    "select row_number() over (order by a._drop, a._row) as v from t as a join (select x, 1 as k from u "
    "group by x) b on a.x = b.x": "b.x",
    "select a.n as v from t as a cross join u as b order by a._drop, a._row limit 3": "b._drop, b._row",
    "select v from (select a._drop, a._row, b.n as v from t a "
    "join u b on a.g = b.g) order by _drop, _row limit 3": "its rows have no key",
    "with q as (select _drop, _row, n from t union all select _drop, _row, n from u) select n as v from q "
    "order by _drop, _row limit 3": "no key",
    "select n as v from t order by n limit 3": "t._drop, t._row",
    "select g, row_number() over (order by count(*)) as v from t group by g": "all that is grouped by",
}
"""By SQL: what the fix tells."""
ORDERED: Final = (
    "select sum(n) over (order by d, _drop, _row rows between 1 preceding and current row) as v from t",
    "select sum(n) over (partition by g) as v from t",
    "select sum(n) over (order by d range between unbounded preceding and current row) as v from t",
    "select max(n) over (order by d rows between unbounded preceding and unbounded following) as v from t",
    "select lag(n, 1) ignore nulls over (partition by _drop order by d, _row) as v from t",
    "select lead(n) over w as v from t window w as (partition by g order by d desc, _drop, _row)",
    (
        "select row_number() over (order by a._drop, a._row, "
        "b._drop, b._row) as v from t as a join u as b on a.n = b.n"
    ),
    "select row_number() over (order by a._drop, a._row) as v from t as a left semi join u as b on a.n = b.n",
    (
        "select row_number() over (order by a._drop, a._row) as v from t "
        "as a join (select g, max(n) as n from u group by g) b on a.g = b.g"
    ),
    (
        "select row_number() over (order by a._drop, a._row) "
        "as v from t as a cross join (select max(n) as n from u) b"
    ),
    "select max(n) as v from t group by g order by g limit 3",
    "select distinct n as v from t order by n limit 3",
    "select k as v from (select n as k from t union select m from u) order by k limit 3",
    "select v from (select n as v, _drop, _row from t where n > 1) order by _row, _drop limit 3",
)
UNPLANNED: Final = (
    "select max(i.n) from u as i where i._row < o._row",
    "select max(i.n) from u as i where i.g = o.g and i.m <> o.m",
    "select max(i.n) from u as i where i.g = o.g or i.m = 1",
    "select max(i.n) from u as i where i.x = o.x",
    "select max(i.n) from u as i where i.n = o.x",
    "select max(i.n) from u as i where i.n <=> o.n",
    "select max(i.n) from u as i where i.n + 1 = o.n",
    "select max(i.n) from u as i where not i.n = o.n",
    "select max(i.n) from u as i left join t as k on i.g = k.g and i.n = o.n",
    "select max(i.n + o.n) from u as i where i.g = o.g",
    "select max(i.n) + o.n from u as i where i.g = o.g",
    "select max(i.n) from u as i having max(i.n) = o.n",
    "select i.n from u as i where i.g = o.g order by i._drop, i._row limit 1",
    "select max(i.n) from u as i where exists (select 1 from u as j where j.n = o.n)",
    "select max(i.n + (select count(*) from u as j where j.n = i.m)) from u as i where i.g = o.g",
)
"""Subqueries that ask for columns of what stands around them, of which Sail has no plan."""
UNPLANNED_AROUND: Final = (
    "select n as v from t as o where n in (select i.n from u as i where i.g = o.g)",
    (
        "select n as v from t as o where exists (select 1 from u "
        "as i where i.g = o.g order by i._drop, i._row limit 1)"
    ),
    "select n as v from t as o where exists (select 1 from u as i where i.g = o.g union all select 1 from u)",
    "select n as v from t as o order by (select max(i.n) from u as i where i.g = o.g), _drop, _row limit 1",
    "select (select max(i.n) from u as i where i.g = o.g) as k, rank() over (order by k) as v from t as o",
)
PLANNED: Final = (
    "select max(i.n) from u as i where i.g = o.g and (i.d = o.d and i.m > 1)",
    "select count(*) from u as i join t as k on i.g = k.g where o._row = i.n",
    "select max(i.n) from u as i where i.g = o.g and exists (select 1 from u as j where j.n = i.m)",
    "select max(i.n) from u as i",
)
_ALIASES: Final = ", ".join(f"a{number} * a{number} as a{number + 1}" for number in range(17))
_DEEP: Final = f"{'round(' * 5}x{', 2)' * 5} as c"
LONG: Final = {
    "rounded": f"select {'round(' * 11}x{', 2)' * 11} as v from t",
    "aliases": f"select x as a0, {_ALIASES}, a17 as v from t",
    "casts": f"select {'cast(cast(' * 9}x{' as decimal(20, 6)) as double)' * 9} as v from t",
    "ceilings": f"select {'ceil(1.5D * ' * 14}x{')' * 14} as v from t",
    "wide": f"select {', '.join(_DEEP + str(number) for number in range(900))}, x as v from t",
}


DIFFERENT: Final = {
    "select n as v from t intersect all select n from u": ("intersect all", "group each side"),
    "select n as v from t except all select n from u": ("except all", "group each side"),
    "select n as v from t as o where exists (select count(*) from u as i where i.g = o.g)": (
        "always gives a row",
        "count(*)",
    ),
    "select n as v from t as o where not exists (select 1 from u as i where i.g = o.g having count(*) = 0)": (
        "always",
        "count(*)",
    ),
    "select n as v from t where not (n in (select n from u)) or m = 1": ("under NOT, OR", "not exists"),
    "select n as v from t where (n in (select n from u)) is null": ("as a value", "exists"),
    "select n as v from t where m = 1 and n not in (select n from u)": ("under NOT", "not exists"),
    "select n as v from t where g in (select d from u)": ("not compared", "cast one"),
    "select n as v from t where '2020-01-01' in (select d from u)": ("looks for", "cast one"),
    "select n as v from t where null in (select d from u)": ("looks for", "cast one"),
    "select median(distinct n) as v from t": ("median(distinct", "select distinct"),
    "select count_if(distinct n > 1) as v from t": ("count_if(distinct", "select distinct"),
    "select percentile(distinct n, 0.5) as v from t": ("percentile(distinct", "select distinct"),
}
"""What engines answer differently, or what would be asked as something else; what is told, and what to write.
"""
ALIKE: Final = (
    "select n as v from t intersect select n from u",
    "select n as v from t where m > 1 and (n in (select n from u) and g in (select g from u))",
    "select n as v from t as o where exists (select count(*) from u as i)",
    "select n as v from t as o where (select count(*) from u as i where i.g = o.g) > 0",
    "select sum(distinct n) + count(distinct m) as v from t",
)


def asked(sql: str, keys: dict[str, tuple[str, ...]] | None = None) -> str:
    contract = Contract(
        "f",
        "feature",
        Path("f.odcs.yaml"),
        "",
        (Column("v", "double"),),
        (),
        "replace",
        sql=sql,
        sql_path=Path("f.sql"),
        inputs=("t", "u"),
    )
    return feature_query(contract, INPUTS, keys=keys).sql


def whole(query: str) -> str:
    """A query of v, as the SQL of a feature."""
    return f"select v, 'd' as _drop, 0 as _row from (\n{query})"


@pytest.mark.parametrize("query", UNORDERED)
def test_query_that_ties_could_change_is_refused_with_what_lacks_in_its_order(query: str) -> None:
    with pytest.raises(ContractError, match="without a total order") as caught:
        asked(whole(query))
    assert (UNORDERED[query] in caught.value.fix, caught.value.where) == (True, "f.sql:2")


@pytest.mark.parametrize("query", ORDERED)
def test_order_that_names_each_row_passes(query: str) -> None:
    assert asked(whole(query))


@pytest.mark.parametrize(
    "query", [*(f"select ({inner}) as v from t as o" for inner in UNPLANNED), *UNPLANNED_AROUND]
)
def test_subquery_that_sail_has_no_plan_for_is_refused(query: str) -> None:
    with pytest.raises(ContractError, match="query") as caught:
        asked(whole(query))
    assert caught.value.where == "f.sql:2"
    assert caught.value.fix.startswith(("ask exists", "write exists", "compute it in a subquery", "join one"))


@pytest.mark.parametrize("query", DIFFERENT)
def test_query_that_engines_answer_differently_is_refused_with_another_way(query: str) -> None:
    what, fix = DIFFERENT[query]
    with pytest.raises(ContractError) as caught:
        asked(whole(query))
    assert (what in caught.value.what, fix in caught.value.fix, caught.value.where) == (
        True,
        True,
        "f.sql:2",
    ), caught.value


@pytest.mark.parametrize("query", ALIKE)
def test_query_like_it_that_is_answered_alike_passes(query: str) -> None:
    assert asked(whole(query))


def test_rows_of_a_feature_table_are_told_apart_by_its_key_not_by_their_drivers_row() -> None:
    ordered = "select row_number() over (order by {}) as v from t"
    with pytest.raises(ContractError, match="without a total order") as caught:
        asked(whole(ordered.format("_drop, _row")), {"t": ("g", "d")})
    assert "t.g, t.d" in caught.value.fix or "t.d, t.g" in caught.value.fix
    assert asked(whole(ordered.format("d, g")), {"t": ("g", "d")})
    assert asked(whole(ordered.format("_drop, _row")), {"u": ("g", "d")})


@pytest.mark.timeout(60)
def test_query_within_a_query_is_read_once_however_deep_it_lies() -> None:
    """It took eight times as long for each that lies in another: days for these."""
    inner = "(select max(n) from u)"
    for _ in range(12):
        inner = (
            f"(select max(k) from (select m + 1 as k, "
            f"{inner} + 1 + 1 + 1 + 1 + max(n) as z from t group by m + 1))"
        )
    assert asked(whole(f"select {inner} as v from t"))


@pytest.mark.parametrize("inner", PLANNED)
def test_subquery_that_is_tied_by_equalities_passes(inner: str) -> None:
    assert asked(whole(f"select ({inner}) as v from t as o"))


@pytest.mark.parametrize("query", LONG)
def test_sql_that_grows_by_a_power_of_its_depth_is_refused_before_it_has_grown(query: str) -> None:
    tracemalloc.start()
    with pytest.raises(ContractError, match="KiB of SQL") as caught:
        asked(whole(LONG[query]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (caught.value.where, "in a subquery" in caught.value.fix) == ("f.sql:2", True)
    assert peak < 2**25
