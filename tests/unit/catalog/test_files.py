from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.documents.document import suggest
from catalog.files import load_catalog
from catalog.odcs.loader import load_contract
from catalog.project import init_project
from expectations.building.build import build_suite
from lakegate.errors import ContractError, UsageError
from tests.support.places import ROOT

ALL = {"airlines", "airports", "flight_features", "flights", "planes", "weather"}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    for folder in ("contracts", "sql"):
        shutil.copytree(ROOT / "catalog" / folder, tmp_path / "catalog" / folder)
    return tmp_path


def edit(lake: Path, name: str, old: str, new: str) -> None:
    path = lake / "catalog" / "contracts" / f"{name}.odcs.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def small(lake: Path, name: str, *, to: str | None = None, file: str | None = None) -> None:
    """A dataset of one column, with a relationship where asked."""
    relationship = (
        f"relationships: [{{to: {to}, customProperties: [{{property: severity, value: warn}}]}}]"
        if to
        else ""
    )
    (lake / "catalog" / "contracts" / f"{file or name}.odcs.yaml").write_text(
        f"""apiVersion: v3.2.0
kind: DataContract
id: {name}
version: 1.0.0
schema:
  - name: {name}
    properties:
      - name: id
        logicalType: string
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        {relationship}
customProperties: [{{property: writeMode, value: append}}]
"""
    )


def test_the_shipped_lake_loads_whole() -> None:
    catalog = load_catalog(ROOT)
    assert {name: str(error) for name, error in catalog.broken.items()} == {}
    assert set(catalog.contracts) == ALL
    assert [item.name for item in catalog.features] == ["flight_features"]
    assert len(catalog.datasets) == 5


def test_broken_contract_takes_down_nobody_else(lake: Path) -> None:
    edit(lake, "planes", "status:", "statsu:")
    small(lake, "parts", to="flights.tailnum")
    catalog = load_catalog(lake)
    assert set(catalog.broken) == {"planes", "flights", "flight_features"}
    assert set(catalog.contracts) == {"airlines", "airports", "weather", "parts"}
    assert "planes" in catalog.broken["flights"].what
    with pytest.raises(ContractError, match=r"planes\.odcs\.yaml:\d+.*'statsu'"):
        catalog.get("planes")


def test_relationship_to_a_missing_dataset_is_told_at_its_line(lake: Path) -> None:
    edit(lake, "flights", "to: planes.tailnum", "to: plains.tailnum")
    error = load_catalog(lake).broken["flights"]
    path, _, line = error.where.rpartition(":")
    assert "plains" in Path(path).read_text().splitlines()[int(line) - 1]
    assert "'planes'" in error.fix


@pytest.mark.parametrize(("to", "text"), [("planes.tail", "'tailnum'"), ("planes.seats", "same logicalType")])
def test_relationship_to_a_column_that_does_not_fit_is_told(lake: Path, to: str, text: str) -> None:
    edit(lake, "flights", "to: planes.tailnum", f"to: {to}")
    assert text in load_catalog(lake).broken["flights"].fix


def test_two_files_with_one_dataset_are_both_broken_and_name_each_other(lake: Path) -> None:
    small(lake, "a", file="one")
    small(lake, "a", file="two")
    catalog = load_catalog(lake)
    assert set(catalog.broken) == {"one", "two"}
    assert "two.odcs.yaml" in catalog.broken["one"].what
    with pytest.raises(ContractError):
        catalog.get("a")


def test_dataset_named_like_another_ones_table_is_broken(lake: Path) -> None:
    for name in ("flights_raw", "weather_quarantine"):
        small(lake, name)
    catalog = load_catalog(lake)
    assert set(catalog.broken) == {"flights_raw", "weather_quarantine"}
    assert set(catalog.contracts) == ALL


def test_datasets_that_wait_for_each_other_are_broken(lake: Path) -> None:
    small(lake, "a", to="b.id")
    small(lake, "b", to="a.id")
    small(lake, "c", to="c.id")
    small(lake, "d")
    catalog = load_catalog(lake)
    assert set(catalog.broken) == {"a", "b", "c"}
    assert set(catalog.contracts) == {*ALL, "d"}


def test_contract_under_a_wrong_file_name_is_not_overlooked(lake: Path) -> None:
    shutil.copy(lake / "catalog/contracts/airlines.odcs.yaml", lake / "catalog/contracts/more.yaml")
    assert "more.odcs.yaml" in load_catalog(lake).broken["more.yaml"].fix


def test_unknown_dataset_is_a_usage_error_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean 'flights'"):
        load_catalog(ROOT).get("flihgts")


def test_folder_without_contracts_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lakegate init"):
        load_catalog(tmp_path)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edges=st.dictionaries(st.sampled_from("abcde"), st.sampled_from("abcdefg"), max_size=5),
    unreadable=st.sets(st.sampled_from("abcde")),
)
def test_dataset_is_broken_only_by_itself_its_reference_or_a_circle(
    tmp_path: Path, edges: dict[str, str], unreadable: set[str]
) -> None:
    shutil.rmtree(tmp_path / "catalog", ignore_errors=True)
    (tmp_path / "catalog" / "contracts").mkdir(parents=True)
    for name in "abcde":
        small(tmp_path, name, to=f"{edges[name]}.id" if name in edges else None)
        if name in unreadable:
            (tmp_path / "catalog/contracts" / f"{name}.odcs.yaml").write_text("status: [")
    readable = set("abcde") - unreadable

    def circles(start: str) -> bool:
        at = edges.get(start)
        for _ in range(len(edges) + 1):
            if at == start:
                return True
            at = edges.get(at) if at in readable else None
        return False

    expected = {
        name for name in readable if name in edges and (edges[name] not in readable or circles(name))
    } | unreadable
    catalog = load_catalog(tmp_path)
    assert set(catalog.broken) == expected
    assert set(catalog.contracts) == set("abcde") - expected


def test_suggestion_is_the_nearest_word_or_all() -> None:
    assert suggest("Flihgts", ["flights", "planes"]) == "did you mean 'flights'?"
    assert suggest("xyz", ["b", "a"]) == "use one of: a, b"


def test_init_writes_a_lake_that_loads_and_holds_no_python(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    written = init_project(folder)
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == written
    assert not list(folder.rglob("*.py"))
    assert load_catalog(folder).contracts == {}
    assert (folder / "expectations" / "suites").is_dir()
    assert "assets.definitions" in (folder / "workspace.yaml").read_text()
    assert "/.lakegate/" in (folder / ".gitignore").read_text().splitlines()


def test_init_leaves_a_gitignore_that_is_there(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    assert tmp_path / ".gitignore" not in init_project(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_example_of_init_is_a_valid_contract_once_renamed(tmp_path: Path) -> None:
    init_project(tmp_path)
    example = tmp_path / "catalog" / "contracts" / "sensor_readings.odcs.yaml.txt"
    contract = load_contract(example.rename(example.with_suffix("")))
    assert (contract.name, contract.key, contract.write_mode) == (
        "sensor_readings",
        ("sensor", "measured_at"),
        "append",
    )
    assert (contract.owner, contract.support) == ("", ""), "no refusal may show a placeholder"
    assert set(load_catalog(tmp_path).contracts) == {"sensor_readings"}


def test_what_the_example_of_init_shows_in_comments_can_be_used_as_it_stands(tmp_path: Path) -> None:
    init_project(tmp_path)
    example = tmp_path / "catalog" / "contracts" / "sensor_readings.odcs.yaml.txt"
    begun, used = (
        re.compile(rf"(?m)^( *)# ({words}.*)$")
        for words in ("(relationships|logicalTypeOptions|team|support):", " +")
    )
    text = begun.sub(r"\1\2", example.read_text().replace("#   lakegate ingest", "# lakegate ingest"))
    example.with_suffix("").write_text(used.sub(r"\1\2", text))
    contract = load_contract(example.with_suffix(""))
    assert (contract.owner, contract.support) == ("NAME", "NAME: WHAT TO DO")
    assert [(item.columns, item.to, item.severity) for item in contract.relationships] == [
        (("sensor",), "sensors", "quarantine")
    ]
    assert contract.column("measured_at").format == "dd.MM.yyyy HH:mm"


@pytest.mark.parametrize("place", ["catalog/templates/sensor_readings.odcs.yaml.txt", "assets/factory.py"])
def test_nothing_tells_of_a_quarantine_as_of_a_table_to_be_read(place: str) -> None:
    assert "_quarantine" not in (ROOT / place).read_text()


def test_init_refuses_a_folder_that_is_a_lake_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        init_project(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["catalog"]


RULE = "      - {{id: agrees, type: custom, engine: greatExpectations, severity: warn, implementation: {{type: {type}, kwargs: {kwargs}}}}}\n"
AGREES = "{column: origin, on: [dest], reference: airports, reference_on: [faa], reference_column: name}"


def state(lake: Path, name: str, kwargs: str, type_: str = "expect_column_to_agree_with_reference") -> None:
    edit(lake, name, "    quality:\n", "    quality:\n" + RULE.format(type=type_, kwargs=kwargs))


def test_a_rule_may_name_a_dataset_whose_version_is_then_pinned(lake: Path) -> None:
    state(lake, "weather", AGREES.replace("dest", "origin"))
    catalog = load_catalog(lake)
    assert catalog.broken == {}
    assert "airports" in catalog.get("weather").references


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("airports", "airport", "'airports'"),
        ("airports", "flights", "correct that contract"),
        ("reference_on: [faa]", "reference_on: [fa]", "'faa'"),
        ("reference_column: name", "reference_column: lat", "one type"),
        ("reference_on: [faa]", "reference_on: [faa, name]", "as many"),
        ("on: [dest]", "on: [dests]", "'dest'"),
    ],
)
def test_a_rule_that_names_what_another_dataset_lacks_is_told_at_its_line(
    lake: Path, old: str, new: str, text: str
) -> None:
    state(lake, "flights", AGREES.replace(old, new, 1))
    error = load_catalog(lake).broken["flights"]
    path, _, line = error.where.rpartition(":")
    assert "id: agrees" in Path(path).read_text().splitlines()[int(line) - 1]
    assert text in error.fix


SUMS = "{column: distance, by: [carrier], reference: flights, reference_column: distance, reference_by: [carrier]}"


def test_a_feature_is_held_against_its_inputs_and_nothing_else(lake: Path) -> None:
    kind = "expect_sum_to_agree_with_reference"
    state(lake, "flight_features", SUMS, kind)
    assert load_catalog(lake).broken == {}
    for old, new, what, fix in (
        ("reference: flights", "reference: planes", "'planes' is no input of flight_features", "weather"),
        (
            "reference_column: distance",
            "reference_column: distanc",
            "flights has no column 'distanc'",
            "'distance'",
        ),
        ("reference_column: distance", "reference_column: carrier", "of type string", "one type"),
    ):
        edit(lake, "flight_features", old, new)
        found = load_catalog(lake).broken["flight_features"]
        assert what in found.what
        assert fix in found.fix
        edit(lake, "flight_features", new, old)


def test_a_feature_points_at_its_inputs_and_nothing_else(lake: Path) -> None:
    item = "relationships: [{to: flights.carrier, customProperties: [{property: severity, value: block}]}]"
    edit(
        lake,
        "flight_features",
        "        primaryKeyPosition: 2\n",
        f"        primaryKeyPosition: 2\n        {item}\n",
    )
    contract = load_catalog(lake).get("flight_features")
    (rule,) = (rule for rule in build_suite(contract, "features", lake).rules if rule.id.startswith("fk:"))
    assert (rule.severity, rule.kwargs["reference"]) == ("block", "flights")
    edit(lake, "flight_features", "to: flights.carrier", "to: airlines.carrier")
    found = load_catalog(lake).broken["flight_features"]
    assert found.what == "the relationship points at 'airlines', which is no input of flight_features"
    assert "flights" in found.fix


def test_a_foreign_key_may_have_several_columns(lake: Path) -> None:
    pair = "from: [flights.origin, flights.time_hour], to: [weather.origin, weather.time_hour]"
    word = "customProperties: [{property: severity, value: warn}]"
    edit(lake, "flights", "    quality:\n", f"    relationships:\n      - {{{pair}, {word}}}\n    quality:\n")
    contract = load_catalog(lake).get("flights")
    (rule,) = (
        rule
        for rule in build_suite(contract, "processed", lake).rules
        if rule.id.endswith("weather.origin,time_hour")
    )
    assert rule.type == "expect_compound_columns_to_exist_in_reference"
    assert rule.kwargs["column_list"] == rule.kwargs["reference_column_list"] == ["origin", "time_hour"]
