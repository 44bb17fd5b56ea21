"""All mistakes of a contract at once, each with its line and what to do;
and no mistake that only follows from another.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from catalog.documents.document import suggest
from catalog.odcs.loader import load_contract
from catalog.odcs.logical_types import LOGICAL_TYPES
from lakegate.errors import ContractError
from tests.support.places import ROOT


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    for folder in ("contracts", "sql"):
        shutil.copytree(ROOT / "catalog" / folder, tmp_path / "catalog" / folder)
    return tmp_path / "catalog" / "contracts" / "flights.odcs.yaml"


def told(path: Path) -> list[tuple[int, str, str]]:
    """Line, what and fix of each mistake, in the order in which they are told."""
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    found = [caught.value, *caught.value.others]
    assert str(caught.value) == "\n".join(f"{item.where}: {item.what}\n  -> {item.fix}" for item in found)
    return [(int(item.where.rpartition(":")[2]), item.what, item.fix) for item in found]


CHANGES = (
    ("status: active", "statsu: active", "unknown key 'statsu'"),
    ("logicalType: integer", "logicalType: bigint", "column 'year' has logicalType 'bigint'"),
    (
        "classification: public\n        description: Month",
        "classification: persnal\n        description: Month",
        "'persnal'",
    ),
    ("id: month-range", "id: readable", "the rule id 'readable'"),
    ("value_set: [EWR, JFK, LGA]", "value_set: [EWR, JFK, 1]", "1"),
    ("to: planes.tailnum", "to: planes.tail.num", "no reference"),
    ("value: month", "value: mnoth", "no column 'mnoth'"),
    ("maxUnreadable: 0.1", "maxUnreadable: 7", "maxUnreadable is 7"),
    ("property: source", "property: sourc", "unknown custom property 'sourc'"),
)
"""One mistake in each part of a contract: the standard's keys and types, columns, rules, relationships,
and custom properties.
"""


def test_mistakes_in_all_parts_are_told_at_once(flights: Path) -> None:
    text, wanted = flights.read_text(), []
    for old, new, what in CHANGES:
        if old not in text:
            old, new = old.partition("\n")[0], new.partition("\n")[0]  # noqa: PLW2901
        assert old in text, old
        text = text.replace(old, new, 1)
        wanted.append(what)
    flights.write_text(text)
    found = told(flights)
    assert [line for line, _, _ in found] == sorted(line for line, _, _ in found)
    for what in wanted:
        assert len([item for item in found if what in item[1]]) == 1, (what, found)
    assert len(found) == len(wanted), found


@pytest.mark.parametrize("count", range(1, len(CHANGES) + 1))
def test_each_mistake_is_told_whatever_else_is_wrong(flights: Path, count: int) -> None:
    text = flights.read_text()
    for old, new, _ in CHANGES[-count:]:
        text = (
            text.replace(old, new, 1)
            if old in text
            else text.replace(old.partition("\n")[0], new.partition("\n")[0], 1)
        )
    flights.write_text(text)
    assert len(told(flights)) == count


def test_consequences_of_a_column_that_cannot_be_read_are_not_told(flights: Path) -> None:
    flights.write_text(
        flights.read_text()
        .replace("- name: month", "- name: Month of year", 1)
        .replace("value: month", "value: Month of year")
    )
    (first, *others) = told(flights)
    assert first[2].endswith("the file's header stays as it is")
    assert 'name: month_of_year and physicalName: "Month of year"' in first[2]
    assert [what for _, what, _ in others if "Month" in what] == []


def test_mistakes_whatever_a_column_turns_out_to_be_are_told_and_consequences_are_not(
    flights: Path,
) -> None:
    text = flights.read_text()
    for old, new in (
        (
            "logicalType: integer\n        physicalType: bigint\n        required: true",
            "logicalType: bigint\n        required: very",
        ),  # of year
        (
            "{column: year, min_value: 1987, max_value: 2100}",
            "{column: year, min_value: 1987, max_valeu: 2100}",
        ),
        (
            "primaryKeyPosition: 4\n        classification: public",
            "primaryKeyPosition: 4\n        classification: persnal",
        ),  # of origin
        ("value_set: [EWR, JFK, LGA]", "value_set: [EWR, JFK, 1]"),
        ("property: source", "property: year"),
    ):
        text = text.replace(old, new, 1)
    flights.write_text(text)
    assert [what for _, what, _ in told(flights)] == [
        "column 'year' has logicalType 'bigint'",
        "schema.0.properties.0.required is 'very'",
        "column 'origin' has classification 'persnal'",
        "expect_column_values_to_be_between has no argument 'max_valeu'",
        "1 in value_set can't be a value of column 'origin' of type string",
        "unknown custom property 'year'",
    ]
    flights.write_text(
        text.replace("min_value: 1987, max_valeu: 2100", "min_value: 1987, max_value: never", 1)
    )
    assert "max_value" not in str(told(flights)), "what a year can be held against follows from its type"


def test_upsert_without_an_order_is_told_with_the_yaml_to_write(flights: Path) -> None:
    order = "  - property: orderBy\n    value: month\n    vendor: lakegate\n"
    text = flights.read_text().replace("value: append", "value: upsert").replace(order, "")
    flights.write_text(text)
    (mistake,) = [item for item in told(flights) if "the newer" in item[1]]
    line = re.search(r"- (\{property: upsert, value: \{orderBy: \w+\}\})", mistake[2])
    assert line
    flights.write_text(
        text.replace(
            "customProperties:\n  - property: kind", f"customProperties:\n  - {line[1]}\n  - property: kind"
        )
    )
    assert load_contract(flights).upsert is not None  # what is proposed is taken


def test_lakegates_words_at_the_top_are_sent_to_the_custom_properties(flights: Path) -> None:
    flights.write_text(
        flights.read_text().replace("status: active", "status: active\nupsert: {orderBy: year}", 1)
    )
    ((_, what, fix),) = told(flights)
    assert (what, "under customProperties: - {property: upsert" in fix) == (
        "unknown key 'upsert' in the contract",
        True,
    )


MEANT = {
    "integer": ["IntegerType", "LongType", "int", "BIGINT", "long", "int64", "Integer"],
    "string": ["varchar", "VARCHAR(20)", "text", "str", "StringType"],
    "number": ["float", "double", "DoubleType", "float64", "real"],
    "timestamp": ["datetime", "TimestampType", "timestamptz", "datetime64[ns]"],
    "boolean": ["bool", "BooleanType"],
    "date": ["DateType", "date32"],
    "array": ["list", "array<string>"],
}


@pytest.mark.parametrize(
    ("word", "meant"), [(word, meant) for meant, words in MEANT.items() for word in words]
)
def test_type_of_another_system_is_answered_by_what_it_means(flights: Path, word: str, meant: str) -> None:
    flights.write_text(
        flights.read_text().replace("logicalType: integer", f"logicalType: {json.dumps(word)}", 1)
    )
    ((_, what, fix),) = told(flights)
    assert what == f"column 'year' has logicalType {word!r}"
    assert f"write {meant}" in fix or f"did you mean {meant!r}" in fix


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("IntegerType", ("LongType", "StringType", "DateType"), "LongType"),
        ("int", ("LongType", "DoubleType"), "LongType"),
        ("FloatType", ("DoubleType", "DateType"), "DoubleType"),
        ("DecimalType", ("DoubleType", "DateType"), "DoubleType"),
        ("bool", LOGICAL_TYPES, "boolean"),
        ("overwrite", ("append", "upsert", "replace"), "replace"),
        ("merge", ("append", "upsert", "replace"), "upsert"),
        ("warning", ("warn", "block"), "warn"),
        ("error", ("warn", "block"), "block"),
        ("Flihgts", ("flights", "int"), "flights"),
    ],
)
def test_word_is_answered_by_what_it_means_before_its_letters(
    word: str, known: tuple[str, ...], meant: str
) -> None:
    assert suggest(word, known) == f"did you mean {meant!r}?"


def test_rule_that_names_a_header_is_told_the_column(flights: Path) -> None:
    text = flights.read_text().replace(
        "- name: year\n", '- name: year\n        physicalName: "Year (Gregorian)"\n', 1
    )
    flights.write_text(text.replace("{column: year,", '{column: "Year (Gregorian)",', 1))
    ((_, what, fix),) = told(flights)
    assert (what, fix) == (
        "flights has no column 'Year (Gregorian)'",
        "write year: rules name the column, not its header",
    )


def test_mistake_that_stops_several_drops_alike_is_told_once_with_their_files(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from cli.notify import Failures
    from lakegate.errors import Transient

    failed = Failures()
    for file in ("1.csv", "2.csv", "3.csv"):
        error = ContractError(
            "the contract's columns are not those of se@v1: b is new",
            where="se.odcs.yaml",
            fix="put them back",
        )
        error.file = file
        failed("se", error)
    failed("other", Transient("lakeFS is busy"))
    failed.tell()
    what = "se.odcs.yaml: the contract's columns are not those of se@v1: b is new\n  -> put them back"
    assert (
        capsys.readouterr().err == f"error: se: 1.csv, 2.csv, 3.csv: {what}\nerror: other: lakeFS is busy\n"
    )
    assert len(failed.errors) == 4
