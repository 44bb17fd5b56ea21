"""Headers that are no names: each brings the column that the contract maps to it, and a message shows what the eye doesn't see."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.contract import RESCUED, Contract, FileFormat
from catalog.documents.visible_names import UNCLAIMED, identifier, visible
from catalog.odcs.loader import load_contract
from expectations.building.build import build_suite
from expectations.verdict import Verdict, verdict_of
from lake.hops.gate.messages import blocked_message
from lake.hops.raw import header_notes, judge_raw
from lake.parsing.csv.parse import parse
from lake.parsing.parsed import Parsed
from lakegate.errors import ContractError

CONTRACT = """apiVersion: v3.2.0
kind: DataContract
id: orders
name: orders
version: 1.0.0
status: active
schema:
- name: orders
  properties:
  - {name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
COLUMNS
customProperties:
- {property: writeMode, value: append}
MORE"""


def contract(folder: Path, *columns: str, more: str = "") -> Contract:
    path = folder / "orders.odcs.yaml"
    body = CONTRACT.replace(
        "COLUMNS", "\n".join(f"  - {{logicalType: string, {column}}}" for column in columns)
    ).replace("MORE", more)
    path.write_text(body, encoding="utf-8")
    return load_contract(path)


def staged(text: str, format: FileFormat) -> tuple[Parsed, list[dict[str, Any]]]:  # noqa: A002
    with tempfile.TemporaryDirectory() as folder:
        path, into = Path(folder, "drop.csv"), Path(folder, "staging.parquet")
        path.write_text(text, encoding="utf-8", newline="")
        found = parse(path, format, into=into)
        return found, pq.read_table(into).drop_columns(["_row"]).to_pylist() if into.exists() else []


def refused(made: Contract, text: str) -> str:
    outcomes = judge_raw(build_suite(made, "raw", made.path.parent), staged(text, made.file)[0])
    return blocked_message(made, outcomes) if verdict_of(outcomes, quarantined=0) is Verdict.BLOCKED else ""


HEADERS = [
    "Order Number",
    "größe",
    "CO(GT)",
    "1st",
    "price.eur",
    "a/b",
    "a-b",
    "_id2",
    'say "x", y',
    "select",
    "true",
    "ID",
    " id ",
    "\u200bid",
    "",
]


@pytest.mark.parametrize("header", HEADERS)
def test_any_header_can_be_mapped_to_a_column(tmp_path: Path, header: str) -> None:
    import json

    made = contract(tmp_path, f"name: value, physicalName: {json.dumps(header)}")
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([header, "id"])
    found, rows = staged(f"{line.getvalue()}x,1\n", made.file)
    assert found.columns == ("value", "id")
    assert [row["value"] for row in rows] == ["x"]
    assert refused(made, f"{line.getvalue()}x,1\n") == ""
    assert header_notes(found) == {"columns": [header, "id"], "names": ["value", "id"]}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Order Number", 'name: order_number and physicalName: "Order Number"'),
        ("größe", 'name: groesse and physicalName: "größe"'),
        ("CO(GT)", 'name: co_gt and physicalName: "CO(GT)"'),
        ("1st", 'name: c_1st and physicalName: "1st"'),
        ("_id2", 'name: id2 and physicalName: "_id2"'),
        ("数量", 'name: column_2 and physicalName: "数量"'),
        ("a\\u00a0b", 'name: a_b and physicalName: "a\\u00a0b"'),
    ],
)
def test_a_name_that_can_name_no_column_is_answered_with_the_lines_to_write(
    tmp_path: Path, name: str, line: str
) -> None:
    with pytest.raises(ContractError) as caught:
        contract(tmp_path, f'name: "{name}"')
    assert line in caught.value.fix
    name_line, physical = line.split(" and ")
    made = contract(tmp_path, f"{name_line}, {physical}")  # what is proposed is taken
    assert made.columns[1].header == name.replace("\\u00a0", "\u00a0")


@given(st.text(max_size=12), st.integers(1, 99))
def test_every_proposed_name_names_a_column(header: str, place: int) -> None:
    import re

    assert re.fullmatch(r"[a-z][a-z0-9_]*", identifier(header, place=place))


@given(st.text(max_size=70))
def test_no_two_short_names_look_alike_and_nothing_invisible_is_left(name: str) -> None:
    shown = visible(name)
    assert shown.isprintable()
    if not name.startswith(UNCLAIMED) and len(name) <= 64:
        import ast

        assert name == (shown if not shown.startswith(("'", '"')) else ast.literal_eval(shown))


@settings(max_examples=60)
@given(st.data())
def test_each_value_is_read_under_the_column_that_its_header_brings(data: st.DataObject) -> None:
    text = st.text(
        st.characters(min_codepoint=0x20, exclude_characters="\x7f", exclude_categories=["Cs", "Cc"]),
        max_size=5,
    )
    header = data.draw(
        st.lists(text.filter(lambda name: not name.startswith("_")), min_size=1, max_size=6, unique=True)
    )
    brought = data.draw(st.lists(st.sampled_from(header), unique=True))
    names = [f"c{number}" for number in range(len(brought))]
    rows = data.draw(
        st.lists(
            st.lists(st.sampled_from("xyz"), min_size=len(header), max_size=len(header)),
            min_size=1,
            max_size=3,
        )
    )
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([header, *rows])
    found, read = staged(out.getvalue(), FileFormat(headers=tuple(zip(brought, names, strict=True))))
    delivered = [dict(zip(header, row, strict=True)) for row in rows]
    assert [[row[name] for name in names] for row in read] == [
        [row[name] for name in brought] for row in delivered
    ]
    assert found.readable == len(rows)


def test_names_can_be_exchanged_and_a_name_that_comes_under_another_header_brings_nothing(
    tmp_path: Path,
) -> None:
    made = contract(tmp_path, "name: a, physicalName: b", "name: b, physicalName: a")
    assert staged("id,a,b\n1,was a,was b\n", made.file)[1][0].items() >= {"a": "was b", "b": "was a"}.items()
    made = contract(tmp_path, 'name: size, physicalName: "Size [cm]"')
    told = refused(made, "id,size\n1,2\n")
    assert "missing: 'Size [cm]'" in told
    assert "unexpected: size" in told
    made = contract(
        tmp_path, "name: size, physicalName: SIZE", more="- {property: unexpectedColumns, value: ignore}"
    )
    found, rows = staged("id,SIZE,size,Size\n1,a,b,c\n", made.file)
    assert rows[0]["size"] == "a"
    assert {name.lower() for name in rows[0]} & {"size"} == {"size"}
    assert refused(made, "id,SIZE,size,Size\n1,a,b,c\n").count("case alone") == 1
    assert refused(made, "id,SIZE,size\n1,a,b\n") == ""
    assert header_notes(found)["names"] == ["id", "size", None, None]


def test_names_that_differ_by_case_alone_can_be_had_as_two_columns(tmp_path: Path) -> None:
    made = contract(tmp_path, "name: a_small, physicalName: a", "name: a_large, physicalName: A")
    assert staged("id,a,A\n1,x,y\n", made.file)[1][0].items() >= {"a_small": "x", "a_large": "y"}.items()
    assert "names that differ by case alone" in refused(contract(tmp_path, "name: a"), "id,a,A\n1,x,y\n")
    assert "the same name at columns 2, 3" in refused(contract(tmp_path, "name: a"), "id,a,a\n1,x,y\n")


@pytest.mark.parametrize(
    "columns",
    [("name: a, physicalName: X", "name: b, physicalName: X"), ("name: a", "name: b, physicalName: a")],
)
def test_two_columns_under_one_header_are_refused(tmp_path: Path, columns: tuple[str, ...]) -> None:
    with pytest.raises(ContractError, match="both delivered under the header") as caught:
        contract(tmp_path, *columns)
    assert caught.value.where.endswith(":12")


def test_what_ends_each_line_is_no_column_unless_it_holds_something(tmp_path: Path) -> None:
    made = contract(tmp_path, "name: note")
    found, rows = staged("id,note,,\n1,x,,\n2,y,,\n", made.file)
    assert (found.columns, len(rows), "" in rows[0]) == (("id", "note"), 2, False)
    assert refused(made, "id,note,,\n1,x,,\n2,y,,\n") == ""
    told = refused(made, "id,note,\n1,x,\n2,y,z\n")
    assert "unexpected-columns (unexpected: ''; a column without a name holds values)" in told
    assert "no name, and values, at columns 3, 4" in refused(made, "id,note,,\n1,x,7,8\n")
    rescuing = contract(tmp_path, "name: note", more="- {property: unexpectedColumns, value: rescue}")
    assert [row[RESCUED] for row in staged("id,note,\n1,x,\n2,y,z\n", rescuing.file)[1]] == [None, '{"":"z"}']
    first = contract(tmp_path, 'name: place, physicalName: ""')
    assert staged(",id,\n7,1,\n", first.file)[1][0]["place"] == "7"


@pytest.mark.parametrize(
    "name", ["Note", "note ", "\u00a0note", "note\u200b", "\ufeffnote", "NOTE", "n_o-te"]
)
def test_a_header_that_was_meant_is_shown_with_the_line_to_write(tmp_path: Path, name: str) -> None:
    made = contract(tmp_path, "name: note")
    told = refused(made, f"id,{name}\n1,x\n")
    assert "missing: note" in told
    assert f"the file has {visible(name)}: if that is meant, write physicalName: " in told
    assert told.isprintable()
    line = told.partition("write ")[2].partition(" at column note")[0]
    assert refused(contract(tmp_path, f"name: note, {line}"), f"id,{name}\n1,x\n") == ""


def test_without_a_physical_name_nothing_is_recorded_that_was_not_before(tmp_path: Path) -> None:
    made = contract(tmp_path, "name: note")
    assert made.file.headers == ()
    assert header_notes(staged("id,note\n1,x\n", made.file)[0]) == {"columns": ["id", "note"]}


def test_a_header_of_which_every_name_is_written_otherwise_is_answered_column_by_column(
    tmp_path: Path,
) -> None:
    made = contract(
        tmp_path,
        'name: bestell_nr, physicalName: "Bestell-Nr."',
        'name: betrag_eur, physicalName: "Betrag (EUR)"',
    )
    told = refused(made, "ID,BESTELL-NR ,Betrag(EUR)\n1,2,3\n")
    for line in (
        "physicalName: ID at column id",
        'physicalName: "BESTELL-NR " at column',
        'physicalName: "Betrag(EUR)" at column',
    ):
        assert line in told
    assert "delimited by" not in told
    # Without a header a person's data stands there: nothing of it is told (P6).
    told = refused(made, "7,Miller,Elm Street\n8,Brown,Oak Street\n")
    assert "Miller" not in told
    assert "all 3 columns are missing" in told


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_delimiter_is_told_with_the_words_to_write(tmp_path: Path, mark: str) -> None:
    import json

    made = contract(tmp_path, "name: note")
    told = refused(made, f"id{mark}note\n1{mark}x, y\n")
    line = f"delimiter: {json.dumps(mark)}"
    assert f"they are delimited by {mark!r}: write {line} in the property file" in told
    assert (
        refused(
            contract(tmp_path, "name: note", more=f"- {{property: file, value: {{{line}}}}}"),
            f"id{mark}note\n1{mark}x\n",
        )
        == ""
    )
    assert "delimited by" not in refused(made, "Miller; id\n1\n")


def test_records_of_other_fields_than_the_header_are_told_with_both_numbers(tmp_path: Path) -> None:
    made = contract(tmp_path, "name: note")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "drop.csv")

        def told(text: str) -> str:
            path.write_text(text)
            outcomes = judge_raw(
                build_suite(made, "raw", tmp_path), parse(path, made.file, into=Path(folder, "staging"))
            )
            return blocked_message(made, outcomes)

        assert (
            "at byte 8, with 3 fields where the header has 2: it ends in a delimiter, and the header doesn't"
            in told("id,note\n1,x,\n2,y,\n")
        )
        assert "at byte 8, with 3 fields where the header has 2)" in told("id,note\n1,x,7\n2,y,8\n")


def test_records_that_are_not_utf8_are_told_what_they_may_be() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "drop.csv")
        path.write_bytes("id,note\n1,Müller\n2,x\n".encode("cp1252"))
        told = parse(path, FileFormat(), into=Path(folder, "staging")).unreadable_message
    assert told.startswith("1 not UTF-8; the first is record 1, at byte 8; a file in Windows-1252 or Latin-1")
