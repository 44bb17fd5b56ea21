from __future__ import annotations

import json
import re
import subprocess
import sys
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
from lakegate.errors import ContractError
from tests.support.catalog.catalog_files import change
from tests.support.catalog.document_places import places_of
from tests.support.places import ROOT

CONTRACTS = ROOT / "catalog" / "contracts"
NAMES = ("airlines", "airports", "flight_features", "flights", "planes", "weather")


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
def test_contract_of_no_table_says_so(lake: Path, schema: str) -> None:
    path = lake / "catalog/contracts/airlines.odcs.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("schema:")] + schema + text[text.index("\ncustomProperties:") :])
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    assert caught.value.what == "the contract describes 0 tables"


def test_properties_of_another_vendor_are_left_alone(lake: Path) -> None:
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


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.sampled_from(list(places_of(PLAIN))[1:]),
    value=st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8),
        st.just([]), st.just({}), st.just([[]]), st.just({"a": 1})),
)  # fmt: skip
def test_contract_with_any_part_replaced_loads_or_is_a_contract_error(
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
        "import sys; from pathlib import Path; from catalog.files import load_catalog; from "
        "expectations.building.build import build_suite;"
        "c = load_catalog(Path('.')); build_suite(c.get('flights'), 'processed', Path('.'));"
        "print([m for m in ('great_expectations', 'pyspark', 'pysail', 'dagster', 'pandas', 'pyarrow', "
        "'lakefs') if m in sys.modules])"
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
