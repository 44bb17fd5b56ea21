"""Suite files of Great Expectations: their rules come after the contract's,
and each mistake is told at its line.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.rules.expectation_types import EXPECTATIONS
from expectations.building.build import build_suite
from expectations.building.suite_files import stray_suite_files
from expectations.suite import Suite
from lakegate.errors import ContractError
from tests.support.catalog.demo_suites import CATALOG, FLIGHTS, ids


def extend(project: Path, name: str, *expectations: dict[str, Any]) -> Path:
    folder = project / "expectations" / "suites"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"name": name, "expectations": list(expectations)}, indent=2))
    return path


def between(column: str = "distance", **more: Any) -> dict[str, Any]:
    kwargs = {"column": column, "min_value": 1}
    return {"type": "expect_column_values_to_be_between", "kwargs": kwargs, "severity": "warning"} | more


def test_suite_files_add_their_rules_after_the_contracts(tmp_path: Path) -> None:
    before = build_suite(FLIGHTS, "processed", tmp_path)
    extend(tmp_path, "flights", between())
    own = {"lakegate": {"rule": "far", "family": "distribution", "severity": "warn"}}
    extend(
        tmp_path,
        "flights.processed",
        {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "day"}, "meta": own},
    )
    extend(
        tmp_path,
        "flights_raw",
        {
            "type": "expect_table_row_count_to_be_between",
            "kwargs": {"min_value": 100},
            "severity": "critical",
        },
    )
    suite = build_suite(FLIGHTS, "processed", tmp_path)
    assert suite.rules[: len(before.rules)] == before.rules
    first, second = suite.rules[len(before.rules) :]
    assert (first.id, first.severity, first.family) == (
        "column_values_to_be_between:distance",
        "quarantine",
        "range",
    )
    assert (second.id, second.severity, second.family) == ("far", "warn", "distribution")
    assert ids(build_suite(FLIGHTS, "raw", tmp_path))[-1] == "table_row_count_to_be_between"
    assert suite.hash != before.hash


def test_suite_that_lakegate_wrote_is_read_back_as_the_same_rules(tmp_path: Path) -> None:
    stated = [
        rule
        for rule in build_suite(FLIGHTS, "processed", tmp_path).rules
        if not EXPECTATIONS[rule.type].generated
    ]
    suite = Suite("flights", "processed", tuple(replace(rule, id=f"again-{rule.id}") for rule in stated))
    folder = tmp_path / "expectations" / "suites"
    folder.mkdir(parents=True)
    (folder / "flights.json").write_text(json.dumps(suite.to_gx(), indent="\t"))
    assert build_suite(FLIGHTS, "processed", tmp_path).rules[-len(stated) :] == suite.rules


def test_arguments_that_change_nothing_do_not_change_the_hash(tmp_path: Path) -> None:
    extend(tmp_path, "flights", between())
    before = build_suite(FLIGHTS, "processed", tmp_path).hash
    extend(
        tmp_path,
        "flights",
        between(
            kwargs={
                "mostly": 1.0,
                "max_value": None,
                "min_value": 1,
                "column": "distance",
                "strict_min": False,
            }
        ),
    )
    assert build_suite(FLIGHTS, "processed", tmp_path).hash == before


MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown type": (
        between(type="expect_column_values_to_be_betwen"),
        "betwen",
        "'expect_column_values_to_be_between'",
    ),
    "misspelt column": (between("distnace"), "distnace", "'distance'"),
    "misspelt argument": (between(kwargs={"column": "distance", "min_vale": 1}), "min_vale", "'min_value'"),
    "unknown argument": (
        between(kwargs={"column": "distance", "min_value": 1, "mostl": 0.9}),
        "mostl",
        "'mostly'",
    ),
    "tolerance beside quarantine": (
        between(kwargs={"column": "distance", "min_value": 1, "mostly": 0.9}),
        "mostly",
        "maxQuarantined",
    ),
    "unknown key": (between(sevrity="critical"), "sevrity", "'severity'"),
    "no severity": (
        {key: value for key, value in between().items() if key != "severity"},
        "no severity",
        "critical",
    ),
    "unknown severity": (between(severity="warn"), "'warn'", "'warning'"),
    "two severities": (between(meta={"lakegate": {"severity": "block"}}), "quarantine", "critical"),
    "unknown family": (between(meta={"lakegate": {"family": "rang"}}), "rang", "'range'"),
    "unknown word in meta": (between(meta={"lakegate": {"famliy": "range"}}), "famliy", "'family'"),
    "table rule that sets aside": (
        between(type="expect_table_row_count_to_be_between", kwargs={"min_value": 1}),
        "no row",
        "warn, trigger, hold or block",
    ),
    "row rule that holds": (
        between(severity="critical", meta={"lakegate": {"severity": "hold"}}),
        "judges rows",
        "warn, quarantine or block",
    ),
    "severity that is not GX's": (
        between(severity="info", meta={"lakegate": {"severity": "quarantine"}}),
        "means warn",
        "'warning'",
    ),
    "pattern that does not compile": (
        between(
            type="expect_column_values_to_match_regex", kwargs={"column": "carrier", "regex": "^[A-Z{2}$"}
        ),
        "no pattern",
        "correct the pattern",
    ),
    "pattern of several that does not compile": (
        between(
            type="expect_column_values_to_match_regex_list",
            kwargs={"column": "carrier", "regex_list": ["^A", "("]},
        ),
        "no pattern",
        "correct the pattern",
    ),
    "misspelt column in a condition": (
        between(kwargs={"column": "distance", "min_value": 1, "row_condition": "dya > 1"}),
        "dya",
        "'day'",
    ),
    "misspelt column of several": (
        between(type="expect_compound_columns_to_be_unique", kwargs={"column_list": ["day", "filght"]}),
        "filght",
        "'flight'",
    ),
    "id taken": (between(meta={"lakegate": {"rule": "key"}}), "'key'", "lakegate"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_in_a_suite_file_tells_file_line_and_fix(tmp_path: Path, mistake: str) -> None:
    expectation, what, fix = MISTAKES[mistake]
    path = extend(tmp_path, "flights", between("month"), expectation)
    with pytest.raises(ContractError) as caught:
        build_suite(FLIGHTS, "processed", tmp_path)
    file, _, line = caught.value.where.rpartition(":")
    second = [i for i, text in enumerate(path.read_text().splitlines(), 1) if text == "    {"][1]
    assert (file, int(line) >= second) == (str(path), True)
    assert what in caught.value.what
    assert fix in caught.value.fix


def test_mistakes_of_the_suite_files_of_a_hop_are_told_at_once(tmp_path: Path) -> None:
    whole, given = [item for name, item in MISTAKES.items() if name != "id taken"], []
    for number, (item, _, _) in enumerate(whole):
        own = item.get("meta", {}).get("lakegate", {})
        given.append({**item, "meta": {"lakegate": {**own, "rule": f"rule-{number}"}}})
    paths = [extend(tmp_path, "flights", *given[::2]), extend(tmp_path, "flights.processed", *given[1::2])]
    with pytest.raises(ContractError) as caught:
        build_suite(FLIGHTS, "processed", tmp_path)
    told = [caught.value, *caught.value.others]
    assert len(told) == len(whole)
    assert {Path(item.where.rpartition(":")[0]) for item in told} == {*paths}
    for item in told:
        assert any(what in item.what and fix in item.fix for _, what, fix in whole), item


def test_broken_json_tells_its_line(tmp_path: Path) -> None:
    path = extend(tmp_path, "flights", between())
    path.write_text('{\n "name": "flights",\n "expectations": [,]\n}')
    with pytest.raises(ContractError, match=r"flights\.json:3: not valid JSON"):
        build_suite(FLIGHTS, "processed", tmp_path)


def test_row_rule_at_raw_is_refused(tmp_path: Path) -> None:
    extend(tmp_path, "flights_raw", between())
    with pytest.raises(ContractError, match="raw holds bytes"):
        build_suite(FLIGHTS, "raw", tmp_path)


def test_suite_file_of_no_table_is_told(tmp_path: Path) -> None:
    extend(tmp_path, "flights_processed", between())
    extend(tmp_path, "flights", between())
    strays = stray_suite_files(CATALOG.contracts.values(), tmp_path)
    assert list(strays) == ["flights_processed.json"]
    assert "flights.processed" in strays["flights_processed.json"].fix
    extend(tmp_path, "rides.processed", between())
    assert list(stray_suite_files(CATALOG.contracts.values(), tmp_path, unread=["rides"])) == [
        "flights_processed.json"
    ]
    assert list(stray_suite_files(CATALOG.contracts.values(), tmp_path)) == [
        "flights_processed.json",
        "rides.processed.json",
    ]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("trigger", "warning"), ("hold", "critical"), ("block", "critical"), ("warn", "info")],
)
def test_table_rule_takes_lakegates_own_severities_beside_gxs(tmp_path: Path, ours: str, theirs: str) -> None:
    rule = between(
        type="expect_column_max_to_be_between", severity=theirs, meta={"lakegate": {"severity": ours}}
    )
    extend(tmp_path, "flights", rule)
    assert build_suite(FLIGHTS, "processed", tmp_path).rules[-1].severity == ours
