"""What a contract decides about keys that come twice, columns that nobody announced,
and how many rows may be lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from catalog.contract import Contract
from catalog.odcs.loader import load_contract
from expectations.building.build import build_suite
from expectations.plan.raw_gate import Arrival, judge_arrival
from expectations.rules.row_count_rules import judge_table
from expectations.suite import Rule
from expectations.verdict import Verdict, verdict_of
from lakegate.errors import ContractError
from tests.support.catalog.planes_contract import planes


def rule_of(contract: Contract, name: str, hop: Any = "processed") -> Rule:
    return next(
        rule for rule in build_suite(contract, hop, contract.path.parents[2]).rules if rule.id == name
    )


def test_contract_that_says_nothing_sets_every_row_of_a_key_aside_and_refuses_columns(
    tmp_path: Path,
) -> None:
    contract = planes(tmp_path)
    assert rule_of(contract, "key").type == "expect_column_values_to_be_unique"
    assert rule_of(contract, "unexpected-columns", "raw").severity == "block"
    assert rule_of(contract, "max-quarantined").kwargs == {"max_share": 0.1}
    assert rule_of(contract, "readable", "raw").kwargs == {"max_share": 0.1}


def test_contract_can_keep_one_row_of_a_key(tmp_path: Path) -> None:
    contract = planes(tmp_path, "{property: duplicateKeys, value: {keep: last, orderBy: [year]}}")
    assert rule_of(contract, "key").type == "expect_key_to_stand_once"
    assert rule_of(contract, "key").kwargs == {
        "column_list": ["tailnum"],
        "keep": "last",
        "order_by": ["year"],
    }


def test_table_without_a_key_can_keep_no_row(tmp_path: Path) -> None:
    properties = "{property: duplicateKeys, value: {keep: first}}"
    with pytest.raises(ContractError, match="has no key whose rows"):
        without_key(planes(tmp_path, properties).path)


def without_key(path: Path) -> Contract:
    yaml = YAML(typ="safe", pure=True)
    data = yaml.load(path)
    for column in data["schema"][0]["properties"]:
        for word in ("primaryKey", "primaryKeyPosition"):
            column.pop(word, None)
    with path.open("w") as file:
        yaml.dump(data, file)
    return load_contract(path)


def test_contract_can_ignore_columns_that_nobody_announced_but_not_two_of_one_name(tmp_path: Path) -> None:
    contract = planes(tmp_path, "{property: unexpectedColumns, value: ignore}")
    suite, names = build_suite(contract, "raw", tmp_path), tuple(column.name for column in contract.columns)
    found = {outcome.rule.id: outcome for outcome in judge_arrival(suite, Arrival((*names, "colour"), 9, 9))}
    assert (found["unexpected-columns"].failed, verdict_of(found.values(), quarantined=0)) == (
        1,
        Verdict.PASSED,
    )
    twice = judge_arrival(suite, Arrival((*names, "TailNum"), 9, 9))
    assert verdict_of(twice, quarantined=0) is Verdict.BLOCKED


@pytest.mark.parametrize(
    ("value", "lost", "kept"),
    [
        ("{rows: 3}", 4, 3),
        ("{share: 0.5, rows: 3}", 4, 3),
        ("{share: 0.02, rows: 30}", 3, 2),
        ("0.02", 3, 2),
        ("{rows: 0}", 1, 0),
    ],
)
def test_error_budget_is_a_share_or_a_number_of_rows(
    tmp_path: Path, value: str, lost: int, kept: int
) -> None:
    rule = rule_of(planes(tmp_path, f"{{property: maxQuarantined, value: {value}}}"), "max-quarantined")
    assert [judge_table(rule, valid=100 - aside, quarantined=aside).success for aside in (kept, lost)] == [
        True,
        False,
    ]


def test_table_may_lose_half_of_its_rows_at_once(tmp_path: Path) -> None:
    rule = rule_of(planes(tmp_path), "max-shrink")
    sound = [(560, 280), (560, 561), (9, 1), (10, 5), (0, 0), (None, 5)]
    assert all(judge_table(rule, valid=rows, before=before).success for before, rows in sound)
    assert not any(
        judge_table(rule, valid=rows, before=before).success
        for before, rows in ((560, 279), (10, 4), (9, 0), (None, 0))
    )


def test_contract_says_how_much_a_table_may_lose(tmp_path: Path) -> None:
    rule = rule_of(planes(tmp_path, "{property: maxShrink, value: 0.9}"), "max-shrink")
    assert (rule.severity, rule.kwargs) == ("hold", {"max_share": 0.9})
    assert "max-shrink" not in {
        rule.id
        for rule in build_suite(
            planes(tmp_path / "none", "{property: maxShrink, value: none}"), "processed", tmp_path
        ).rules
    }


def test_budget_of_unreadable_records_is_the_same(tmp_path: Path) -> None:
    contract = planes(tmp_path, "{property: file, value: {maxUnreadable: {rows: 2}}}")
    suite, names = build_suite(contract, "raw", tmp_path), tuple(column.name for column in contract.columns)
    verdicts = [
        verdict_of(judge_arrival(suite, Arrival(names, 1000, 1000 - bad)), quarantined=0) for bad in (2, 3)
    ]
    assert verdicts == [Verdict.PASSED, Verdict.BLOCKED]
    assert rule_of(contract, "readable", "raw").kwargs == {"max_rows": 2}


@pytest.mark.parametrize(
    "word",
    [
        "{property: duplicateKeys, value: {keep: newest}}",
        "{property: duplicateKeys, value: {keep: none, orderBy: [year]}}",
        "{property: duplicateKeys, value: {keep: last, orderBy: [yaer]}}",
        "{property: duplicateKeys, value: {keep: last, by: [year]}}",
        "{property: duplicateKeys, value: last}",
        "{property: unexpectedColumns, value: drop}",
        "{property: maxShrink, value: 1}",
        "{property: maxShrink, value: null}",
        "{property: maxQuarantined, value: {rows: 0.5}}",
        "{property: maxQuarantined, value: {rows: true}}",
        "{property: maxQuarantined, value: {}}",
        "{property: maxQuarantined, value: 1.5}",
        "{property: maxQuarantined, value: {percent: 10}}",
        "{property: maxQuarantined, value: null}",
        "{property: file, value: {maxUnreadable: null}}",
        "{property: file, value: {maxUnreadable: {rows: -1}}}",
    ],
)
def test_word_that_means_nothing_is_refused_with_what_to_write(tmp_path: Path, word: str) -> None:
    with pytest.raises(ContractError) as caught:
        planes(tmp_path, word)
    assert caught.value.where
    assert caught.value.fix
