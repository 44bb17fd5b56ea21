"""Parsing loses nothing in silence: every record is staged as it was written,
or listed with the reason why not.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.contract import FileFormat
from lake.parsing.csv import parse as parsing
from lake.parsing.csv import record_splitter
from lake.parsing.csv.parse import MAX_LISTED
from lake.parsing.csv.reader import RecordReader
from lake.parsing.csv.reasons import Reason
from lake.parsing.csv.record_splitter import Split
from lakegate.errors import IntegrityError
from tests.support.parsing.parsed_csv import parsed, reasons
from tests.support.parsing.split_records import split

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


@settings(max_examples=100)
@given(bodies, st.integers(1, 3))
def test_records_are_all_staged_as_they_stand_or_listed(body: bytes, max_lines: int) -> None:
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
def test_text_of_a_csv_writer_comes_back_equal(records: list[list[str]], style: tuple[Any, str]) -> None:
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
def test_broken_record_costs_only_itself(lines: list[bytes], end: bytes, last: bool) -> None:
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


def test_record_at_fault_is_found_where_parser_and_splitter_disagree() -> None:
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


def test_bom_inside_the_file_is_data() -> None:
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
def test_record_of_other_fields_over_several_lines_is_one_unreadable_record(
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


def test_list_of_unreadable_records_is_capped_and_their_count_exact() -> None:
    found, rows = parsed(b"a,b\n" + b"x\n1,2\n" * (MAX_LISTED + 5))
    assert (len(found.unreadable), found.unreadable_count, len(rows)) == (
        MAX_LISTED,
        MAX_LISTED + 5,
        MAX_LISTED + 5,
    )
    assert found.reasons == {"fields": MAX_LISTED + 5}
