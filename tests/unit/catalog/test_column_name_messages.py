"""Headers that match no contract are answered with the lines to write."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.contract import FileFormat
from catalog.documents.visible_names import UNCLAIMED, identifier, visible
from expectations.building.build import build_suite
from lake.hops.gate.messages import blocked_message
from lake.hops.raw import judge_raw
from lake.parsing.csv.parse import parse
from lakegate.errors import ContractError
from tests.support.catalog.mapped_headers import contract, refused


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
def test_name_that_can_name_no_column_is_answered_with_the_lines_to_write(
    tmp_path: Path, name: str, line: str
) -> None:
    with pytest.raises(ContractError) as caught:
        contract(tmp_path, f'name: "{name}"')
    assert line in caught.value.fix
    name_line, physical = line.split(" and ")
    made = contract(tmp_path, f"{name_line}, {physical}")  # what is proposed is taken
    assert made.columns[1].header == name.replace("\\u00a0", "\u00a0")


@given(st.text(max_size=12), st.integers(1, 99))
def test_proposed_names_all_name_a_column(header: str, place: int) -> None:
    import re

    assert re.fullmatch(r"[a-z][a-z0-9_]*", identifier(header, place=place))


@given(st.text(max_size=70))
def test_short_names_never_look_alike_and_hold_nothing_invisible(name: str) -> None:
    shown = visible(name)
    assert shown.isprintable()
    if not name.startswith(UNCLAIMED) and len(name) <= 64:
        import ast

        assert name == (shown if not shown.startswith(("'", '"')) else ast.literal_eval(shown))


@pytest.mark.parametrize(
    "name", ["Note", "note ", "\u00a0note", "note\u200b", "\ufeffnote", "NOTE", "n_o-te"]
)
def test_header_that_was_meant_is_shown_with_the_line_to_write(tmp_path: Path, name: str) -> None:
    made = contract(tmp_path, "name: note")
    told = refused(made, f"id,{name}\n1,x\n")
    assert "missing: note" in told
    assert f"the file has {visible(name)}: if that is meant, write physicalName: " in told
    assert told.isprintable()
    line = told.partition("write ")[2].partition(" at column note")[0]
    assert refused(contract(tmp_path, f"name: note, {line}"), f"id,{name}\n1,x\n") == ""


def test_header_of_which_every_name_is_written_otherwise_is_answered_column_by_column(
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
def test_delimiter_of_another_kind_is_told_with_the_words_to_write(tmp_path: Path, mark: str) -> None:
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
