from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator
from ruamel.yaml import YAML

from catalog.contract import Column, Contract
from catalog.odcs.loader import load_contract
from expectations.building.build import build_suite
from lakegate.errors import ContractError
from tests.support.places import ROOT

CONTRACTS = ROOT / "catalog" / "contracts"
NAMES = ("airlines", "airports", "flight_features", "flights", "planes", "weather")


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    for folder in ("contracts", "sql"):
        shutil.copytree(ROOT / "catalog" / folder, tmp_path / "catalog" / folder)
    return tmp_path


def change(lake: Path, name: str, old: str, new: str) -> tuple[Path, int]:
    """Replace one text in a contract; its file and the line of the change."""
    path = lake / "catalog" / "contracts" / f"{name}.odcs.yaml"
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new, 1))
    lead = len(new) - len(new.lstrip("\n "))
    return path, text[: text.index(old)].count("\n") + new[:lead].count("\n") + 1


@pytest.mark.parametrize("name", NAMES)
def test_shipped_contract_is_valid_by_the_standards_own_schema(name: str) -> None:
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text())
    data = YAML(typ="safe", pure=True).load(CONTRACTS / f"{name}.odcs.yaml")
    assert [error.message for error in Draft201909Validator(schema).iter_errors(data)] == []
    for part in ("description", "schema", "team", "support", "roles", "slaProperties", "servers"):
        assert data[part], part
    assert {item["property"] for item in data["slaProperties"]} == {"freshness", "frequency", "retention"}


def test_flights_says_what_the_demo_needs() -> None:
    flights = load_contract(CONTRACTS / "flights.odcs.yaml")
    assert flights.key == ("time_hour", "carrier", "flight", "origin")
    assert (flights.write_mode, flights.order_by, flights.max_quarantined) == ("append", "month", None)
    assert flights.file.null_values == ("", "NA")
    assert flights.column("time_hour").type == "timestamp"
    assert not any(
        flights.column(name).required
        for name in ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum")
    )
    assert {(item.columns, item.to, item.to_columns, item.severity) for item in flights.relationships} == {
        (("carrier",), "airlines", ("carrier",), "quarantine"),
        (("tailnum",), "planes", ("tailnum",), "warn"),
        (("origin",), "airports", ("faa",), "quarantine"),
        (("dest",), "airports", ("faa",), "quarantine"),
    }
    assert all(rule.line > 1 for rule in flights.rules)


def test_references_are_full_deliveries_of_which_little_may_be_set_aside() -> None:
    for name, key in {
        "weather": ("origin", "time_hour"),
        "planes": ("tailnum",),
        "airports": ("faa",),
        "airlines": ("carrier",),
    }.items():
        contract = load_contract(CONTRACTS / f"{name}.odcs.yaml")
        assert (contract.key, contract.write_mode, contract.max_quarantined) == (key, "replace", 0.10)


def test_feature_knows_nothing_later_than_the_departure() -> None:
    feature = load_contract(CONTRACTS / "flight_features.odcs.yaml")
    names = {column.name for column in feature.columns}
    assert not names & {"dep_time", "dep_delay", "arr_time", "air_time"}
    assert {"arr_delay", "label_known", "has_weather"} <= names
    assert (feature.driver, set(feature.inputs)) == ("flights", {"flights", "weather"})


MISTAKES = {
    "syntax": ("name: flights\nversion", "name: [flights\nversion", None, "YAML"),
    "key twice": ("status: active", "name: flights", "'name'", "keep one"),
    "misspelt key at the top": ("status: active", "statsu: active", "statsu", "'status'"),
    "misspelt key of the description": ("  usage:", "  usge:", "usge", "'usage'"),
    "misspelt key of a column": ("logicalType: integer", "logicaltype: integer", "logicaltype", "'logicalType'"),
    "misspelt key of a server": ("    format: csv\n    encoding", "    fromat: csv\n    encoding", "fromat", "'format'"),
    "misspelt key of a rule": ("dimension: conformity", "dimensoin: conformity", "dimensoin", "'dimension'"),
    "misspelt key in an implementation": ("          kwargs:", "          kwarg:", "kwarg", "'kwargs'"),
    "misspelt custom property": ("property: writeMode", "property: writeMod", "writeMod", "'writeMode'"),
    "misspelt key in a custom property": ("nullValues: [NA]", "nullValue: [NA]", "nullValue", "'nullValues'"),
    "misspelt vendor": ("vendor: lakegate", "vendor: lakgate", "lakgate", "'lakegate'"),
    "misspelt argument": ("{column: year, min_value", "{column: year, min_vale", "min_vale", "'min_value'"),
    "wrong type": ("required: true", 'required: "yes"', "yes", "true or false"),
    "wrong type in a custom property": ("nullValues: [NA]", "nullValues: NA", "nullValues", "list"),
    "unknown word of the standard": ("dimension: conformity", "dimension: conformance", "conformance", "'conformity'"),
    "unknown severity of a rule": ("severity: quarantine\n        impl", "severity: quarantin\n        impl", "quarantin", "'quarantine'"),
    "unknown severity of a relationship": ("property: severity, value: warn", "property: severity, value: wran", "wran", "'warn'"),
    "unknown expectation type": ("type: expect_column_values_to_be_between", "type: expect_column_values_to_be_betwen", "betwen", "'expect_column_values_to_be_between'"),
    "rule that only a schema makes": ("type: expect_column_values_to_be_between", "type: expect_records_to_be_readable", "made from", "leave it out"),
    "rule on no column": ("{column: year,", "{column: yaer,", "'yaer'", "'year'"),
    "rule on a column of another type": ("{column: year,", "{column: origin,", "string", "integer"),
    "no bound": ("{column: year, min_value: 1987, max_value: 2100}", "{column: year}", "no bound", "min_value"),
    "bounds exchanged": ("min_value: 1987, max_value: 2100", "min_value: 2100, max_value: 1987", "above", "exchange"),
    "bound of another type": ("min_value: 1987", "min_value: late", "'late'", "12"),
    "value that can't stand there": ("value_set: [EWR, JFK, LGA]", "value_set: [EWR, JFK, 1]", "1", "text"),
    "pattern that engines read differently": ('"^[A-Z]{3}$"'.replace("A-Z", "A-Z0-9"), r'"^\\w{3}$"', "engine", "[A-Za-z0-9_]"),
    "pattern that does not compile": ('"^[A-Z]{3}$"'.replace("A-Z", "A-Z0-9"), "'^[A-Z0-9{3}$'", "no pattern", "correct the pattern"),
    "quarantine by a table rule": ("type: expect_column_values_to_be_between\n          kwargs: {column: year, min_value: 1987, max_value: 2100}", "type: expect_table_row_count_to_be_between\n          kwargs: {min_value: 1}", "table", "warn, trigger, hold or block"),
    "holding a row": ("severity: quarantine\n        implementation", "severity: hold\n        implementation", "judges rows", "warn, quarantine or block"),
    "relationship that holds": ("value: warn, vendor: lakegate", "value: hold, vendor: lakegate", "hold", "warn"),
    "nullable key": ("required: true\n        primaryKey: true", "required: false\n        primaryKey: true", "null", "required: true"),
    "key position twice": ("primaryKeyPosition: 4", "primaryKeyPosition: 3", "position", "1, 2, 3"),
    "column twice": ("- name: month", "- name: year", "'year'", "keep one"),
    "reserved column": ("- name: year", "- name: _row", "_row", "letter"),
    "column type that isn't read": ("logicalType: integer", "logicalType: time", "column 'year' has logicalType 'time'", "write string"),
    "decimal column": ("logicalType: integer", "logicalType: decimal", "column 'year' has logicalType 'decimal'", "smallest unit (cents)"),
    "map column": ("logicalType: integer", "logicalType: map", "column 'year' has logicalType 'map'", "write object"),
    "type of another system": ("logicalType: integer", "logicalType: VARCHAR(20)", "column 'year' has logicalType 'VARCHAR", "write string"),
    "column without a type": ("logicalType: integer", "logicalType:", "column 'year' has no logicalType", "boolean"),
    "decimal in the store": ("physicalType: bigint", "physicalType: decimal(9,2)", "decimal(9,2)", "smallest unit (cents)"),
    "physical type of another": ("physicalType: bigint", "physicalType: string", "bigint", "bigint"),
    "promise that isn't kept": ("physicalType: bigint", "physicalType: bigint\n        unique: true", "unique", "quality rule"),
    "misspelt classification": ("classification: public", "classification: persnal", "persnal", "'personal'"),
    "order of an upsert that isn't said": ("value: append", "value: upsert", "the newer", "beside writeMode: - {property: upsert, value: {orderBy: "),
    "unknown write mode": ("value: append", "value: apend", "apend", "'append'"),
    "order by no column": ("value: month", "value: mnoth", "mnoth", "'month'"),
    "order by what may be null": ("value: month", "value: dep_time", "null", "required"),
    "name with a capital": ("name: flights\nversion", "name: Flights\nversion", "Flights", "lower-case"),
    "name of another's table": ("name: flights\nversion", "name: flights_raw\nversion", "flights_raw", "_raw"),
    "rule id twice": ("id: month-range", "id: year-plausible", "year-plausible", "own"),
    "rule id of a generated rule": ("id: month-range", "id: readable", "readable", "another"),
    "no severity": ("        severity: quarantine\n        implementation", "        implementation", "severity", "add severity"),
    "engine that doesn't run": ("engine: greatExpectations", "engine: soda", "soda", "greatExpectations"),
    "reference to nowhere in particular": ("to: planes.tailnum", "to: planes.tail.num", "reference", "dataset.column"),
    "relationship of several columns": ("    quality:\n", "    relationships:\n      - {from: [flights.origin, flights.time_hour], to: [weather.origin]}\n    quality:\n", "2 columns point at 1", "as many columns"),
    "relationship twice": ("          - to: airports.faa\n", "          - {to: airports.lat, customProperties: [{property: severity, value: warn}]}\n          - to: airports.faa\n", "airports twice", "keep one"),
    "table rule of another hop": ("type: expect_column_values_to_be_between\n          kwargs: {column: year, min_value: 1987, max_value: 2100}", "type: expect_table_columns_to_be_unique\n          kwargs: {}", "hop processed", "raw"),
    "feature's word on a dataset": ("property: orderBy\n    value: month", "property: driver\n    value: month", "driver", "feature"),
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
        "        relationships: [{to: weather.time_hour, customProperties: [{property: severity, value: quarantine}]}]\n",
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
def test_only_an_upsert_and_a_feature_need_a_key(lake: Path, name: str, mode: str) -> None:
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


def test_hash_ignores_comments_and_order_of_keys_and_nothing_else(lake: Path) -> None:
    path = lake / "catalog/contracts/airlines.odcs.yaml"
    before = load_contract(path).hash
    lines = path.read_text().splitlines()
    kind = lines.index("kind: DataContract")
    path.write_text("\n".join(["# a comment", *lines[:kind], *lines[kind + 1 :], lines[kind], ""]))
    assert load_contract(path).hash == before
    path.write_text(path.read_text().replace("minutes", "m") + "price: {priceAmount: 1}\n")
    assert load_contract(path).hash != before


@pytest.mark.parametrize("schema", ["schema: []", ""])
def test_a_contract_of_no_table_says_so(lake: Path, schema: str) -> None:
    path = lake / "catalog/contracts/airlines.odcs.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("schema:")] + schema + text[text.index("\ncustomProperties:") :])
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    assert caught.value.what == "the contract describes 0 tables"


def test_another_vendors_properties_are_left_alone(lake: Path) -> None:
    path, _ = change(
        lake,
        "airlines",
        "customProperties:\n",
        "customProperties:\n  - {property: color, value: red, vendor: acme}\n",
    )
    assert load_contract(path).name == "airlines"


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe\x00", b"[]", b"a: &x [*x]", b"\x00" * 10, b"x" * (1024 * 1024 + 1), b"- " * 5000]
)
def test_file_that_is_no_contract_is_one_clear_error(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "odd.odcs.yaml"
    path.write_bytes(raw)
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    assert str(path) in caught.value.where
    assert caught.value.fix


PLAIN = YAML(typ="safe", pure=True).load(CONTRACTS / "airlines.odcs.yaml")


def _places(data: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield steps
    for key, value in (
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    ):
        yield from _places(value, (*steps, key))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.sampled_from(list(_places(PLAIN))[1:]),
    value=st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8), st.just([]), st.just({}), st.just([[]]), st.just({"a": 1})),
)  # fmt: skip
def test_any_part_replaced_by_anything_loads_or_is_a_contract_error(
    tmp_path: Path, place: tuple[str | int, ...], value: Any
) -> None:
    data = json.loads(json.dumps(PLAIN))
    inner = data
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    path = tmp_path / "airlines.odcs.yaml"
    path.write_text(json.dumps(data, indent=1))
    try:
        contract = load_contract(path)
    except ContractError as error:
        assert re.fullmatch(rf"{re.escape(str(path))}:\d+", error.where), error.where  # noqa: PT017
        assert error.fix  # noqa: PT017
    else:
        assert contract.name == "airlines"


def test_reading_contracts_imports_no_engine_gate_or_orchestrator() -> None:
    code = (
        "import sys; from pathlib import Path; from catalog.files import load_catalog; from expectations.building.build import build_suite;"
        "c = load_catalog(Path('.')); build_suite(c.get('flights'), 'processed', Path('.'));"
        "print([m for m in ('great_expectations', 'pyspark', 'pysail', 'dagster', 'pandas', 'pyarrow', 'lakefs') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_statistics_in_the_delta_log_leave_out_personal_and_double_columns() -> None:
    columns = (
        Column("id", "integer"),
        Column("email", "string", classification="personal"),
        Column("amount", "double"),
        Column("paid", "boolean"),
        Column("at", "timestamp"),
    )
    contract = Contract("orders", "dataset", Path("orders.odcs.yaml"), "", columns, ("id",), "append")
    assert contract.with_statistics == ("id", "at")
