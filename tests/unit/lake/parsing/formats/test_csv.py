"""What Lakegate asks of a format, asked of CSV; the next format's test is a copy with its own files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from catalog.contract import FileFormat
from catalog.documents.visible_names import MASK
from lake.parsing.formats import format_of
from lake.parsing.parsed import Parsed
from lake.parsing.staging_file import read_staging
from lakegate.errors import DataRejected

FILE = FileFormat(delimiter=";", max_lines=3, headers=(("Full name", "name"),))
HEAD = ["id;Full name;note", "1;Ada;x", '2;"Grace;H";"two', 'lines"']
LINES = [*HEAD, "3;too;many;fields", "", '4;"say ""hi""";']
CONTENT = "".join(f"{line}\r\n" for line in LINES).encode()
RECORDS = ["1;Ada;x", '2;"Grace;H";"two\r\nlines"', '4;"say ""hi""";']
HEADER = [("id", "id"), ("Full name", "name"), ("note", "note")]
VALUES = [["1", "Ada", "x"], ["2", "Grace;H", "two\r\nlines"], ["4", 'say "hi"', ""]]


@pytest.fixture
def parsed(tmp_path: Path) -> Parsed:
    (tmp_path / "drop").write_bytes(CONTENT)
    return format_of(FILE).parse(tmp_path / "drop", into=tmp_path / "staging.arrow")


def rows(found: Parsed) -> list[tuple[int, str, str, str | None]]:
    assert found.staging is not None
    table = read_staging(found.staging)
    return [(row["_row"], row["id"], row["name"], row["note"]) for row in table.to_pylist()]


def test_records_are_all_staged_or_listed_under_their_numbers(parsed: Parsed) -> None:
    assert (parsed.records, parsed.readable, parsed.unreadable_count, parsed.blank) == (4, 3, 1, 1)
    assert [(item.row, item.reason) for item in parsed.unreadable] == [(3, "fields")]
    assert sum(parsed.account.values()) == len(CONTENT)
    one, two, four = rows(parsed)
    assert (one, two) == ((1, "1", "Ada", "x"), (2, "2", "Grace;H", "two\r\nlines"))
    assert four == (4, "4", 'say "hi"', None)
    assert "record 3" in parsed.unreadable_message
    assert "many" not in parsed.unreadable_message


def test_original_record_is_given_back_by_its_number(parsed: Parsed) -> None:
    assert parsed.originals is not None
    assert parsed.originals.cut(np.array([1, 2, 4])).to_pylist() == RECORDS
    assert parsed.originals.cut(np.array([2])).to_pylist() == RECORDS[1:2]
    assert parsed.originals.cut(np.array([], np.int64)).to_pylist() == []


def test_original_records_are_parsed_again_to_the_same_rows(parsed: Parsed, tmp_path: Path) -> None:
    (folder := tmp_path / "again").mkdir()
    header = [("id", "id"), ("name", "Full name"), ("note", "note")]
    again = format_of(FILE).restage(RECORDS, header, folder=folder)
    assert again.records == len(RECORDS)
    assert [row[1:] for row in rows(again)] == [row[1:] for row in rows(parsed)]


def test_record_tells_its_values_or_that_no_header_fits() -> None:
    kind = format_of(FILE)
    assert [kind.fields(record, HEADER) for record in RECORDS] == VALUES
    assert kind.fields("1;2", HEADER) is None
    assert kind.fields("", []) is None
    assert kind.fields("1;" + "x" * 200_000 + ";3", HEADER) is None


def test_masked_record_shows_only_what_may_be_shown() -> None:
    kind = format_of(FILE)
    masked = [str(kind.mask(record, HEADER, {"id", "note"})) for record in RECORDS]
    assert (masked[0], masked[2]) == (f"1;{MASK};x", f"4;{MASK};")
    assert masked[1].startswith(f"2;{MASK};")
    assert not any(name in record for record in masked for name in ("Ada", "Grace", "hi"))
    assert kind.mask(RECORDS[0], HEADER, set()) == ";".join([MASK] * 3)
    assert kind.mask("1;Ada;", [("id", "id"), ("Full name", None), ("", "")], {"id"}) == f"1;{MASK};"
    assert kind.mask("1;Ada", HEADER, {"id"}) is None


def test_header_of_another_delimiter_is_answered_with_what_to_write() -> None:
    kind, expected = format_of(FILE), {"id", "name", "note"}
    assert 'write delimiter: ","' in kind.header_hint(["id,Name", "x"], expected)
    assert kind.header_hint(["id,other"], expected) == ""
    assert kind.header_hint([], expected) == ""


def test_file_that_is_no_table_is_refused_without_a_staging_file(tmp_path: Path) -> None:
    (tmp_path / "drop").write_bytes(b"PAR1\x00\x01")
    with pytest.raises(DataRejected):
        format_of(FILE).parse(tmp_path / "drop", into=tmp_path / "staging.arrow")
    assert [path.name for path in tmp_path.iterdir()] == ["drop"]
