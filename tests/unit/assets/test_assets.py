"""From contracts to assets: keys, partitions, checks, and what a broken contract takes down (only itself)."""

from __future__ import annotations

from dagster import AssetCheckKey, AssetKey, Definitions, DynamicPartitionsDefinition

from assets.events.lineage import sources_of
from assets.partitions import key_of
from catalog.files import load_catalog
from lake.ledger.receipts import Drop
from tests.support.places import ROOT

PROJECT = ROOT
TABLES = {"airlines", "airports", "planes", "weather", "flights"}


def test_datasets_give_a_raw_and_a_processed_asset_and_features_one(defs: Definitions) -> None:
    found = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert found == TABLES | {f"{name}_raw" for name in TABLES} | {"flight_features"} | {
        f"retrain/{name}" for name in TABLES
    }


def test_raw_and_processed_share_a_partition_per_drop_and_features_have_none(defs: Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for table in ("flights_raw", "flights"):
        partitions = graph.get(AssetKey(table)).partitions_def
        assert isinstance(partitions, DynamicPartitionsDefinition)
        assert partitions.name == "drops_flights"
    assert graph.get(AssetKey("flight_features")).partitions_def is None


def test_lineage_leads_from_raw_and_references_to_the_feature(defs: Definitions) -> None:
    graph = defs.resolve_asset_graph()

    def parents(table: str) -> set[str]:
        return {key.to_user_string() for key in graph.get(AssetKey(table)).parent_keys}

    assert parents("flights_raw") == set()
    assert parents("flights") == {"flights_raw", "airlines", "airports", "planes"}
    assert parents("flight_features") == {"flights", "weather"}


def test_families_with_rules_at_a_hop_are_checks(defs: Definitions) -> None:
    checks = defs.resolve_asset_graph().asset_check_keys
    assert AssetCheckKey(AssetKey("flights_raw"), "schema") in checks
    assert {key.name for key in checks if key.asset_key == AssetKey("flights")} >= {
        "schema",
        "range",
        "duplicate",
        "consistency",
    }
    assert {key.name for key in checks if key.asset_key == AssetKey("flight_features")} >= {
        "duplicate",
        "consistency",
    }


def test_asset_tells_its_columns_its_owner_and_what_it_was_made_under(defs: Definitions) -> None:
    node = defs.resolve_asset_graph().get(AssetKey("flights"))
    schema = node.metadata["dagster/column_schema"]
    assert [column.name for column in schema.columns][:3] == ["year", "month", "day"]
    assert node.owners == ["team:flight-data"]
    assert node.group_name == "flights"
    assert {"lakefs", "deltalake"} <= node.kinds
    assert node.code_version is not None


def test_columns_of_a_feature_are_followed_through_its_sql() -> None:
    catalog = load_catalog(PROJECT)
    sources = sources_of(catalog.get("flight_features"), catalog.contracts)
    assert sources["temp"] == [("weather", "temp")]
    assert sources["label_known"] == [("flights", "arr_delay")]
    assert sources["has_weather"] == [("weather", "origin")]


def test_partition_reads_as_the_file_and_ends_in_the_drops_digits() -> None:
    drop = Drop("default", "flights", "3f2a" * 16, "flights 2013-01...csv\n", 1, "")
    assert key_of(drop) == "flights_2013-01_csv_~3f2a3f2a3f2a"
