"""A mistake in a contract, a feature or its SQL is told with file, line and fix."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from catalog.odcs.loader import load_contract
from expectations.building.build import build_suite
from lakegate.errors import ContractError
from tests.support.catalog.catalog_files import change

MISTAKES = {
    "syntax": ("name: flights\nversion", "name: [flights\nversion", None, "YAML"),
    "key twice": ("status: active", "name: flights", "'name'", "keep one"),
    "misspelt key at the top": ("status: active", "statsu: active", "statsu", "'status'"),
    "misspelt key of the description": ("  usage:", "  usge:", "usge", "'usage'"),
    "misspelt key of a column": ("logicalType: integer", "logicaltype: integer", "logicaltype",
        "'logicalType'"),
    "misspelt key of a server": ("    format: csv\n    encoding", "    fromat: csv\n    encoding", "fromat",
        "'format'"),
    "misspelt key of a rule": ("dimension: conformity", "dimensoin: conformity", "dimensoin", "'dimension'"),
    "misspelt key in an implementation": ("          kwargs:", "          kwarg:", "kwarg", "'kwargs'"),
    "misspelt custom property": ("property: writeMode", "property: writeMod", "writeMod", "'writeMode'"),
    "misspelt key in a custom property": ("nullValues: [NA]", "nullValue: [NA]", "nullValue", "'nullValues'"),
    "misspelt vendor": ("vendor: lakegate", "vendor: lakgate", "lakgate", "'lakegate'"),
    "misspelt argument": ("{column: year, min_value", "{column: year, min_vale", "min_vale", "'min_value'"),
    "wrong type": ("required: true", 'required: "yes"', "yes", "true or false"),
    "wrong type in a custom property": ("nullValues: [NA]", "nullValues: NA", "nullValues", "list"),
    "unknown word of the standard": ("dimension: conformity", "dimension: conformance", "conformance",
        "'conformity'"),
    "unknown severity of a rule": ("severity: quarantine\n        impl", "severity: quarantin\n        impl",
        "quarantin", "'quarantine'"),
    "unknown severity of a relationship": ("property: severity, value: warn",
        "property: severity, value: wran", "wran", "'warn'"),
    "unknown expectation type": ("type: expect_column_values_to_be_between",
        "type: expect_column_values_to_be_betwen", "betwen", "'expect_column_values_to_be_between'"),
    "rule that only a schema makes": ("type: expect_column_values_to_be_between",
        "type: expect_records_to_be_readable", "made from", "leave it out"),
    "rule on no column": ("{column: year,", "{column: yaer,", "'yaer'", "'year'"),
    "rule on a column of another type": ("{column: year,", "{column: origin,", "string", "integer"),
    "no bound": ("{column: year, min_value: 1987, max_value: 2100}", "{column: year}", "no bound",
        "min_value"),
    "bounds exchanged": ("min_value: 1987, max_value: 2100", "min_value: 2100, max_value: 1987", "above",
        "exchange"),
    "bound of another type": ("min_value: 1987", "min_value: late", "'late'", "12"),
    "value that can't stand there": ("value_set: [EWR, JFK, LGA]", "value_set: [EWR, JFK, 1]", "1", "text"),
    "pattern that engines read differently": ('"^[A-Z]{3}$"'.replace("A-Z", "A-Z0-9"), r'"^\\w{3}$"',
        "engine", "[A-Za-z0-9_]"),
    "pattern that does not compile": ('"^[A-Z]{3}$"'.replace("A-Z", "A-Z0-9"), "'^[A-Z0-9{3}$'", "no pattern",
        "correct the pattern"),
    "quarantine by a table rule": (("type: expect_column_values_to_be_between\n"
        "          kwargs: {column: year, min_value: 1987, max_value: 2100}"),
        "type: expect_table_row_count_to_be_between\n          kwargs: {min_value: 1}", "table",
        "warn, trigger, hold or block"),
    "holding a row": ("severity: quarantine\n        implementation",
        "severity: hold\n        implementation", "judges rows", "warn, quarantine or block"),
    "relationship that holds": ("value: warn, vendor: lakegate", "value: hold, vendor: lakegate", "hold",
        "warn"),
    "nullable key": ("required: true\n        primaryKey: true", "required: false\n        primaryKey: true",
        "null", "required: true"),
    "key position twice": ("primaryKeyPosition: 4", "primaryKeyPosition: 3", "position", "1, 2, 3"),
    "column twice": ("- name: month", "- name: year", "'year'", "keep one"),
    "reserved column": ("- name: year", "- name: _row", "_row", "letter"),
    "column type that isn't read": ("logicalType: integer", "logicalType: time",
        "column 'year' has logicalType 'time'", "write string"),
    "decimal column": ("logicalType: integer", "logicalType: decimal",
        "column 'year' has logicalType 'decimal'", "smallest unit (cents)"),
    "map column": ("logicalType: integer", "logicalType: map", "column 'year' has logicalType 'map'",
        "write object"),
    "type of another system": ("logicalType: integer", "logicalType: VARCHAR(20)",
        "column 'year' has logicalType 'VARCHAR", "write string"),
    "column without a type": ("logicalType: integer", "logicalType:", "column 'year' has no logicalType",
        "boolean"),
    "decimal in the store": ("physicalType: bigint", "physicalType: decimal(9,2)", "decimal(9,2)",
        "smallest unit (cents)"),
    "physical type of another": ("physicalType: bigint", "physicalType: string", "bigint", "bigint"),
    "promise that isn't kept": ("physicalType: bigint", "physicalType: bigint\n        unique: true",
        "unique", "quality rule"),
    "misspelt classification": ("classification: public", "classification: persnal", "persnal", "'personal'"),
    "order of an upsert that isn't said": ("value: append", "value: upsert", "the newer",
        "beside writeMode: - {property: upsert, value: {orderBy: "),
    "unknown write mode": ("value: append", "value: apend", "apend", "'append'"),
    "order by no column": ("value: month", "value: mnoth", "mnoth", "'month'"),
    "order by what may be null": ("value: month", "value: dep_time", "null", "required"),
    "name with a capital": ("name: flights\nversion", "name: Flights\nversion", "Flights", "lower-case"),
    "name of another's table": ("name: flights\nversion", "name: flights_raw\nversion", "flights_raw",
        "_raw"),
    "rule id twice": ("id: month-range", "id: year-plausible", "year-plausible", "own"),
    "rule id of a generated rule": ("id: month-range", "id: readable", "readable", "another"),
    "no severity": ("        severity: quarantine\n        implementation", "        implementation",
        "severity", "add severity"),
    "engine that doesn't run": ("engine: greatExpectations", "engine: soda", "soda", "greatExpectations"),
    "reference to nowhere in particular": ("to: planes.tailnum", "to: planes.tail.num", "reference",
        "dataset.column"),
    "relationship of several columns": ("    quality:\n",
        ("    relationships:\n      - {from: [flights.origin, "
        "flights.time_hour], to: [weather.origin]}\n    quality:\n"),
        "2 columns point at 1", "as many columns"),
    "relationship twice": ("          - to: airports.faa\n",
        ("          - {to: airports.lat, customProperties: [{property: severity, value: warn}]}\n"
        "          - to: airports.faa\n"), "airports twice", "keep one"),
    "table rule of another hop": (("type: expect_column_values_to_be_between\n"
        "          kwargs: {column: year, min_value: 1987, max_value: 2100}"),
        "type: expect_table_columns_to_be_unique\n          kwargs: {}", "hop processed", "raw"),
    "feature's word on a dataset": ("property: orderBy\n    value: month",
        "property: driver\n    value: month", "driver", "feature"),
    "alias": ("tags: [demo, dataset]", "tags: &t [demo, dataset]", "alias", "write the part out"),
}  # fmt: skip
"""What is written instead of what, and words of the error and of its fix."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_in_a_contract_tells_file_line_and_fix(lake: Path, mistake: str) -> None:
    old, new, what, fix = MISTAKES[mistake]
    path, line = change(lake, "flights", old, new)
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    file, _, at = caught.value.where.rpartition(":")
    assert file == str(path)
    assert (
        abs(int(at) - line) <= (5 if "\n" in (new or "") or mistake == "no severity" else 0) or what is None
    )
    assert fix in caught.value.fix
    assert what is None or what in caught.value.what or what in caught.value.fix


FEATURE_MISTAKES = {
    "no sql": ("  - property: sql\n    value: flight_features.sql\n    vendor: lakegate\n", "", "'sql'"),
    "sql that isn't there": ("value: flight_features.sql", "value: flight_feature.sql", "not there"),
    "sql elsewhere": ("value: flight_features.sql", "value: ../sql/flight_features.sql", "catalog/sql"),
    "input that the SQL doesn't read": (
        "value: [flights, weather]",
        "value: [flights, weather, planes]",
        "doesn't read planes",
    ),
    "input not declared": ("value: [flights, weather]", "value: [flights]", "'weather'"),
    "driver that is no input": ("value: flights\n", "value: flihgts\n", "flihgts"),
    "quarantine in a feature": ("severity: warn", "severity: quarantine", "no quarantine"),
    "other table that is no input": (
        "other_table_name: flights",
        "other_table_name: flight",
        "did you mean 'flights'",
    ),
    "relationship that would set rows aside": (
        "        classification: public\n",
        (
            "        relationships: [{to: weather.time_hour, "
            "customProperties: [{property: severity, value: quarantine}]}]\n"
        ),
        "severity can't be 'quarantine'",
    ),
    "format of what is no text": (
        "{timezone: true}",
        "{timezone: true, format: dd.MM.yyyy}",
        "delivered text",
    ),
    "column that the SQL doesn't give": ("- name: visib", "- name: visibility", "visib"),
}


@pytest.mark.parametrize("mistake", FEATURE_MISTAKES)
def test_mistake_in_a_feature_is_told(lake: Path, mistake: str) -> None:
    old, new, text = FEATURE_MISTAKES[mistake]
    path, _ = change(lake, "flight_features", old, new)
    with pytest.raises(ContractError, match=r"\.(odcs\.yaml|sql):\d+") as caught:
        load_contract(path)
    assert text in str(caught.value)


SQL_MISTAKES = {
    "syntax": ("LEFT JOIN weather AS w\n  ON", "LEFT JOIN weather AS w\n  ON ON", "valid Spark SQL"),
    "star": ("  f.time_hour,\n", "  *, f.time_hour,\n", "*"),
    "no provenance": ("  f._drop,\n", "", "_drop"),
    "a table of elsewhere": ("FROM flights", "FROM other.flights", "other"),
    "two statements": ("FROM flights AS f", "FROM flights AS f; SELECT 1", "one SELECT"),
}


@pytest.mark.parametrize("mistake", SQL_MISTAKES)
def test_mistake_in_the_sql_is_told_with_its_file(lake: Path, mistake: str) -> None:
    old, new, text = SQL_MISTAKES[mistake]
    sql = lake / "catalog/sql/flight_features.sql"
    assert old in sql.read_text()
    sql.write_text(sql.read_text().replace(old, new, 1))
    with pytest.raises(ContractError) as caught:
        load_contract(lake / "catalog/contracts/flight_features.odcs.yaml")
    assert caught.value.where.startswith(f"{sql}:")
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("name", "mode"),
    [("flights", "append"), ("planes", "replace"), ("flights", "upsert"), ("flight_features", "")],
)
def test_key_is_needed_by_upserts_and_features_alone(lake: Path, name: str, mode: str) -> None:
    path = lake / f"catalog/contracts/{name}.odcs.yaml"
    text = re.sub(r" +primaryKey(Position)?: .*\n", "", path.read_text())
    text = re.sub(r", primaryKey: true, primaryKeyPosition: \d", "", text)
    path.write_text(text.replace("value: append", f"value: {mode}") if mode == "upsert" else text)
    if mode in ("append", "replace"):
        contract = load_contract(path)
        assert contract.key == ()
        assert "key" not in {rule.id for rule in build_suite(contract, "processed", lake).rules}
        return
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    assert "writeMode upsert" in caught.value.what or "feature table" in caught.value.what
    assert "primaryKey: true" in caught.value.fix
    assert (
        caught.value.where
        == f"{path}:{next(n for n, line in enumerate(text.splitlines(), 1) if 'properties:' in line)}"
    )


def test_personal_column_can_neither_order_drops_nor_list_its_values(lake: Path) -> None:
    path = lake / "catalog/contracts/flights.odcs.yaml"
    text = path.read_text()
    path.write_text(text.replace("classification: public", "classification: PII"))
    with pytest.raises(ContractError, match="personal"):
        load_contract(path)
    path.write_text(text)
    assert load_contract(path).personal == frozenset()
