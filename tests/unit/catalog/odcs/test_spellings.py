"""What is documented of each type's spelling is what the code asks,
and a contract's own dates are days that there are.
"""

from __future__ import annotations

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.contract import Column, ColumnType
from catalog.odcs.time_patterns import ALLOWED, pattern_mistake
from catalog.rules.arguments import fits
from expectations.rules.aggregates import shown_value
from expectations.spellings import (
    DESCRIPTIONS,
    ENDS,
    FALSE,
    INFINITE,
    INFINITE_BELOW,
    NOT_A_NUMBER,
    SPELLINGS,
    TRUE,
)
from tests.support.places import ROOT

PAGE = (ROOT / "docs" / "contracts.md").read_text()
LOGICAL: dict[str, ColumnType] = {
    "number": "double",
    "integer": "integer",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
WORDS = (*NOT_A_NUMBER, *INFINITE, *INFINITE_BELOW)


def table() -> dict[str, str]:
    """The page's table, by type."""
    rows = PAGE.partition("| type | accepted (spaces around it are dropped) |\n|---|---|\n")[2].partition(
        "\n\n"
    )[0]
    return dict(row.strip("| ").split(" | ", 1) for row in rows.splitlines())


def test_page_tells_of_each_type_what_the_code_accepts() -> None:
    assert table() == DESCRIPTIONS
    assert (
        {LOGICAL[name] for name in DESCRIPTIONS} == SPELLINGS.keys() == {*get_args(ColumnType)} - {"string"}
    )


@pytest.mark.parametrize("name", LOGICAL)
def test_each_spelling_on_the_page_is_one_and_each_that_it_refuses_is_none(name: str) -> None:
    accepts = re.compile(SPELLINGS[LOGICAL[name]].replace("\\z", "\\Z"))
    refused = re.findall("not `([^`]*)`", table()[name])
    for text in set(re.findall("`([^`]*)`", table()[name])) - set(refused):
        known = text in ("Z", "+01:00") or (name == "number" and text in WORDS) or accepts.fullmatch(text)
        assert known, text
    assert set(refused) == (
        {"5.0", "1e3"} if name == "integer" else {"1e400", "1e-400"} if name == "number" else set()
    )


def test_page_lists_every_word() -> None:
    assert set(re.findall("`([^`]*)`", table()["number"])) - {"1e400", "1e-400"} == set(WORDS)
    assert set(re.findall("`([^`]*)`", table()["boolean"])) == {*TRUE, *FALSE}


@pytest.mark.parametrize(
    ("kind", "value", "fine"),
    [
        ("date", "0001-01-01", True),
        ("date", "0000-01-01", False),
        ("date", "2013-02-29", False),
        ("date", "2013-13-01", False),
        ("timestamp", "9999-12-31T23:59:59.999999Z", True),
        ("timestamp", "2013-01-31", True),
        ("timestamp", "2013-01-31 10:00", True),
        ("timestamp", "0000-12-31T23:59:59Z", False),
        ("timestamp", "2013-01-31T24:00:00Z", False),
        ("timestamp", "2013-01-31T10:60:00Z", False),
    ],
)
def test_bound_is_a_moment_that_there_is(kind: ColumnType, value: str, fine: bool) -> None:
    assert fits(Column("at", kind), value) is fine


@given(st.integers(-800_000, 3_000_000))
def test_date_of_any_year_is_told(days: int) -> None:
    """A version of an older release may hold one; it must be judged and shown."""
    told = shown_value(days, "date")
    year_one, last = -719_162, 2_932_896
    assert told.startswith("before" if days < year_one else "after" if days > last else tuple("0123456789"))


@given(st.integers(-(10**17), 10**18))
def test_time_of_any_year_is_told(micros: int) -> None:
    told = shown_value(micros, "timestamp")
    first, last = -62_135_596_800_000_000, 253_402_300_799_999_999
    assert told.startswith("before" if micros < first else "after" if micros > last else tuple("0123456789"))


def test_ends_are_told_as_they_are() -> None:
    assert (shown_value(-719_162, "date"), shown_value(2_932_896, "date")) == ENDS["date"]
    assert shown_value(253_402_300_799_999_999, "timestamp") == "9999-12-31T23:59:59.999999+00:00"
    assert shown_value(-719_163, "date") == "before 0001-01-01"
    assert shown_value(253_402_300_800_000_000, "timestamp") == "after 9999-12-31T23:59:59.999999+00:00"


def test_page_tells_of_each_letter_of_a_format() -> None:
    table = PAGE.partition("## Formats of dates and times")[2].partition("\n## ")[0]
    named = {
        letters
        for row in table.splitlines()
        if row.startswith("| `")
        for letters in re.findall("`([A-Za-z]+)`", row.split(" | ")[0])
    }
    assert named | {"S" * width for width in range(1, 7)} == set(ALLOWED)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("yyyy-MM-dd HH:mm:ss VV", "'VV' does not mean the same on every engine"),
        ("dMyyyy", "nothing tells where 'd' ends and 'M' begins"),
        ("yyyyMMddHHmmssSSS", "nothing tells where 'ss' ends and 'SSS' begins"),
        ("dd/mm/yyyy", "it has no year, month and day"),
        ("yyyy-MM-dd hh:mm", "hh and a are written together"),
        ("yyyy-MM-dd[ HH]", "'[' is reserved"),
        ("yyyy-MM-dd yy", "it says one thing twice"),
    ],
)
def test_format_that_engines_read_differently_is_told_with_its_part(pattern: str, told: str) -> None:
    assert pattern_mistake(pattern) == told
