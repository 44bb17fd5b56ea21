"""Unexpected columns that a contract rescues: nothing of them is lost,
and each row's text is one canonical JSON object.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.contract import RESCUED, FileFormat
from expectations.building.build import build_suite
from expectations.plan.raw_gate import Arrival, judge_arrival
from expectations.verdict import Verdict, verdict_of
from lake.hops.raw import judge_raw
from lake.parsing.csv.parse import parse
from lake.parsing.parsed import Parsed
from lakegate.errors import ContractError, DataRejected
from tests.support.catalog.planes_contract import planes

FORMAT = FileFormat(known=("a", "b"), null_values=("", "NA"), max_lines=50)
values = st.text(
    st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=8
) | st.sampled_from(["", "NA", 'a"\\\n\t\x01\x1f\x7f', "é😀"])
names = st.text(
    st.characters(min_codepoint=0x21, exclude_characters="\x7f", exclude_categories=["Cs", "Cc"]), max_size=4
)


def staged(text: str, format: FileFormat = FORMAT) -> tuple[Parsed, pa.Table]:  # noqa: A002
    with tempfile.TemporaryDirectory() as folder:
        path, into = Path(folder, "drop.csv"), Path(folder, "staging.parquet")
        path.write_text(text, encoding="utf-8", newline="")
        return parse(path, format, into=into), pq.read_table(into)


@settings(max_examples=60)
@given(st.data())
def test_values_of_unexpected_columns_are_there_as_canonical_json(data: st.DataObject) -> None:
    others = data.draw(
        st.lists(
            names.filter(lambda name: name.lower() not in ("a", "b", "_row", "_record", RESCUED)),
            unique=True,
            max_size=4,
        )
    )
    header = data.draw(st.permutations(["a", "b", *others]))
    rows = data.draw(st.lists(st.lists(values, min_size=len(header), max_size=len(header)), max_size=6))
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([header, *rows])
    found, table = staged(out.getvalue(), FileFormat(known=("a", "b"), null_values=("", "NA"), max_lines=50))
    unnamed = header[-1] == "" and all(
        row[-1] in ("", "NA") for row in rows
    )  # as where each line ends with a delimiter
    assert (found.columns, found.readable) == (tuple(header[:-1] if unnamed else header), len(rows))
    assert table.column_names == [*(name for name in header if name in ("a", "b")), RESCUED, "_row"]
    delivered = [dict(zip(header, row, strict=True)) for row in rows]
    kept = [
        {
            name: row[name]
            for name in sorted(others, key=lambda name: name.encode("utf-16-be"))
            if row[name] not in ("", "NA")
        }
        for row in delivered
    ]
    wanted = [json.dumps(item, ensure_ascii=False, separators=(",", ":")) if item else None for item in kept]
    assert table.column(RESCUED).to_pylist() == wanted
    assert found.rescued == sum(bool(item) for item in kept)


def test_column_is_there_when_there_is_nothing_to_rescue_and_not_where_nothing_is_rescued() -> None:
    found, table = staged("a,b\n1,2\n")
    assert (table.column(RESCUED).to_pylist(), found.rescued) == ([None], 0)
    found, table = staged("a,b,c\n1,2,3\n", FileFormat())
    assert (table.column_names, found.rescued) == (["a", "b", "c", "_row"], None)


def test_names_stand_in_the_order_of_the_rfc() -> None:
    found, table = staged("a,b,\ufb33,\U0001f600,c\n1,2,x,y,z\n")
    assert (table.column(RESCUED).to_pylist(), found.rescued) == (
        ['{"c":"z","\U0001f600":"y","\ufb33":"x"}'],
        1,
    )


@pytest.mark.parametrize("name", [RESCUED, "_Rescued", "_row", "_ROW"])
def test_delivery_cannot_bring_a_column_of_that_name(name: str) -> None:
    with pytest.raises(DataRejected, match="Lakegate's own"):
        staged(f"a,b,{name}\n1,2,3\n")


def test_contract_that_rescues_publishes_and_tells_columns_and_rows(tmp_path: Path) -> None:
    contract = planes(tmp_path, "{property: unexpectedColumns, value: rescue}")
    assert [column.name for column in contract.columns][-1] == RESCUED
    assert RESCUED in contract.personal
    assert RESCUED not in {
        *contract.with_statistics,
        *(column.name for column in (*contract.drifting, *contract.delivered)),
    }
    suite, header = build_suite(contract, "raw", tmp_path), [column.name for column in contract.delivered]
    assert f"column:{RESCUED}" not in {rule.id for rule in suite.rules}
    found, _ = staged(
        f"{','.join([*header, 'colour', 'code'])}\n{',' * len(header)}red,7\n{',' * (len(header) + 1)}\n",
        contract.file,
    )
    outcomes = {item.rule.id: item for item in judge_raw(suite, found)}
    told = outcomes["unexpected-columns"]
    assert (told.failed, told.rule.family, verdict_of(outcomes.values(), quarantined=0)) == (
        2,
        "schema",
        Verdict.PASSED,
    )
    assert told.observed == {
        "told": "unexpected: colour, code; kept in _rescued of 1 rows",
        "rescued_rows": 1,
    }
    missing = judge_arrival(suite, Arrival(tuple(header[1:]), 1, 1, 0))
    assert verdict_of(missing, quarantined=0) is Verdict.BLOCKED


def test_rules_may_state_no_values_of_what_was_rescued(tmp_path: Path) -> None:
    rule = f"{{property: drift, value: {{columns: [{RESCUED}]}}}}"
    with pytest.raises(ContractError):
        planes(tmp_path, "{property: unexpectedColumns, value: rescue}", rule)
