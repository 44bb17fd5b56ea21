"""Which versions live: the latest, the newest, the young, their parents, and those that are asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.contract import Contract, Relationship
from catalog.retention import Retention
from lake.maintenance.retention_policy import versions_to_keep
from lakegate.manifest import Manifest, Parent
from lakegate.names import VersionName
from tests.support.reader.one_manifest import MANIFEST

pytestmark = pytest.mark.server

NOW = datetime(2026, 1, 31, tzinfo=UTC)


@given(
    ages=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    versions=st.none() | st.integers(1, 5),
    days=st.none() | st.integers(1, 40),
    parent=st.none() | st.integers(1, 12),
    asked_for=st.sets(st.integers(1, 12), max_size=3),
    referenced=st.booleans(),
)
def test_latest_the_newest_the_young_and_the_parents_live(
    *,
    ages: list[int],
    versions: int | None,
    days: int | None,
    parent: int | None,
    asked_for: set[int],
    referenced: bool,
) -> None:
    def made(table: str, number: int, age: int, parents: list[Parent]) -> Manifest:
        created = (NOW - timedelta(days=age)).isoformat()
        return replace(MANIFEST, table=table, version=number, created_at=created, parents=parents)

    contract = Contract(
        name="rides",
        kind="dataset",
        path=Path(),
        hash="",
        columns=(),
        key=(),
        write_mode="append",
        retention=Retention(versions, days) if versions or days else None,
    )
    fares = replace(
        contract,
        name="fares",
        relationships=(Relationship(("ride",), "rides", ("ride",), "quarantine"),),
        retention=None,
    )
    contracts = {"rides": contract} | ({"fares": fares} if referenced else {})
    rides = [made("rides", number, age, []) for number, age in enumerate(ages, 1)]
    pinned = [Parent("rides", parent, "")] if parent is not None and parent <= len(rides) else []
    others = [made("features", 1, 100, pinned)]
    wanted = {item.name: "delays-7 uses it" for item in rides if item.version in asked_for}
    alive = versions_to_keep({item.name: item for item in [*rides, *others]}, contracts, wanted, now=NOW)
    assert VersionName("features", 1) in alive
    for item, age in zip(rides, ages, strict=True):
        told = {
            "delays-7 uses it": item.version in asked_for,
            "its contract names no retention": versions is None and days is None,
            f"retention: among the newest {versions}": versions is not None
            and item.version > len(rides) - versions,
            f"retention: younger than {days} days": days is not None and age < days,
            "the latest": item.version == len(rides),
            "a reference that was the latest less than a day ago": referenced
            and ages[item.version : item.version + 1] == [0],
            "a version of features that stays was made from it": any(
                parent.version == item.version for parent in pinned
            ),
        }
        assert alive.get(item.name) == next((why for why, holds in told.items() if holds), None)
