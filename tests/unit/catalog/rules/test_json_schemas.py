"""JSON schemas of rules: what they refer to lies in them, so judging fetches nothing."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.contract import Contract
from catalog.odcs.loader import load_contract
from catalog.rules.expectation_types import Expectation
from catalog.rules.json_schemas import REFERENCES, json_schema
from lakegate.errors import ContractError
from tests.support.places import ROOT

KEYS = st.sampled_from(["properties", "a", "allOf", "$defs", "items", "x-own", "const"])
TARGETS = st.sampled_from(
    ["http://e.example/a", "file:///etc/passwd", "other.json", "//e.example/b", "urn:a:b", ""]
)


def found(schema: Any) -> list[str]:
    return [
        mistake.what
        for mistake in json_schema(cast("Contract", None), cast("Expectation", None), "json_schema", schema)
    ]


@given(st.lists(KEYS, max_size=4), st.sampled_from(REFERENCES), TARGETS)
def test_reference_to_elsewhere_is_refused_wherever_it_stands(path: list[str], key: str, target: str) -> None:
    schema: Any = {key: target}
    for name in reversed(path):
        schema = {name: [schema] if name == "allOf" else schema}
    where = "".join(f"/{name}/0" if name == "allOf" else f"/{name}" for name in path)
    assert (
        found(schema)[0]
        == f"json_schema: {where}/{key} is {target!r}, which would be fetched while rows are judged"
    )


def test_reference_within_the_schema_is_taken_and_judges_without_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fetched(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(urllib.request, "urlopen", fetched)
    schema = {
        "$ref": "#/$defs/a",
        "$defs": {"a": {"type": "object", "properties": {"$ref": {"type": "string"}}}},
    }
    assert found(schema) == []
    jsonschema.validate({"$ref": "a"}, schema)


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        ({"$ref": "#/$defs/missing"}, "the schema has no such part"),
        ({"type": "objekt"}, "is no JSON schema: 'objekt'"),
        ("{", "is no JSON"),
        (["a"], "is no JSON schema"),
        ('{"$ref": "http://e.example/a"}', "would be fetched"),
    ],
)
def test_schema_that_no_row_could_be_judged_by_is_refused(schema: Any, what: str) -> None:
    assert what in " ".join(found(schema))


def test_contract_check_names_the_place(tmp_path: Path) -> None:
    rule = """quality:
  - id: shape
    type: custom
    engine: greatExpectations
    dimension: conformity
    severity: warn
    implementation:
      type: expect_column_values_to_match_json_schema
      kwargs: {column: name, json_schema: {$ref: 'http://elsewhere.example/a.json'}}
"""
    path = tmp_path / "airlines.odcs.yaml"
    indented = "".join(f"    {line}\n" for line in rule.splitlines())
    path.write_text(
        (ROOT / "catalog/contracts/airlines.odcs.yaml").read_text().replace("    quality:\n", indented, 1)
    )
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    line = next(
        number for number, line in enumerate(path.read_text().splitlines(), 1) if "elsewhere.example" in line
    )
    assert f"airlines.odcs.yaml:{line}" in str(caught.value)
    assert "would be fetched while rows are judged" in str(caught.value)
    assert "$defs" in str(caught.value)
