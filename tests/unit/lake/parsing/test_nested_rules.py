"""What a contract says of nested fields becomes rules, and what nobody would check is refused."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from catalog.contract import Contract, FileFormat
from catalog.odcs.loader import load_contract
from expectations.building.build import build_suite
from expectations.plan.plan import make_plan
from lake.parsing.csv.parse import parse
from lakegate.errors import ContractError, DataRejected

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


def test_contract_makes_rules_of_nested_fields(tmp_path: Path) -> None:
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


def test_personal_nested_field_makes_the_whole_column_personal(tmp_path: Path) -> None:
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
def test_nested_keys_that_nobody_would_check_are_refused_with_their_place(
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
