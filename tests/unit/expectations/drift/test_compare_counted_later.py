"""Versions whose histograms were counted later are compared like those counted at once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from catalog.drift import Drift
from expectations.drift.histogram import Histograms
from lake import paths
from lake.drift.histogram_store import VersionHistograms
from lake.reports.compare import VersionComparison
from lakegate.errors import UsageError
from tests.support.drift.compared_lake import CONTRACT, by_name, found, part
from tests.support.drift.histogram_lake import KeptLake


@pytest.mark.parametrize("write_mode", ["append", "replace"])
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("made_by", ["discards_of", "replay_of"])
def test_version_that_no_delivery_made_is_compared_at_once_and_the_next_delivery_changes_nothing(
    write_mode: Any, made_by: str, *, kept: bool
) -> None:
    if made_by == "replay_of" and not kept:
        return  # an earlier release didn't count what it gave back
    lake = KeptLake(replace(CONTRACT, write_mode=write_mode))
    for _ in range(3):
        lake.add(part())
    back = (
        part(size={100: 200}, group={"a": 200})
        if made_by == "replay_of"
        else part(size={100: 0}, group={"a": 0}, nulls=0)
    )
    lake.add(back, made_by=made_by, kept=kept)

    def told() -> list[VersionComparison]:
        return [
            found(lake, **options)
            for options in ({}, {"whole": True}, {"against": "pinned"}, {"against": "season"})
        ]

    before, whole = told(), 900 if write_mode == "append" else 300
    assert [item.rows for item in before] == [back.rows, whole + back.rows, back.rows, back.rows]
    assert [item.baseline for item in before] == [(f"things@v{number}",) for number in (3, 3, 1, 1)]
    lake.add(part())
    assert told() == before
    assert found(lake, "things@v5").baseline == ("things@v3",)
    assert found(lake, "things@v5", against="season").baseline == ("things@v1",)
    assert found(lake, "things@v5", whole=True).baseline_rows == whole + back.rows


def set_earlier(lake: KeptLake, number: int, earlier: dict[str, Any]) -> None:
    path = paths.histograms("things", number)
    lake.objects[path] = json.dumps(json.loads(lake.objects[path]) | {"earlier": earlier}).encode()
    lake.rewrite(number, drop="nothing")


def test_columns_that_were_counted_later_are_compared_beside_those_that_were_counted_at_once() -> None:
    lake = KeptLake(CONTRACT)
    lake.add(Histograms(300, {"size": part().columns["size"]}))
    lake.add(Histograms(300, {"size": part().columns["size"]}))
    later = part(size={100: 300}).columns
    counted = Histograms(300, {"size": later["size"], "group": later["group"]})
    set_earlier(lake, 2, {"1": VersionHistograms(counted, counted).to_json()})
    lake.add(part())
    told = by_name(found(lake, "things@v3", against="v1"))
    assert (told["size"].kl, told["group"].kl) == (0.0, 0.0)


def test_small_versions_before_do_without_one_that_has_no_histograms() -> None:
    lake = KeptLake(CONTRACT)
    lake.add(Histograms())
    small = part(size={100: 40}, group={"a": 20, "b": 20})
    for number in (2, 3):
        lake.add(small)
        set_earlier(lake, number, {})
    told = found(lake, "things@v3")
    assert (told.baseline, told.baseline_rows) == (("things@v2",), 40)


def test_histograms_counted_later_are_kept_over_a_discard() -> None:
    lake = KeptLake(replace(CONTRACT, drift=Drift(pinned=2)))
    lake.add(part())
    for _ in range(2):
        lake.add(part(), made_by="replay_of")
    lake.add(part())  # counts what the replays gave back
    before = found(lake, "things@v2", against="v1")
    lake.add(part(size={100: 0}, group={"a": 0}), made_by="discards_of", kept=True)
    assert found(lake, "things@v2", against="v1") == before


def test_file_that_its_manifest_does_not_vouch_for_is_as_good_as_none(lake: KeptLake) -> None:
    lake.objects["_lakegate/histograms/things/v3.json"] += b" "
    with pytest.raises(UsageError, match="things@v3 has no histograms"):
        found(lake)
