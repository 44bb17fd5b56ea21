"""What SQL may not hold, so that its answer is one (promise P5)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from catalog.files import load_catalog
from tests.support.places import ROOT

REFUSED = {
    "rand()": "rand()",
    "current_timestamp()": "current_timestamp()",
    "current_date": "current_date()",
    "uuid()": "uuid()",
    "monotonically_increasing_id()": "monotonically_increasing_id()",
    "first(tailnum)": "first()",
    "last_value(tailnum) over (order by time_hour)": "last_value()",
    "any_value(tailnum)": "any_value()",
    "collect_list(tailnum)": "collect_list()",
    "collect_set(tailnum)": "collect_set()",
    "mode(tailnum)": "mode()",
    "max_by(tailnum, distance)": "max_by()",
    "approx_count_distinct(tailnum)": "approx",
    "percentile_approx(distance, 0.5)": "percentile_approx()",
    "stddev(distance)": "stddev()",
    "corr(distance, air_time)": "corr()",
    "to_json(struct(distance))": "to_json()",
    "sum(distance / 3)": "sum() of floating",
    "max(startswith(tailnum))": "startswith() was given 1 arguments",
    "max(regexp_replace(tailnum, 'a'))": "regexp_replace() was given 2 arguments",
    "max(round())": "round() was given 0 arguments",
    "max(last_day(time_hour, 'x'))": "last_day() was given 2 arguments",
    "max(date_trunc())": "date_trunc() was given 0 arguments",
    "max(if(true))": "if() was given 1 arguments",
    "stddev()": "stddev() is no function",
    "sum()": "sum() was given 0 arguments",
    "lag() over (order by _drop, _row)": "lag() was given 0 arguments",
    "`java_method`('java.lang.System', 'getenv')": "java_method()",
    "max(uniform(1, 2))": "uniform()",
    "max(randstr(5))": "randstr()",
    "max(time_hour > timestamp'now')": "'now' is no timestamp",
    "max(cast('yesterday' as date))": "'yesterday' is no date",
    "explode(array(1, 2))": "explode()",
    "max(case when tailnum = 1 then 1 end)": "they are not compared, in tailnum = 1",
    "max(tailnum) + 1": "computes with numbers",
    "max(cast(time_hour as string))": "is not cast to string",
    "percentile(distance / 3, 0.5)": "takes whole numbers",
    "percentile(distance, 0.9)": "at another share",
    "max(distance) over ()": "may give several",
    "max(case when dest in (select origin from weather) then 1 end)": "as a value",
    "max(dest) having day > 1": "day is neither grouped by nor aggregated",
    "max(extract(year from time_hour))": "holds what it can't",
    "max(trim(both from tailnum))": "holds what it can't",
    "max(tailnum ilike 'n%')": "(ILike)",
    "max(cast(tailnum as binary))": "a cast to binary",
    "max(filter(array(1), a -> a > 0)[0])": "what it can't",
    "avg(distance * 1.5D)": "avg() of floating",
    "row_number() over (partition by origin order by time_hour)": "row_number() over",
    "lag(distance) over (order by time_hour, _row)": "lag() over",
    "count(distinct dest) over (partition by origin)": "DISTINCT over a window",
    "ntile(0) over (order by _drop, _row)": "no whole number of 1 or more",
    "nth_value(tailnum, 0) over (order by _drop, _row)": "no whole number of 1 or more",
    "tailnum rlike '\\\\w+'": "does not mean the same",
}
ALLOWED = (
    "count(distinct tailnum)",
    "sum(distance)",
    "avg(distance)",
    "cast(sum(cast(distance / 3 as decimal(38, 9))) as double) / count(distance)",
    "count(*) filter (where distance > 3)",
    "max(case when tailnum like 'N%' then upper(tailnum) end)",
    "max(datediff(time_hour, date'2013-01-01'))",
    "sum(case when dest = 'LAX' then 1 else 0 end)",
    "min(time_hour)",
    "percentile(distance, 0.5)",
    "row_number() over (partition by origin order by time_hour, _drop, _row)",
    "first_value(tailnum) over (order by time_hour desc, _drop, _row)",
    "tailnum rlike '^[A-Z0-9]+$'",
    "sum(distance) over (partition by origin)",
    "max(nvl(time_hour, timestamp'2013-01-01'))",
    "round(sum(distance) / count(*), 2)",
    "avg(cast(distance as decimal(38, 9)))",
    "cast(sum(distance * 0.5) as double)",
    "sum(distance + 0.1)",
    "sum(weekday(time_hour))",
    "last_value(tailnum) ignore nulls over (order by _drop, _row)",
)


def lake_with(tmp_path: Path, expression: str, *, tail: str = "") -> Path:
    """The project's contracts, with one more expression in the SQL of flight_features, on line 20."""
    shutil.copytree(
        ROOT / "catalog", tmp_path / "catalog", ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    path = tmp_path / "catalog" / "sql" / "flight_features.sql"
    asked = f"CASE WHEN ({expression}) IS NULL THEN 0 ELSE w.visib END AS visib,"
    path.write_text(path.read_text().replace("w.visib,", asked) + tail)
    return tmp_path


def on_flights(expression: str) -> str:
    asked, _, tail = expression.partition(" having ")
    return f"SELECT {asked} FROM flights{tail and f' HAVING {tail}'}"


@pytest.mark.parametrize("expression", REFUSED)
def test_sql_that_depends_on_order_time_chance_or_engine_is_refused_with_file_line_and_fix(
    tmp_path: Path, expression: str, caplog: pytest.LogCaptureFixture
) -> None:
    error = load_catalog(lake_with(tmp_path, on_flights(expression))).broken["flight_features"]
    assert REFUSED[expression] in error.what
    file, _, line = error.where.rpartition(":")
    assert Path(file) == tmp_path / "catalog/sql/flight_features.sql"
    assert "FROM flights" in Path(file).read_text().splitlines()[int(line) - 1]
    assert error.fix
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("f.day,", "cast(f.day AS string) AS day,", "the SQL gives day as string, the contract says integer"),
        ("w.temp,", "f.origin AS temp,", "the SQL gives temp as string, the contract says double"),
        ("f.dest,", "f.distance AS dest,", "the SQL gives dest as bigint, the contract says string"),
        ("w.temp,", "f.distance = 1 AS temp,", "the SQL gives temp as boolean, the contract says double"),
        (
            "f.day,",
            "f.distance * 0.5 AS day,",
            "the SQL gives day as decimal(19, 1), the contract says integer",
        ),
        ("f.day,", "f.distance / 2 AS day,", "the SQL gives day as double, the contract says integer"),
        ("f.dest,", "f.time_hour AS dest,", "the SQL gives dest as timestamp, the contract says string"),
        (
            "w.temp,",
            (
                "(select max(v) from (select (select max(humid) from weather as q "
                "where q.origin = g.dest) as v from flights as g group by dest)) AS temp,"
            ),
            "a subquery asks for keys of groups",
        ),
        ("ON f.origin = w.origin", "ON f.origin = w.humid", "f.origin = w.humid"),
        ("ON f.origin = w.origin", "ON exists (select 1 from weather)", "a subquery in the ON of a join"),
        ("f.day,", "f.distance * f.distance * f.distance AS day,", "may need 55 digits"),
        ("f.day,", "f.day + interval 1 day AS day,", "an interval is added to a time"),
    ],
)
def test_types_that_do_not_fit_are_told_with_their_line_when_the_contract_is_read(
    tmp_path: Path, old: str, new: str, what: str
) -> None:
    path = lake_with(tmp_path, "1") / "catalog/sql/flight_features.sql"
    path.write_text(path.read_text().replace(old, new))
    error = load_catalog(tmp_path).broken["flight_features"]
    assert what in error.what
    line = path.read_text().splitlines()[int(error.where.rpartition(":")[2]) - 1]
    assert new.split(" AS ", maxsplit=1)[0].rpartition(" ")[2] in line
    assert error.fix


@pytest.mark.parametrize(
    "mistakes", [("tailnum + 1 AS day", "dest = 1 AS dest"), ("tailnum AS day", "day AS dest")]
)
def test_types_that_do_not_fit_are_told_at_once(tmp_path: Path, mistakes: tuple[str, str]) -> None:
    path = lake_with(tmp_path, "1") / "catalog/sql/flight_features.sql"
    text = path.read_text()
    for item in mistakes:
        text = text.replace(f"f.{item.rpartition(' ')[2]},", f"f.{item},")
    path.write_text(text)
    error = load_catalog(tmp_path).broken["flight_features"]
    lines = {int(item.where.rpartition(":")[2]) for item in (error, *error.others)}
    assert lines == {
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if any(item in line for item in mistakes)
    }


@pytest.mark.parametrize("expression", ALLOWED)
def test_sql_with_one_answer_passes(tmp_path: Path, expression: str) -> None:
    assert (
        "flight_features"
        in load_catalog(
            lake_with(tmp_path, f"SELECT max(v) FROM (SELECT {expression} AS v FROM flights)")
        ).contracts
    )


def test_user_script_is_no_sql(tmp_path: Path) -> None:
    error = load_catalog(
        lake_with(tmp_path, "SELECT TRANSFORM(tailnum) USING 'cat' AS (x) FROM flights")
    ).broken["flight_features"]
    assert "can't" in error.what or "not valid" in error.what


def test_misspelt_function_is_told_the_one_that_was_meant(tmp_path: Path) -> None:
    error = load_catalog(lake_with(tmp_path, on_flights("max(lenght(tailnum))"))).broken["flight_features"]
    assert (error.what, "'length'" in error.fix) == (
        "the SQL holds what it can't: lenght() is no function that SQL can use here",
        True,
    )


def test_broken_sql_takes_down_its_own_table_alone(tmp_path: Path) -> None:
    catalog = load_catalog(lake_with(tmp_path, on_flights("rand()")))
    assert set(catalog.broken) == {"flight_features"}
    assert {"flights", "weather"} <= catalog.contracts.keys()


def test_mistakes_of_a_sql_are_told_at_once_each_with_its_line(tmp_path: Path) -> None:
    lake = lake_with(
        tmp_path,
        on_flights("\nmax(lenght(tailnum)) + rand()\n+ max(distnace) + min(monht)"),
        tail="\nLIMIT 3",
    )
    error = load_catalog(lake).broken["flight_features"]
    told = [error, *error.others]
    path = lake / "catalog" / "sql" / "flight_features.sql"
    lines = path.read_text().splitlines()
    found = {
        (
            lines[int(item.where.rpartition(":")[2]) - 1].partition("(")[0].strip(),
            item.what.partition(": ")[2] or item.what,
        )
        for item in told
    }
    assert found == {
        ("max", "rand()"),
        ("max", "lenght() is no function that SQL can use here"),
        ("+ max", "the SQL names distnace, which its inputs lack"),
        ("+ max", "the SQL names monht, which its inputs lack"),
        ("LIMIT 3", "LIMIT without a total order"),
    }
    assert {"did you mean 'distance'?", "did you mean 'month'?"} <= {item.fix for item in told}
    path.write_text(
        path.read_text()
        .replace("w.visib", "1")
        .replace("FROM flights", "FROM flihgts")
        .replace("AS visib,", "AS visbi, 1 AS more,")
    )
    error = load_catalog(lake).broken["flight_features"]
    assert sorted(item.what.partition(",")[0] for item in (error, *error.others)) == [
        "the SQL gives more",
        "the SQL gives visbi",
        "the SQL reads 'flihgts'",
    ]
