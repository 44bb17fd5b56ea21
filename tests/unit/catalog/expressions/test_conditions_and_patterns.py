"""Row conditions and patterns that every engine reads alike, and those that are refused."""

from __future__ import annotations

import re

import pytest

from catalog.contract import Column
from catalog.expressions.lint import condition_findings
from catalog.expressions.patterns import portable, unportable_pattern

COLUMNS = {"a": Column("a", "integer"), "b": Column("b", "integer"), "person": Column("person", "string")}


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        ("a >", "no valid Spark SQL"),
        ("sum(a) > 1", "more than one row"),
        ("a in (select b from t)", "more than one row"),
        ("c = 1", "no column"),
        ("t.a = 1", "no column"),
        ("a > rand()", "rand()"),
        ("a = 'x'", "is text"),
        ("person = 'Ann'", "personal"),
        ("contains(person, 'Ann')", "personal"),
        ("not startswith(lower(person), 'ann')", "personal"),
        ("regexp_like(person, 'Ann')", "personal"),
        ("isnotnull(nullif(person, 'Ann'))", "personal"),
        ("case person when 'Ann' then true end", "personal"),
        ("case upper(person) when 'ANN' then a > 1 else b > 1 end", "personal"),
        ("case 'Ann' when person then true end", "personal"),
    ],
)
def test_row_condition_asks_a_rows_own_columns_only(condition: str, what: str) -> None:
    assert any(what in found for found, _ in condition_findings(condition, COLUMNS, personal={"person"}))


def test_sound_row_condition_passes() -> None:
    for condition in (
        "(a > 1 and b is not null) or person is null",
        "case when person is null then a else 0 end = 1",
        "lower(person) = upper(person)",
    ):
        assert list(condition_findings(condition, COLUMNS, personal={"person"})) == []


@pytest.mark.parametrize(
    "pattern",
    [
        "(?>a)b",
        "[[a]",
        "a\\Z",
        "a{,3}",
        "(?#x)a",
        "x{",
        "\\N{DIGIT ONE}",
        "\\07",
        "(?a)b",
        "(a)?(?(1)b|c)",
        "a\\v",
        "[+--]",
        "[a&&b]",
        "[a~~b]",
        "\\\\[[:alpha:]]",
        "\\\\[a[b]]",
    ],
)
def test_pattern_that_python_takes_and_an_engine_does_not_is_refused(pattern: str) -> None:
    re.compile(pattern)
    assert unportable_pattern(pattern) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Z0-9]{2}$",
        "a{2,}",
        "[{]a",
        "[^{,3}]",
        "a\\{b",
        "\\[a",
        "[\\[a]",
        "(?i)a|b",
        "(?i)[AB]",
        "[a\\-\\-]",
        "(?:a)+",
        "^[A-Z][a-z]+$",
        "\\x41[]a]",
    ],
)
def test_pattern_that_all_read_alike_is_taken(pattern: str) -> None:
    re.compile(pattern)
    assert unportable_pattern(pattern) is None


@pytest.mark.parametrize("pattern", ["(?i)é", "(?i)k", "(?i)[a-z]", "(?i)x\\x6b", "(?si)S"])
def test_letters_that_have_a_third_case_are_refused_where_case_is_ignored(pattern: str) -> None:
    assert "under (?i)" in str(unportable_pattern(pattern))
    assert unportable_pattern(pattern.replace("(?i)", "").replace("(?si)", "")) is None


@pytest.mark.parametrize(
    ("pattern", "asked"),
    [("a$", "a\\z"), ("a\\$", "a\\$"), ("a\\\\$", "a\\\\\\z"), ("[a$]", "[a$]"), ("", "")],
)
def test_end_of_a_pattern_is_the_end_of_the_text(pattern: str, asked: str) -> None:
    assert portable(pattern) == asked
