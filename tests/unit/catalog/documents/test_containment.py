"""P7, contained: whatever one contract, suite or SQL holds, it is its own mistake,
and the dataset beside it goes on.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assets.factory import make_assets
from benchmarks.rides import contract_text
from catalog.files import load_catalog
from catalog.odcs.loader import load_contract
from expectations.building.build import build_suite
from lakegate.errors import ContractError
from tests.support.catalog.hostile_contracts import APPENDED, check_good, write

RULE = """    quality:
      - id: odd
        type: custom
        engine: greatExpectations
        severity: quarantine
        implementation: {{type: {type}, kwargs: {{column: fare, {arguments}}}}}
"""
FEATURE = """
customProperties:
  - {property: kind, value: feature}
  - {property: sql, value: bad.sql}
  - {property: driver, value: good}
  - {property: inputs, value: [good]}
"""
DEEP = 20_000


def ruled(type_: str, arguments: str) -> str:
    return contract_text("bad", RULE.format(type=type_, arguments=arguments) + APPENDED)


def conditioned(condition: str) -> str:
    return ruled(
        "expect_column_values_to_be_between", f"min_value: 0, row_condition: {json.dumps(condition)}"
    )


HOSTILE = {
    "brackets": "[" * DEEP,
    "braces": "{a: " * DEEP,
    "closed brackets": "[" * DEEP + "]" * DEEP,
    "indentation": "".join(" " * i + f"a{i}:\n" for i in range(900)),
    "just readable nesting": contract_text("bad", APPENDED + "tags: " + "[" * 99 + "]" * 99),
    "aliases": "a: &a [x, x]\n"
    + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefghijkl", "bcdefghijklm", strict=True)),
    "an alias of itself": "a: &a [*a]",
    "digits": contract_text("bad", f"{APPENDED}contractCreatedTs: {'9' * 10_000}"),
    "hexadecimal digits": contract_text(
        "bad", APPENDED + f"  - {{property: other, value: 0x{'f' * 10_000}}}"
    ),
    "an exponent": ruled("expect_column_values_to_be_between", "min_value: 1e999999999"),
    "half of a character": ruled("expect_column_values_to_be_in_set", 'value_set: ["\\ud800"]'),
    "half of a character as a key": contract_text("bad", APPENDED + '  - {property: "x\\udfff", value: 1}'),
    "an unclosed quote": contract_text("bad", APPENDED + 'id: "'),
    "tags": "!!python/object/apply:os.system [id]",
    "documents": "---\na: 1\n" * 100,
    "a scalar": "1",
    "nothing": "",
    "a list": "- 1\n- 2",
    "keys that are lists": "? [a, b]\n: c",
    "a merge": "<<: {a: 1}\nb: 2",
    "a condition of brackets": conditioned("(" * 3000 + "fare > 0" + ")" * 3000),
    "a condition of nots": conditioned("not " * 3000 + "fare > 0"),
    "a condition of ands": conditioned(" and ".join(["fare > 0"] * 150)),
    "a pattern of groups": ruled("expect_column_values_to_match_regex", f"regex: {'(' * 3000}{')' * 3000}"),
    "a condition as JSON": ruled(
        "expect_column_values_to_be_between",
        "min_value: 0, row_condition: " + '{"type": "and", "conditions": [' * 45 + "]}" * 45,
    ),
}
TEXTS = st.text(st.characters(codec="utf-8", categories=None), max_size=60)
NOISE = st.one_of(
    TEXTS,
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | TEXTS,
        lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    ).map(json.dumps),
    st.builds(
        lambda line, noise: "\n".join(
            noise if number == line else kept
            for number, kept in enumerate(contract_text("bad", APPENDED).split("\n"))
        ),
        st.integers(0, 12),
        TEXTS,
    ),
    st.builds(
        lambda mark, times: mark * times,
        st.sampled_from(["[", "{", "- ", "? ", "&a ", "!!", "'", "|\n ", "a: "]),
        st.integers(1, 3000),
    ),
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_contract_stops_itself_alone(project: Path, name: str) -> None:
    path = write(project, "bad", HOSTILE[name])
    catalog = check_good(project)
    if "bad" in catalog.broken:
        error = catalog.broken["bad"]
        assert error.where.startswith(str(path))
        with pytest.raises(ContractError):
            load_contract(path)


@pytest.mark.parametrize(
    "name",
    [
        "brackets",
        "closed brackets",
        "braces",
        "aliases",
        "digits",
        "hexadecimal digits",
        "half of a character",
    ],
)
def test_contract_that_can_not_be_read_is_refused(project: Path, name: str) -> None:
    write(project, "bad", HOSTILE[name])
    assert "bad" in check_good(project).broken


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=NOISE)
@example(text="[" * 1500)
def test_text_of_a_contract_never_stops_the_one_beside_it(project: Path, text: str) -> None:
    write(project, "bad", text)
    check_good(project, dagster=False)


@pytest.mark.parametrize("brackets", ["(", "select (", "select case when "])
def test_hostile_sql_stops_itself_alone(project: Path, brackets: str) -> None:
    write(project, "bad", contract_text("bad", FEATURE))
    sql = project / "catalog" / "sql" / "bad.sql"
    sql.write_text("select ride, fare, _drop, _row from good where " + brackets * 3000)
    error = check_good(project).broken["bad"]
    assert error.where.startswith(str(sql))
    sql.write_text("select ride, fare, _drop, _row from good where " + "(" * 200 + "ride > 0" + ")" * 200)
    check_good(project)


@pytest.mark.parametrize(
    "text",
    [
        "[" * DEEP,
        '{"expectations": ' + "[" * DEEP + "]" * DEEP + "}",
        '{"expectations": [' + "9" * 10_000 + "]}",
        '"\\ud800"',
        "",
        "null",
        "[]",
    ],
)
def test_hostile_suite_stops_its_own_dataset_alone(project: Path, text: str) -> None:
    write(project, "bad", contract_text("bad", APPENDED))
    suite = project / "expectations" / "suites" / "bad.json"
    suite.write_text(text)
    catalog = check_good(project)
    with pytest.raises(ContractError) as told:
        build_suite(catalog.get("bad"), "processed", project)
    assert told.value.where.startswith(str(suite))
    assert told.value.fix
    assert "bad" in make_assets(catalog, project).errors


def test_escapes_in_a_suite_are_the_characters(project: Path) -> None:
    """Python's json writes what is beyond the first 65,536 characters as two escapes."""
    rule = {
        "type": "expect_column_values_to_be_in_set",
        "kwargs": {"column": "note", "value_set": ["\U0001f600"]},
        "severity": "warning",
    }
    text = contract_text("good", "      - {name: note, logicalType: string}\n" + APPENDED)
    write(project, "good", text)
    (project / "expectations" / "suites" / "good.json").write_text(
        json.dumps({"name": "good", "expectations": [rule]})
    )
    suite = build_suite(load_catalog(project).get("good"), "processed", project)
    assert ["\U0001f600"] in [item.kwargs.get("value_set") for item in suite.rules]
