"""Parsing loses nothing in silence: every record is staged as it was written, or listed with the reason why not."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.contract import FileFormat
from lake.parsing.csv import parse as parsing
from lake.parsing.csv import record_splitter
from lake.parsing.csv.parse import MAX_LISTED, parse
from lake.parsing.csv.reader import RecordReader
from lake.parsing.csv.reasons import UNREADABLE, Reason
from lake.parsing.csv.record_splitter import Split
from lake.parsing.parsed import Parsed
from lakegate.errors import ContractError, DataRejected, IntegrityError
from tests.support.split_records import split

PIECES = [
    b"a",
    b"bc",
    b",",
    b",",
    b'"',
    b'""',
    b"\n",
    b"\n",
    b"\r\n",
    b"\r",
    b"\xc3\xa9",
    b"\xff",
    b"\0",
    b'","',
    b'\n"',
    b"\xef\xbb\xbf",
]
bodies = st.lists(st.sampled_from(PIECES), max_size=50).map(b"".join)
letters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])


def parsed(data: bytes, **choices: Any) -> tuple[Parsed, list[dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        path, into = Path(folder, "drop.csv"), Path(folder, "staging.parquet")
        path.write_bytes(data)
        found = parse(path, FileFormat(**choices), into=into)
        assert (found.staging is None) != into.exists()
        rows = pq.read_table(into).to_pylist() if into.exists() else []
        if found.originals is not None:
            records = found.originals.cut(np.array([row["_row"] for row in rows], np.int64))
            rows = [row | {"_record": record} for row, record in zip(rows, records.to_pylist(), strict=True)]
    check(found, rows, data, exact="null_values" in choices and not choices["null_values"])
    return found, rows


def check(found: Parsed, rows: list[dict[str, Any]], data: bytes, *, exact: bool) -> None:
    assert sum(found.account.values()) == len(data)
    assert found.records == found.readable + found.unreadable_count
    assert found.unreadable_count == sum(found.reasons.values())
    if found.staging is None or found.unreadable_count > MAX_LISTED:
        return
    assert len(rows) == found.readable
    assert sorted([row["_row"] for row in rows] + [bad.row for bad in found.unreadable]) == list(
        range(1, found.records + 1)
    )
    if exact:
        for row in rows:
            read = next(csv.reader(io.StringIO(row["_record"], newline="")))
            assert [row[name] for name in found.columns] == read


def reasons(found: Parsed) -> dict[int, str]:
    return {bad.row: bad.reason for bad in found.unreadable}


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


@settings(max_examples=100)
@given(bodies, st.integers(1, 3))
def test_every_record_is_staged_as_it_stands_or_listed(body: bytes, max_lines: int) -> None:
    data = b"a,b\n" + body
    found, rows = parsed(data, max_lines=max_lines, null_values=())
    whole = split(data, max_lines=max_lines)
    assert found.records == len(whole)
    texts = [data[start:end] for start, end in zip(whole.start.tolist(), whole.end.tolist(), strict=True)]
    assert [row["_record"].encode() for row in rows] == [texts[row["_row"] - 1] for row in rows]
    for bad in found.unreadable:
        assert data[bad.start : bad.end] == texts[bad.row - 1]


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.text(letters, max_size=6), min_size=2, max_size=2), max_size=20),
    st.sampled_from([(csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_MINIMAL, "\r\n")]),
)
def test_what_a_csv_writer_wrote_comes_back_equal(records: list[list[str]], style: tuple[Any, str]) -> None:
    quoting, end = style  # Python 3.11's writer leaves a lone CR unquoted where its own line end is LF
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=quoting).writerows([["a", "b"], *records])
    found, rows = parsed(text.getvalue().encode(), max_lines=20, null_values=())
    assert found.unreadable_count == 0
    assert [[row["a"], row["b"]] for row in rows] == records


FAULTS = {
    b'x,"never closed': "open_quote",
    b'x"y,"z': "quoting",
    b'"x"y,z': "quoting",
    b"x,\xff": "encoding",
    b"x,\xc3": "encoding",
    b"\xa9,x": "encoding",
    b"x,\xed\xa0\x80": "encoding",
    b"x": "fields",
    b"x,y,z": "fields",
    b"x,y\0": "nul",
}


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.sampled_from([b"1,2", b'"3","4,5"', b'"6 ""7""",\xc3\xa9', b","]),
            st.sampled_from(sorted(FAULTS)),
        ),
        max_size=25,
    ),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.booleans(),
)
def test_a_broken_record_costs_only_itself(lines: list[bytes], end: bytes, last: bool) -> None:
    found, rows = parsed(end.join([b"a,b", *lines]) + end * last, null_values=())
    assert reasons(found) == {row: FAULTS[line] for row, line in enumerate(lines, 1) if line in FAULTS}
    assert [row["_record"].encode() for row in rows] == [line for line in lines if line not in FAULTS]


def test_faults_at_block_edges_cost_only_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line for fault in FAULTS for line in (fault, b"1,2", b"3,4")]
    data = b"\n".join([b"a,b", *lines])
    for block in range(3, 40):
        parts = list(record_splitter.split_blocks(data, block=block))
        monkeypatch.setattr(parsing, "split_blocks", lambda *_, parts=parts, **__: iter(parts))
        found, _ = parsed(data)
        assert reasons(found) == {row: FAULTS[line] for row, line in enumerate(lines, 1) if line in FAULTS}


def test_where_parser_and_splitter_disagree_the_record_at_fault_is_found() -> None:
    lines = [b"1,2", b'x"y,"z', b"3,4", b"5,6,7", b'"8",9', b'"open,0', b'x"y,"z']
    data = b"a,b\n" + b"\n".join(lines)
    trusting = split(data)
    trusting.reason[:] = 0
    found, tables = RecordReader(2, FileFormat()).read(data, trusting)
    assert [Reason(code).name for code in found] == [
        "READABLE",
        "QUOTING",
        "READABLE",
        "FIELDS",
        "READABLE",
        "QUOTING",
        "QUOTING",
    ]
    assert [row["0"] for table in tables for row in table.to_pylist()] == ["1", "3", "8"]


def test_records_or_bytes_that_do_not_add_up_are_an_integrity_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(*args: Any, **choices: Any) -> Any:
        for part in record_splitter.split_blocks(*args, **choices):
            yield Split(**{**part.__dict__, "record_bytes": part.record_bytes - bool(part.record_bytes)})

    monkeypatch.setattr(parsing, "split_blocks", forgetful)
    with pytest.raises(IntegrityError, match="accounted for"):
        parsed(b"a,b\n1,2\n")


@pytest.mark.parametrize("body", [b"1,2\n3,4", b"1,2\r\n3,4\r\n", b"1,2\r3,4\r", b"\n1,2\n\n\r\n3,4\n\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_line_ends_blank_lines_and_bom(body: bytes, bom: bytes) -> None:
    found, rows = parsed(bom + b"a,b\n" + body)
    assert found.columns == ("a", "b")
    assert rows == [
        {"a": "1", "b": "2", "_row": 1, "_record": "1,2"},
        {"a": "3", "b": "4", "_row": 2, "_record": "3,4"},
    ]


def test_a_bom_inside_the_file_is_data() -> None:
    _, rows = parsed(b"a\n\xef\xbb\xbfx\n\xef\xbb\xbfy\n")
    assert [row["a"] for row in rows] == ["\ufeffx", "\ufeffy"]


def test_quoted_line_ends_within_the_allowed_lines_are_read() -> None:
    data = b'a,b\n1,"x\ny\r\nz"\n2,"x\ny\nz\nw"\n3,4\n'
    found, rows = parsed(data, max_lines=3)
    assert [(row["_row"], row["b"]) for row in rows] == [(1, "x\ny\r\nz"), (6, "4")]
    assert reasons(found) == {2: "open_quote", 3: "fields", 4: "fields", 5: "open_quote"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'1,2\n"x\ny","z",3\n4,5\n', {2: "fields"}),
        (b'1,2\n"x\ny"\n4,5\n', {2: "fields"}),
        (b'1,2\n9,"x\n\nmiddle\ny",3\n4,5\n', {2: "fields"}),
        (b'1,2\n"x\r\ny",3,"z\r\nw"\n4,5\n', {2: "fields"}),
        # Between its lines stands a sound record, which a broken one must not take with it.
        (b'1,2\n9,"x\n6,7\ny",3\n4,5\n', {2: "open_quote", 4: "open_quote"}),
        (b'1,2\n9,"x\n4,5\n', {2: "open_quote"}),
    ],
)
def test_a_record_of_other_fields_over_several_lines_is_one_unreadable_record(
    body: bytes, expected: dict[int, str]
) -> None:
    found, rows = parsed(b"a,b\n" + body, max_lines=5)
    assert reasons(found) == expected
    assert {"1,2", "4,5"} <= {row["_record"] for row in rows}


@pytest.mark.parametrize(
    ("data", "ended"),
    [
        (b"a,b\n1,2\n", True),
        (b"a,b\r\n1,2\r\n", True),
        (b"a,b\r1,2\r", True),
        (b"a,b\n1,2", False),
        (b"a,b", False),
        (b"", True),
    ],
)
def test_whether_the_last_record_has_a_line_end_is_known(data: bytes, ended: bool) -> None:
    assert parsed(data)[0].ended is ended


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


def test_a_column_named_twice_is_told_and_nothing_is_staged() -> None:
    found, _ = parsed(b"a,b,a\n1,2,3\n4,5\n")
    assert (found.columns, found.staging) == (("a", "b", "a"), None)
    assert (found.records, found.readable, reasons(found)) == (2, 1, {2: "fields"})


@pytest.mark.parametrize("data", [b"", b"\n\n\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_columns(data: bytes) -> None:
    found, _ = parsed(data)
    assert (found.columns, found.records, found.staging) == ((), 0, None)


@pytest.mark.parametrize("data", [b"a,b", b"a,b\n", b"\xef\xbb\xbfa,b\r\n\r\n"])
def test_a_header_alone_has_columns_and_no_records(data: bytes) -> None:
    found, rows = parsed(data)
    assert (found.columns, found.records, rows) == (("a", "b"), 0, [])
    assert found.staging is not None


def test_the_list_of_unreadable_records_is_capped_and_their_count_exact() -> None:
    found, rows = parsed(b"a,b\n" + b"x\n1,2\n" * (MAX_LISTED + 5))
    assert (len(found.unreadable), found.unreadable_count, len(rows)) == (
        MAX_LISTED,
        MAX_LISTED + 5,
        MAX_LISTED + 5,
    )
    assert found.reasons == {"fields": MAX_LISTED + 5}


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
def test_what_is_no_delimited_text_is_refused_with_what_it_looks_like(data: bytes, says: str) -> None:
    assert says in rejected(data)


@pytest.mark.parametrize(
    "header", ["[Nr],{a}", "{a},b", "<5,>5", "sep=,b", "sep,b", "[],b", "PAR1,b", "ORC,b"]
)
def test_a_header_that_begins_like_another_kind_of_file_is_read(header: str) -> None:
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
def test_a_delimiter_that_cannot_be_one_is_the_contracts_fault(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "drop.csv").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ContractError, match="delimiter"):
        parse(tmp_path / "drop.csv", FileFormat(delimiter=delimiter), into=tmp_path / "staging.parquet")


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "^", " ", "]", "-", "\\"])
def test_any_other_delimiter_works(delimiter: str) -> None:
    text = delimiter.join(["a", "b"]) + f'\n"1{delimiter}"{delimiter}2\n'
    found, rows = parsed(text.encode(), delimiter=delimiter)
    assert [(row["a"], row["b"]) for row in rows] == [(f"1{delimiter}", "2")]
    assert found.unreadable_count == 0


def test_a_failed_write_leaves_no_staging_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "drop.csv").write_bytes(b"a,b\n1,2\n")
    fail: Callable[..., Any] = lambda *_: (_ for _ in ()).throw(OSError("disk full"))  # noqa: E731
    monkeypatch.setattr(parsing, "int64", fail)
    with pytest.raises(OSError, match="disk full"):
        parse(tmp_path / "drop.csv", FileFormat(), into=tmp_path / "staging.parquet")
    assert os.listdir(tmp_path) == ["drop.csv"]  # noqa: PTH208


def test_why_most_records_cannot_be_read_is_told_with_the_place_of_the_first() -> None:
    found, _ = parsed(b"a,b\n1,2\n\xff,2\n1,2,3\n1\n")
    many = "2 with more or fewer fields than the header, 1 not UTF-8"
    assert found.unreadable_message == f"{many}; the first is record 2 (not UTF-8), at byte 8"
    alike, _ = parsed(b"a,b\n1,2\n1\n")
    many, first = "1 with more or fewer fields than the header", "record 2, at byte 8"
    assert alike.unreadable_message == f"{many}; the first is {first}, with 1 fields where the header has 2"
    assert parsed(b"a,b\n1,2\n")[0].unreadable_message == ""
    assert {reason.name for reason in Reason} - {"READABLE"} == {reason.name for reason in UNREADABLE}
