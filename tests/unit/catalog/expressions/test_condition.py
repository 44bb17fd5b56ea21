"""Row conditions are read strictly, and asked as SQL that no data can make fail (promise P5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.contract import Column
from catalog.expressions.condition import checked_sql, sql_of, value_of
from catalog.expressions.functions import AGGREGATES, LEFT_OFF, ROW_FUNCTIONS, WINDOWED
from catalog.expressions.lint import condition_findings
from catalog.expressions.spark_sql import text
from catalog.expressions.values import Refused

COLUMNS = {
    item.name: item
    for item in (
        Column("n", "integer"),
        Column("m", "integer"),
        Column("x", "double"),
        Column("y", "string"),
        Column("b", "boolean"),
        Column("d", "date"),
        Column("t", "timestamp"),
    )
}


def refused(sql: str) -> tuple[str, str]:
    ((what, fix),) = condition_findings(sql, COLUMNS)
    return what, fix


@pytest.mark.parametrize(
    ("sql", "what", "fix"),
    [
        ("y = 9", "y is text and 9 is a number", "write '9', or cast(y as bigint)"),
        ("n = '9'", "n is a number and '9' is text", "without quotes"),
        ("y > n", "y is text and n is a number", "cast(y as bigint)"),
        ("y in (1, 2)", "y is text and 1 is a number", "write '1'"),
        ("n between 1 and '9'", "n is a number and '9' is text", "without quotes"),
        ("case y when 1 then true end", "y is text and 1 is a number", "write '1'"),
        ("b = 1", "b is a boolean and 1 is a number", "one type"),
        ("y + 1 > 2", "+ computes with numbers, and y is text", "cast"),
        ("t - d > 1", "no arithmetic of times", "datediff"),
        ("t > timestamp'now'", "'now' is no timestamp", "2013-01-31T05:00:00Z"),
        ("d = 'yesterday'", "'yesterday' is no date", "2013-01-31"),
        ("d = '2013-02-30'", "'2013-02-30' is no date", "2013-01-31"),
        ("n", "neither true nor false", "compare"),
        ("n and b", "something that is true or false", "compare"),
        ("coalesce(n, y) = 1", "one of them is chosen", "cast(y as bigint)"),
        ("length(n) > 1", "argument 1 of length() is text, and n is a number", "cast"),
        ("cast(x as string) = '1.0'", "not cast to string", "differently"),
        ("cast(y as decimal(10, 8)) = 1", "not cast to decimal(10, 8)", "6 digits"),
        ("n * m * n > 0", "may need 55 digits", "cast(a as int)"),
        ("x = 1e400", "more than a double holds", "isnan"),
        ("date_add(d, 2147483647) > d", "2147483647 is more than", "3660000 at most"),
        (
            "split_part(y, 'a', n) = 'a'",
            "argument 3 of split_part() is no number of 1 or more that is written out",
            "whole number",
        ),
        (
            "split_part(y, ',', 0) = 'a'",
            "argument 3 of split_part() is no number of 1 or more",
            "whole number",
        ),
        ("regexp_extract(y, '([0-9])', 2) = '1'", "has no group 2", "brackets"),
        ("sha2(y, 255) = 'a'", "none of its words", "224, 256, 384, 512"),
    ],
)
def test_condition_that_means_nothing_is_told_when_the_contract_is_read(
    sql: str, what: str, fix: str
) -> None:
    told = refused(sql)
    assert what in told[0]
    assert fix in told[1]


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("`java_method`('java.lang.System', 'exit') = 'x'", "java_method() is no function"),
        ("uniform(1, 2) = 1", "uniform() is no function"),
        ("randstr(5) = y", "randstr() is no function"),
        ("reflect('a', 'b') = 'x'", "reflect() is no function"),
        ("rand() > n", "rand() is no function"),
        ("current_date() > d", "current_date() is no function"),
        ("current_date > d", "no column 'current_date'"),
        ("uuid() = y", "uuid() is no function"),
        ("`RAND`() > x", "rand() is no function"),
        ("transform(y, a -> a) = y", "nothing that a condition can hold"),
        ("y = :secret", "nothing that a condition can hold"),
        ("y similar to 'a'", "nothing that a condition can hold"),
        ("y ilike 'a'", "nothing that a condition can hold"),
        ("{fn rand()} > x", "rand() is no function"),
        ("exists(select 1)", "more than one row"),
        ("n in (select 1)", "more than one row"),
        ("sum(n) over () > 1", "more than one row"),
        ("count(n) > 1", "more than one row"),
        ("n > 1; drop table t", "not one expression"),
        ("x[0] = 1", "nothing that a condition can hold"),
        ("exp(x) > 1", "exp() is no function"),
    ],
)
def test_function_that_is_not_on_the_list_is_refused_by_name(sql: str, what: str) -> None:
    told, fix = refused(sql)
    assert what in told
    assert fix


def test_misspelt_function_is_told_the_one_that_was_meant() -> None:
    assert refused("lenght(y) = 1") == (
        "lenght() is no function that SQL can use here",
        "did you mean 'length'? docs/sql.md lists those that can be used",
    )
    assert "margin" in refused("ln(x) > 1")[1]


@pytest.mark.parametrize(
    ("sql", "made"),
    [
        ("n * 13 > 5", "((cast(`n` as decimal(19, 0)) * cast(13 as decimal(2, 0))) > 5)"),
        (
            "x / n > 1",
            "((nanvl(((`x` + 0.0D) / nullif(cast(`n` as double), 0.0D)), double('NaN')) + 0.0D) > 1.0D)",
        ),
        ("d >= '2013-01-31'", "(`d` >= date'2013-01-31')"),
        ("t >= '2013-01-31T05:00'", "(`t` >= timestamp'2013-01-31 05:00:00Z')"),
        ("not b or y is null", "((not `b`) or (`y` is null))"),
        ("y like 'a%' and y rlike '^a$'", "((`y` like 'a%') and (`y` rlike '^a\\\\z'))"),
        ("y = 'it''s'", "(`y` = 'its')"),  # as Spark SQL reads it
        ("n > 1) or (n < 1", "((`n` > 1) or (`n` < 1))"),  # stays within the brackets that stand around it
        ("y not like 'a%'", "(`y` not like 'a%')"),
        ("n not in (1)", "(not ((`n` = 1)))"),
        ("n = 1 and b is true", "((`n` = 1) and (`b` <=> true))"),
    ],
)
def test_condition_is_written_anew(sql: str, made: str) -> None:
    assert checked_sql(sql, tuple(COLUMNS.values())) == made


def test_gxs_json_is_read_as_strictly() -> None:
    assert sql_of({"type": "nullity", "column": {"name": "n"}, "is_null": True}, COLUMNS) == "(`n` is null)"
    condition = {"type": "pass_through", "pass_through_filter": "uniform(1, 2) = 1"}
    with pytest.raises(ValueError, match="uniform"):
        sql_of(condition, COLUMNS)


@given(st.text(max_size=20))
def test_text_in_a_condition_stays_text(said: str) -> None:
    if "\0" not in said:
        found = value_of(text(said), tuple(COLUMNS.values()))
        assert (found.kind, found.constant) == ("string", said)


@given(st.text(alphabet="nxyb1'()+-*/=<>, \\`;[]{}:.!%|&^~@#$?\"_", max_size=30))
def test_whatever_is_written_is_a_condition_or_refused(said: str) -> None:
    told = ("a condition",)
    try:
        checked_sql(said, tuple(COLUMNS.values()))
    except Refused as refusal:
        told = (refusal.what, refusal.fix)
    assert all(told)


def test_lists_of_functions_are_apart() -> None:
    assert not ROW_FUNCTIONS.keys() & (AGGREGATES | WINDOWED)
    assert not LEFT_OFF.keys() & (ROW_FUNCTIONS.keys() | AGGREGATES | WINDOWED)


def test_text_on_which_the_parser_itself_fails_is_refused_as_no_sql() -> None:
    """sqlglot raises an AttributeError for it, and no error of a parser."""
    assert refused("1{:}") == ("no valid Spark SQL (ParseError)", "correct the expression")
