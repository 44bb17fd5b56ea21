"""Files that are no delimited text are refused, and no error quotes what a record holds."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.contract import FileFormat
from lake.parsing.csv import parse as parsing
from lake.parsing.csv.parse import parse
from lake.parsing.csv.reasons import UNREADABLE, Reason
from lakegate.errors import ContractError, DataRejected
from tests.support.parsing.parsed_csv import parsed


def rejected(data: bytes, **choices: Any) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path, into = Path(folder, "drop.csv"), Path(folder, "staging.parquet")
        path.write_bytes(data)
        with pytest.raises(DataRejected) as caught:
            parse(path, FileFormat(**choices), into=into)
        assert not into.exists()
    assert caught.value.fix
    assert len(str(caught.value)) < 400
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG image"),
        (b"PAR1\x15\x04\x15\x10", "Parquet file"),
        (b"\x1f\x8b\x08\0\0\0\0", "gzip inside"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "UTF-16 text without its mark\n  -> save it as UTF-8"),
        (
            "größe,b\n1,2\n".encode("cp1252"),
            "Windows-1252 or Latin-1, as Excel saves plain CSV\n  -> save it as UTF-8",
        ),
        (b'{"id":1,"s":"a"}\n{"id":2,"s":"b"}\n', "JSON (an object on each line)\n  -> export it as CSV"),
        (b'[{"id":1,"s":"a"},\n{"id":2}]\n', "JSON (an array)"),
        (b'[\n  {"id": 1}\n]\n', "JSON (an array)"),
        (b'{\n  "rows": [1, 2]\n}\n', "JSON (an object)"),
        (b"<!DOCTYPE html>\n<title>Log in</title>\n", "an HTML page\n  -> look into it"),
        (b'<?xml version="1.0"?>\n<a/>\n', "XML"),
        (b"sep=;\na;b\n1;2\n", "a note to Excel, not the header\n  -> take the line sep= out"),
        (b'"sep=,"\na,b\n1,2\n', "a note to Excel"),
        (b"a\0b\n1,2\n", "binary data"),
        (b"\xe9t\xe9,b\n1,2\n", "not UTF-8"),
        (b'a,"b\n1,2\n', "don't balance"),
        (b",".join(b"name%d" % number for number in range(1_000_000)), "header is"),
        (b",".join(b"n" for _ in range(2001)), "2,001 columns"),
        (b"_row,b\n1,2\n", "Lakegate's own"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_file_that_is_no_delimited_text_is_refused_with_what_it_looks_like(data: bytes, says: str) -> None:
    assert says in rejected(data)


@pytest.mark.parametrize(
    "header", ["[Nr],{a}", "{a},b", "<5,>5", "sep=,b", "sep,b", "[],b", "PAR1,b", "ORC,b"]
)
def test_header_that_begins_like_another_kind_of_file_is_read(header: str) -> None:
    assert parsed(f"{header}\n1,2\n".encode())[0].columns == tuple(header.split(","))


def test_random_bytes_are_refused_or_all_accounted_for() -> None:
    generator = np.random.default_rng(7)
    refused = 0
    for _ in range(30):
        data = generator.bytes(20_000)
        try:
            parsed(data)
        except DataRejected:
            refused += 1
    assert refused > 20


def test_errors_and_lists_never_show_what_a_record_holds() -> None:
    found, _ = parsed(b'name,born\n"Ada Secret,1815\nAda Secret\nAda Secret,\xff\n')
    assert found.unreadable_count == 3
    assert "Secret" not in repr(found)
    assert "Secret" not in rejected(b"Ada Secret,\xff\n1,2\n") + rejected(b"Ada Secret\x01,1815\n")


@pytest.mark.parametrize("delimiter", ["", ",,", "\n", '"', "\u00e9"])
def test_delimiter_that_cannot_be_one_is_the_contracts_fault(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "drop.csv").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ContractError, match="delimiter"):
        parse(tmp_path / "drop.csv", FileFormat(delimiter=delimiter), into=tmp_path / "staging.parquet")


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "^", " ", "]", "-", "\\"])
def test_delimiters_of_other_kinds_work(delimiter: str) -> None:
    text = delimiter.join(["a", "b"]) + f'\n"1{delimiter}"{delimiter}2\n'
    found, rows = parsed(text.encode(), delimiter=delimiter)
    assert [(row["a"], row["b"]) for row in rows] == [(f"1{delimiter}", "2")]
    assert found.unreadable_count == 0


def test_failed_write_leaves_no_staging_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "drop.csv").write_bytes(b"a,b\n1,2\n")
    fail: Callable[..., Any] = lambda *_: (_ for _ in ()).throw(OSError("disk full"))  # noqa: E731
    monkeypatch.setattr(parsing, "int64", fail)
    with pytest.raises(OSError, match="disk full"):
        parse(tmp_path / "drop.csv", FileFormat(), into=tmp_path / "staging.parquet")
    assert os.listdir(tmp_path) == ["drop.csv"]  # noqa: PTH208


def test_reason_why_most_records_cannot_be_read_is_told_with_the_place_of_the_first() -> None:
    found, _ = parsed(b"a,b\n1,2\n\xff,2\n1,2,3\n1\n")
    many = "2 with more or fewer fields than the header, 1 not UTF-8"
    assert found.unreadable_message == f"{many}; the first is record 2 (not UTF-8), at byte 8"
    alike, _ = parsed(b"a,b\n1,2\n1\n")
    many, first = "1 with more or fewer fields than the header", "record 2, at byte 8"
    assert alike.unreadable_message == f"{many}; the first is {first}, with 1 fields where the header has 2"
    assert parsed(b"a,b\n1,2\n")[0].unreadable_message == ""
    assert {reason.name for reason in Reason} - {"READABLE"} == {reason.name for reason in UNREADABLE}
