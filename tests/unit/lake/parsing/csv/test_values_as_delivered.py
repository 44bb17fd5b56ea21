"""Columns and values are staged as they were delivered: names, texts, null values, headers."""

from __future__ import annotations

import pytest

from tests.support.parsing.parsed_csv import parsed, reasons


@pytest.mark.parametrize(
    ("nulls", "expected"),
    [
        (("",), [None, None, "NA", " "]),
        (("NA",), ["", "", None, " "]),
        (("", "NA"), [None, None, None, " "]),
        ((), ["", "", "NA", " "]),
    ],
)
def test_null_values_are_those_of_the_contract(nulls: tuple[str, ...], expected: list[str | None]) -> None:
    _, rows = parsed(b'a,b\n,1\n"",2\nNA,3\n ,4\n', null_values=nulls)
    assert [row["a"] for row in rows] == expected


def test_values_stay_text() -> None:
    _, rows = parsed(b"a,b\n007,true\n1e3,2013-01-01\n")
    assert [(row["a"], row["b"]) for row in rows] == [("007", "true"), ("1e3", "2013-01-01")]


def test_names_come_as_delivered() -> None:
    assert parsed(b'" a ","b,""c""",\xc3\xa9,\n')[0].columns == (
        " a ",
        'b,"c"',
        "\u00e9",
    )  # what ends the line is no column
    assert parsed(b"a;b\tc\n1;2\n", delimiter=";")[0].columns == ("a", "b\tc")


def test_column_named_twice_is_told_and_nothing_is_staged() -> None:
    found, _ = parsed(b"a,b,a\n1,2,3\n4,5\n")
    assert (found.columns, found.staging) == (("a", "b", "a"), None)
    assert (found.records, found.readable, reasons(found)) == (2, 1, {2: "fields"})


@pytest.mark.parametrize("data", [b"", b"\n\n\r\n", b"\xef\xbb\xbf"])
def test_empty_file_has_no_columns(data: bytes) -> None:
    found, _ = parsed(data)
    assert (found.columns, found.records, found.staging) == ((), 0, None)


@pytest.mark.parametrize("data", [b"a,b", b"a,b\n", b"\xef\xbb\xbfa,b\r\n\r\n"])
def test_header_alone_has_columns_and_no_records(data: bytes) -> None:
    found, rows = parsed(data)
    assert (found.columns, found.records, rows) == (("a", "b"), 0, [])
    assert found.staging is not None
