"""Headers that are no names: each brings the column that the contract maps to it,
and a message shows what the eye doesn't see.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.contract import RESCUED, FileFormat
from catalog.odcs.loader import load_contract
from lake.hops.raw import header_notes
from lakegate.errors import ContractError
from tests.support.catalog.mapped_headers import contract, refused, staged

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
def test_headers_can_all_be_mapped_to_a_column(tmp_path: Path, header: str) -> None:
    import json

    made = contract(tmp_path, f"name: value, physicalName: {json.dumps(header)}")
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([header, "id"])
    found, rows = staged(f"{line.getvalue()}x,1\n", made.file)
    assert found.columns == ("value", "id")
    assert [row["value"] for row in rows] == ["x"]
    assert refused(made, f"{line.getvalue()}x,1\n") == ""
    assert header_notes(found) == {"columns": [header, "id"], "names": ["value", "id"]}


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


def test_delimiter_at_each_lines_end_is_no_column_unless_it_holds_something(tmp_path: Path) -> None:
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


def test_contract_without_physical_names_records_nothing_more(tmp_path: Path) -> None:
    made = contract(tmp_path, "name: note")
    assert made.file.headers == ()
    assert header_notes(staged("id,note\n1,x\n", made.file)[0]) == {"columns": ["id", "note"]}


def test_file_of_which_no_column_is_the_contracts_is_refused_by_the_missing_ones(tmp_path: Path) -> None:
    """Not as rows that don't add up: each of its records is read, into no column."""
    path = contract(tmp_path, "name: name, physicalName: NAME").path
    text = path.read_text()
    path.write_text(text.replace("{name: id, ", "{name: id, physicalName: ID, "))
    made = load_contract(path)
    found, _ = staged("id,name\n1,a\n2,b\n", made.file)
    assert (found.records, found.readable) == (2, 2)
    assert "missing" in refused(made, "id,name\n1,a\n2,b\n")
