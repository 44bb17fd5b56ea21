from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.documents.document import suggest
from catalog.files import load_catalog
from lakegate.errors import ContractError, UsageError
from tests.support.catalog.catalog_files import change
from tests.support.places import ROOT

ALL = {"airlines", "airports", "flight_features", "flights", "planes", "weather"}


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


def test_shipped_lake_loads_whole() -> None:
    catalog = load_catalog(ROOT)
    assert {name: str(error) for name, error in catalog.broken.items()} == {}
    assert set(catalog.contracts) == ALL
    assert [item.name for item in catalog.features] == ["flight_features"]
    assert len(catalog.datasets) == 5


def test_broken_contract_takes_down_nobody_else(lake: Path) -> None:
    change(lake, "planes", "status:", "statsu:")
    small(lake, "parts", to="flights.tailnum")
    catalog = load_catalog(lake)
    assert set(catalog.broken) == {"planes", "flights", "flight_features"}
    assert set(catalog.contracts) == {"airlines", "airports", "weather", "parts"}
    assert "planes" in catalog.broken["flights"].what
    with pytest.raises(ContractError, match=r"planes\.odcs\.yaml:\d+.*'statsu'"):
        catalog.get("planes")


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
