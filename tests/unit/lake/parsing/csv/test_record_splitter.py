"""The splitter counts every record and every byte, and a broken record costs only itself."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.parsing.csv import record_splitter
from lake.parsing.csv.reasons import Reason
from lake.parsing.csv.record_splitter import Split, split_blocks
from tests.support.parsing.split_records import joined, split

PIECES = [
    b"a",
    b"bc",
    b",",
    b'"',
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
    b'"\n"',
    b"\xef\xbb\xbf",
]
files = st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join)


def records(found: Split, data: bytes) -> list[bytes]:
    return [data[start:end] for start, end in zip(found.start.tolist(), found.end.tolist(), strict=True)]


def reasons(found: Split) -> list[Reason]:
    return [Reason(code) for code in found.reason.tolist()]


def check_conserved(found: Split, data: bytes) -> None:
    assert sum(found.account().values()) == len(data)
    owner = np.zeros(len(data), np.int64)
    for start, end in [
        *zip(found.start.tolist(), found.end.tolist(), strict=True),
        *([found.header] if found.header else []),
    ]:
        assert start < end
        owner[start:end] += 1
    owner[: found.bom_bytes] += 1
    assert owner.max(initial=0) <= 1, "a byte belongs to two records"
    outside = np.frombuffer(data, np.uint8)[owner == 0]
    assert np.isin(outside, [10, 13]).all(), "a byte that is no line end belongs to no record"
    terminators = len(re.findall(rb"\r\n|\r|\n", data))
    if not (found.end - found.start).sum():
        assert found.blank <= terminators


@settings(max_examples=200)
@given(files, st.integers(1, 4))
def test_bytes_belong_each_to_one_record_blank_line_header_or_bom(data: bytes, max_lines: int) -> None:
    check_conserved(split(data, max_lines=max_lines), data)


@settings(max_examples=150)
@given(files)
def test_lines_are_records_and_odd_quotes_unreadable_with_one_line_a_field(data: bytes) -> None:
    body = data[3:] if data.startswith(b"\xef\xbb\xbf") else data
    lines = re.split(rb"\r\n|\r|\n", body)
    expected = [line for line in lines if line][1:]
    found = split(data)
    assert records(found, data) == expected
    assert found.blank == len(lines) - (not lines[-1]) - len([line for line in lines if line])
    for line, reason in zip(expected, reasons(found), strict=True):
        if line.count(b'"') % 2:
            assert reason is Reason.OPEN_QUOTE
        elif b'"' not in line:
            assert reason is Reason.READABLE


@settings(max_examples=150)
@given(files, st.integers(1, 4), st.integers(1, 40))
def test_answer_does_not_depend_on_the_blocks(data: bytes, max_lines: int, block: int) -> None:
    whole, parts = (
        split(data, max_lines=max_lines),
        joined(list(split_blocks(data, max_lines=max_lines, block=block))),
    )
    assert records(whole, data) == records(parts, data)
    assert reasons(whole) == reasons(parts)
    assert (whole.account(), whole.blank, whole.header) == (parts.account(), parts.blank, parts.header)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_line_ends_bom_and_a_missing_last_line_end_change_no_record(
    end: bytes, last: bool, bom: bytes
) -> None:
    data = bom + end.join([b"a,b", b"1,2", b"", b"3,4"]) + end * last
    found = split(data)
    assert records(found, data) == [b"1,2", b"3,4"]
    assert found.header == (len(bom), len(bom) + 3)
    assert found.blank == 1
    assert found.account() == {
        "bom": len(bom),
        "header": 3 + len(end),
        "records": 6 + len(end) * (1 + last),
        "blank": len(end),
    }


def test_mixed_line_ends_count_the_same() -> None:
    data = b"a\r1\r\n2\n\r3\r\r\n\n4"
    assert records(split(data), data) == [b"1", b"2", b"3", b"4"]
    assert split(data).blank == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'"never,closed', Reason.OPEN_QUOTE),
        (b'5" pipe,x', Reason.OPEN_QUOTE),
        (b'x"y,"z', Reason.QUOTING),
        (b'"x"y,z', Reason.QUOTING),
        (b'x,"y""z"",w"w', Reason.QUOTING),
        (b'"x"","y', Reason.QUOTING),
        (b'x "y" z,w', Reason.READABLE),
        (b'"x ""y"" z",w', Reason.READABLE),
        (b'"x,y",""', Reason.READABLE),
        (b'"",""""', Reason.READABLE),
    ],
)
@pytest.mark.parametrize("max_lines", [1, 3])
def test_quotes_cost_only_their_own_record(line: bytes, reason: Reason, max_lines: int) -> None:
    data = b"\n".join([b"a,b", b"1,2", line, b"3,4", b'"5",6', b""])
    found = split(data, max_lines=max_lines)
    assert records(found, data) == [b"1,2", line, b"3,4", b'"5",6']
    assert reasons(found) == [Reason.READABLE, reason, Reason.READABLE, Reason.READABLE]


def test_quoted_field_runs_over_as_many_lines_as_allowed_and_no_more() -> None:
    three, four = b'"one\ntwo\r\n\rthree"'.replace(b"\n\r", b"\n"), b'"one\ntwo\nthree\nfour"'
    data = b"a,b\n1," + three + b"\n2," + three + b"," + b"\n" + b"3," + four + b"\n4,5"
    found = split(data, max_lines=3)
    assert records(found, data)[0] == b"1," + three
    assert b"4,5" in records(found, data)
    assert b"3," + four not in records(found, data)
    assert reasons(found)[0] is Reason.READABLE
    uneven = b'a,b\n"1\n2\n3\n4","5"\n6,7'
    assert records(split(uneven, max_lines=3), uneven) == [b'"1', b"2", b"3", b'4","5"', b"6,7"]
    both = b"a,b\n" + three + b"," + three + b"\n1,2"
    assert records(split(both, max_lines=3), both) == [three + b"," + three, b"1,2"]


def test_open_quote_does_not_pair_with_a_later_one_over_good_records() -> None:
    data = b'a,b\n1,"x\n2,y\n3,z"\n4,w\n5,"v\n6,u\n7,"t\n8,s\n'
    found = split(data, max_lines=3)
    assert records(found, data) == [b'1,"x\n2,y\n3,z"', b"4,w", b'5,"v', b"6,u", b'7,"t', b"8,s"]
    assert reasons(found) == [
        Reason.READABLE,
        Reason.READABLE,
        Reason.OPEN_QUOTE,
        Reason.READABLE,
        Reason.OPEN_QUOTE,
        Reason.READABLE,
    ]


def test_lines_that_would_join_to_another_number_of_fields_stay_apart() -> None:
    data = b'a,b\n1,"x\n2,y\nz",3\n'
    assert records(split(data, max_lines=3), data) == [b'1,"x', b"2,y", b'z",3']


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_record_of_several_lines_is_whole_whichever_block_it_begins_in(end: bytes) -> None:
    lines = [b'1,"x\ny"', b"2,z", b'3,"u\n\nv"', b'4,"w\nt"', b'"5",6', b'7,"open', b"8,9"]
    data = end.join([b"a,b", *lines])
    for block in range(1, 40):
        found = joined(list(split_blocks(data, max_lines=3, block=block)))
        assert (records(found, data), found.blank) == (lines, 0)
        assert (found.reason != Reason.READABLE).tolist() == [b"open" in line for line in lines]


def test_quoted_header_may_hold_delimiters_and_line_ends() -> None:
    data = b'\n"a\nb","c,d"\n1,2\n'
    found = split(data, max_lines=2)
    assert found.header == (1, 12)
    assert records(found, data) == [b"1,2"]


def test_record_without_end_is_one_unreadable_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_splitter, "LONGEST", 64)
    data = b"a,b\n1,2\n" + b"x" * 1000 + b"\r\n3,4\n"
    for block in (8, 64):
        found = joined(list(split_blocks(data, block=block)))
        assert reasons(found) == [Reason.READABLE, Reason.LENGTH, Reason.READABLE]
        check_conserved(found, data)


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\r\n\r"])
def test_file_of_nothing_has_no_header_and_no_records(data: bytes) -> None:
    found = split(data)
    assert (found.header, len(found)) == (None, 0)
    check_conserved(found, data)


def test_delimiter_of_another_kind_makes_other_edges() -> None:
    data = b'a;b\n"x";"y;z"\n"x","y"\n'
    assert reasons(split(data, delimiter=";")) == [Reason.READABLE, Reason.QUOTING]


def test_thirty_megabytes_take_well_under_half_a_second() -> None:
    data = (
        b"a,b,c\n"
        + b"2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n"
        * 340_000
    )
    began = time.process_time()
    assert len(split(data)) == 340_000
    assert time.process_time() - began < 0.5
