"""Nested fields: what a contract says of a JSON column is asked of every text, and the answer depends on nothing beside it."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.contract import Contract, FileFormat
from catalog.nested import Nested
from catalog.odcs.loader import load_contract
from expectations.building.build import build_suite
from expectations.plan.plan import make_plan
from lake.parsing.csv.parse import parse
from lake.parsing.json_checks import judge_nested
from lakegate.errors import ContractError, DataRejected
from tests.unit.lake.parsing.test_json_checks import NO, Number, damaged, names, read, written

nested = st.recursive(
    st.builds(
        Nested,
        st.sampled_from(["string", "integer", "number", "boolean", "date", "timestamp", "object", "array"]),
        st.booleans(),
    ),
    lambda inner: (
        st.builds(
            lambda fields, must: Nested("object", must, tuple(fields.items())),
            st.dictionaries(names, inner, max_size=3),
            st.booleans(),
        )
        | st.builds(lambda items, must: Nested("array", must, items=items), inner, st.booleans())
    ),
    max_leaves=5,
)


def fits(kind: str, value: Any) -> bool:
    """Whether a value is of a declared type, by another road than the code's."""
    text, number = isinstance(value, str) and not isinstance(value, Number), isinstance(value, Number)
    if kind == "integer":
        return number and value.lstrip("-").isdecimal() and len(value.lstrip("-")) <= 18
    if kind in ("date", "timestamp"):
        try:
            date.fromisoformat(value[:10] if text else "")
        except ValueError:
            return False
        return bool(re.fullmatch(r"[0-9-]{10}" + (r"T10:00:00Z" if kind == "timestamp" else ""), value))
    return {
        "string": text,
        "number": number,
        "boolean": isinstance(value, bool),
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
    }[kind]


def broken(spec: Nested, value: Any, path: str = "") -> set[tuple[str, str]]:
    """What a value breaks, asked value by value."""
    if not fits(spec.type, value):
        return {("type", path)}
    found = {("unexpected", path)} if spec.fields and value.keys() - dict(spec.fields).keys() else set()
    inner = [(f"{path}.{name}", field, value.get(name)) for name, field in spec.fields]
    inner += [(f"{path}[]", spec.items, item) for item in value] if spec.items else []
    for place, field, item in inner:
        found |= (
            broken(field, item, place)
            if item is not None
            else {("required", place)}
            if field.required
            else set()
        )
    return found


@settings(max_examples=80)
@given(nested, st.lists(st.none() | written | damaged(), max_size=12))
def test_each_row_breaks_what_its_own_text_breaks(spec: Nested, batch: list[str | None]) -> None:
    checks = [(check, path) for check, path, _ in spec.checks()]
    assert len(set(checks)) == len(checks)
    read_ = [None if text is None else read(text) for text in batch]
    wanted = [
        set() if text is None else {("type", "")} if value is NO else broken(spec, value)
        for text, value in zip(batch, read_, strict=True)
    ]
    marks = judge_nested(pa.array(batch, pa.string()), spec).to_pylist()
    assert [
        {check for check, mark in zip(checks, row, strict=True) if mark == "1"} for row in marks
    ] == wanted


def test_an_integer_has_the_digits_that_a_column_of_integers_takes() -> None:
    told = judge_nested(
        pa.array(["[999999999999999999]", "[-999999999999999999]", "[1000000000000000000]"]),
        Nested("array", items=Nested("integer")),
    )
    assert told.to_pylist() == ["00", "00", "01"]


@pytest.mark.parametrize(
    ("kind", "text", "fine"),
    [
        ("date", "2000-02-29", True),
        ("date", "1900-02-29", False),
        ("date", "2024-04-31", False),
        ("date", "2024-1-1", False),
        ("timestamp", "2024-01-01 23:59:59.999999+18:00", True),
        ("timestamp", "2024-01-01T24:00:00", False),
        ("timestamp", "2024-01-01T10:00:00+18:01", False),
        ("timestamp", "2024-01-01", False),
        ("timestamp", "2024-01-01T10:00:00Z\n", False),
        ("date", "0001-01-01", True),
        ("date", "9999-12-31", True),
        ("date", "0000-01-01", False),
        ("date", "0000-02-29", False),
        ("date", "0400-02-29", True),
        ("timestamp", "0000-12-31T23:00:00-02:00", False),
        ("timestamp", "0001-01-01T01:59:59+02:00", False),
        ("timestamp", "0001-01-01T02:00:00+02:00", True),
        ("timestamp", "9999-12-31T23:59:59-00:01", False),
        ("timestamp", "9999-12-31 21:59:59.999999-02:00", True),
        ("timestamp", "9999-12-31T23:59:59.999999Z", True),
    ],
)
def test_a_nested_time_is_one_that_the_calendar_has(kind: str, text: str, fine: bool) -> None:
    assert judge_nested(pa.array([json.dumps([text])]), Nested("array", items=Nested(kind))).to_pylist() == [
        "00" if fine else "01"
    ]


@pytest.mark.parametrize(
    ("number", "fine"),
    [
        ("1e308", True),
        ("1e309", False),
        ("-1e400", False),
        ("9" * 308, True),
        ("9" * 310, False),
        ("1e-320", True),
        ("1e-400", False),
        ("0." + "0" * 400 + "1", False),
        ("0e999", True),
        ("-0.0e-999", True),
    ],
)
def test_a_nested_number_is_one_that_a_double_holds(number: str, fine: bool) -> None:
    assert judge_nested(pa.array([f"[{number}]"]), Nested("array", items=Nested("number"))).to_pylist() == [
        "00" if fine else "01"
    ]


CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: orders
name: orders
version: 1.0.0
status: draft
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - name: payload
        logicalType: object
        properties:
          - {name: total, logicalType: number, required: true}
          - name: buyer
            logicalType: object
            properties:
              - {name: mail, logicalType: string, classification: CLASS}
      - {name: tags, logicalType: array, items: {logicalType: string, required: true}}
customProperties:
  - {property: writeMode, value: append}
  - {property: unexpectedColumns, value: WORD}
"""


def orders(
    folder: Path, *, word: str = "refuse", cls: str = "public", change: tuple[str, str] = ("", "")
) -> Contract:
    path = folder / "catalog" / "contracts" / "orders.odcs.yaml"
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir(parents=True)
    path.write_text(CONTRACT.replace("WORD", word).replace("CLASS", cls).replace(*change, 1))
    return load_contract(path)


def test_a_contract_makes_rules_of_nested_fields(tmp_path: Path) -> None:
    contract = orders(tmp_path)
    rules = {
        rule.id: rule
        for rule in build_suite(contract, "processed", tmp_path).rules
        if rule.type.startswith("expect_nested")
    }
    assert list(rules) == [
        "type:payload",
        "unexpected:payload",
        "required:payload.total",
        "type:payload.total",
        "type:payload.buyer",
        "unexpected:payload.buyer",
        "type:payload.buyer.mail",
        "type:tags",
        "required:tags[]",
        "type:tags[]",
    ]
    assert {(rule.family, rule.severity, rule.row_rule) for rule in rules.values()} == {
        ("schema", "quarantine", True)
    }
    steps = {
        step.rule.id: step.sql
        for step in make_plan(build_suite(contract, "processed", tmp_path), contract).steps
    }
    assert steps["required:tags[]"] == "substring(`__nested_tags`, 2, 1) = '1'"
    assert "imbalance" not in {rule.id for rule in build_suite(contract, "processed", tmp_path).rules}
    for word in ("ignore", "rescue"):
        found = build_suite(orders(tmp_path, word=word), "processed", tmp_path).rules
        assert {rule.severity for rule in found if rule.id.startswith("unexpected:")} == {"warn"}


def test_a_personal_nested_field_makes_the_whole_column_personal(tmp_path: Path) -> None:
    assert orders(tmp_path).personal == frozenset()
    contract = orders(tmp_path, cls="personal")
    assert contract.personal == {"payload"}
    assert "payload" not in {*contract.with_statistics, *(column.name for column in contract.drifting)}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("logicalType: number", "logicalType: numbr"), "the nested field 'total' has logicalType 'numbr'"),
        (("logicalType: number", "logicalType: decimal"), "there is no decimal: write number"),
        (
            ("items: {logicalType: string", "items: {logicalType: map"),
            "the nested field 'items' has logicalType 'map'",
        ),
        (("name: mail", "name: e.mail"), "can't name a nested field"),
        (("name: buyer", "name: total"), "twice"),
        (("classification: public", "classification: privat"), "'privat'"),
        (("classification: public", "unique: true"), "doesn't act on 'unique'"),
        (("classification: public", "primaryKey: true"), "doesn't act on 'primaryKey'"),
        (("items: {logicalType: string, required: true}", "logicalTypeOptions: {minItems: 1}"), "minItems"),
        (("logicalType: object", "logicalType: string"), "properties"),
        (
            ("{name: tags, ", "{name: tags, required: true, primaryKey: true, primaryKeyPosition: 2, "),
            "primaryKey",
        ),
    ],
)
def test_what_nobody_would_check_is_refused_with_its_place(
    tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    assert change[0] in CONTRACT.replace("CLASS", "public")
    with pytest.raises(ContractError) as caught:
        orders(tmp_path, change=change)
    assert (told in str(caught.value), bool(re.search(r":\d+$", caught.value.where or ""))) == (True, True), (
        caught.value
    )
    assert caught.value.fix


def staged(text: str, format: FileFormat) -> list[dict[str, Any]]:  # noqa: A002
    with tempfile.TemporaryDirectory() as folder:
        path, into = Path(folder, "drop.csv"), Path(folder, "staging.parquet")
        path.write_text(text, encoding="utf-8", newline="")
        parse(path, format, into=into)
        return [dict(row) for row in pq.read_table(into).to_pylist()]


def test_marks_are_staged_beside_the_text_as_it_was_delivered(tmp_path: Path) -> None:
    text = 'id,extra,payload,tags\n1,x,"{""total"": 1}",\n2,,"{""total"":null}","[""a"", 1]"\n'
    rows = staged(text, orders(tmp_path, word="rescue").file)
    assert [
        (row["payload"], row["__nested_payload"], row["tags"], row["__nested_tags"], row["_rescued"])
        for row in rows
    ] == [
        ('{"total": 1}', "0000000", None, "000", '{"extra":"x"}'),
        ('{"total":null}', "0010000", '["a", 1]', "001", None),
    ]
    plain = orders(tmp_path).file
    assert staged("id,tags\n1,[]\n", plain) == [
        {"id": None, "tags": "[]", "__nested_tags": "000", "__plain_id": 1, "_row": 1}
    ]
    with pytest.raises(DataRejected, match="Lakegate's own"):
        staged("id,payload,tags,__nested_TAGS\n1,{},[],0\n", plain)
