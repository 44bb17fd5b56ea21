"""P7, contained: whatever one contract, suite or SQL holds, it is its own mistake, and the dataset beside it goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assets.factory import make_assets
from benchmarks.rides import contract_text
from catalog import files
from catalog.contract import Contract
from catalog.files import Catalog, load_catalog
from catalog.odcs.loader import load_contract
from expectations.building.build import build_suite
from lakegate.errors import ContractError, LakegateError, unforeseen

APPENDED = """
customProperties:
  - {property: writeMode, value: append}
"""
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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("catalog/contracts", "catalog/sql", "expectations/suites"):
        (tmp_path / name).mkdir(parents=True)
    write(tmp_path, "good", contract_text("good", APPENDED))
    return tmp_path


def write(project: Path, name: str, text: str) -> Path:
    path = project / "catalog" / "contracts" / f"{name}.odcs.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def check_good(project: Path, *, dagster: bool = True) -> Catalog:
    """The good one goes on: in the catalog, in its suites, in Dagster. Whatever became of the other one is told as its own."""
    catalog = load_catalog(project)
    assert "good" in catalog.contracts
    assert all(
        isinstance(error, ContractError) and error.where and error.fix for error in catalog.broken.values()
    )
    good = catalog.get("good")
    assert [build_suite(good, hop, project).hash for hop in ("raw", "processed")]
    if not dagster:
        return catalog
    made = make_assets(catalog, project)
    assert "good" in made.jobs
    return catalog


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_contract_stops_itself_alone(project: Path, name: str) -> None:
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
def test_what_can_not_be_read_is_refused(project: Path, name: str) -> None:
    write(project, "bad", HOSTILE[name])
    assert "bad" in check_good(project).broken


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=NOISE)
@example(text="[" * 1500)
def test_no_text_of_a_contract_stops_the_one_beside_it(project: Path, text: str) -> None:
    write(project, "bad", text)
    check_good(project, dagster=False)


@pytest.mark.parametrize("brackets", ["(", "select (", "select case when "])
def test_a_hostile_sql_stops_itself_alone(project: Path, brackets: str) -> None:
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
def test_a_hostile_suite_stops_its_own_dataset_alone(project: Path, text: str) -> None:
    write(project, "bad", contract_text("bad", APPENDED))
    suite = project / "expectations" / "suites" / "bad.json"
    suite.write_text(text)
    catalog = check_good(project)
    with pytest.raises(ContractError) as told:
        build_suite(catalog.get("bad"), "processed", project)
    assert told.value.where.startswith(str(suite))
    assert told.value.fix
    assert "bad" in make_assets(catalog, project).errors


def test_what_a_suite_writes_as_escapes_is_the_character(project: Path) -> None:
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


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to nothing", "name that is not UTF-8"])
def test_what_is_no_file_stops_nobody(project: Path, kind: str) -> None:
    path = project / "catalog" / "contracts" / "bad.odcs.yaml"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "link to nothing":
            path.symlink_to(project / "nowhere")
        case _:
            Path(os.fsdecode(os.fsencode(path.parent) + b"/b\xff.odcs.yaml")).write_text("a: 1")
    (error,) = check_good(project).broken.values()
    assert str(error).encode()


@pytest.mark.parametrize(
    "raised",
    [
        RecursionError(),
        MemoryError(),
        ValueError("secret"),
        KeyError("secret"),
        UnicodeDecodeError("utf-8", b"", 0, 1, ""),
    ],
)
def test_whatever_a_library_raises_is_the_mistake_of_the_file_that_it_read(
    project: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    honest = files.read_contract
    write(project, "bad", contract_text("bad", APPENDED))

    def fails(path: Path) -> object:
        if path.name == "bad.odcs.yaml":
            raise raised
        return honest(path)

    monkeypatch.setattr(files, "read_contract", fails)
    error = check_good(project).broken["bad"]
    assert "bad.odcs.yaml" in error.where
    assert "secret" not in str(error)


def test_what_fails_while_contracts_are_compared_is_the_mistake_of_one(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, "bad", contract_text("bad", APPENDED))

    def fails(contract: Contract, _: object) -> None:
        if contract.name == "bad":
            raise RecursionError

    monkeypatch.setattr(files, "wrong_reference", fails)
    assert "nested" in check_good(project).broken["bad"].what


@pytest.mark.parametrize("owner", ["Data Team, Ops!", "a b@c d", "é" * 300, "-", "team:x"])
def test_dagster_takes_a_contract_whoever_owns_it(project: Path, owner: str) -> None:
    write(project, "bad", contract_text("bad", f"{APPENDED}team: {{name: {json.dumps(owner)}}}\n"))
    assert "bad" in make_assets(check_good(project), project).jobs


def test_an_error_that_nobody_foresaw_tells_its_kind_and_place_and_no_value() -> None:
    def fails() -> None:
        raise ValueError("a value")

    try:
        fails()
    except ValueError as error:
        told: LakegateError = unforeseen(error)
    assert "ValueError" in told.what
    assert told.where.startswith("test_containment.py:")
    assert "a value" not in str(told)
