"""Drops whose failure goes away are tried again, in the order in which they came."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from expectations.verdict import Verdict
from lake.hops.processed import write_rows
from lake.hops.raw import carry_raw
from lake.hops.receive import receive
from lake.pipeline.ingest import ingest
from lake.reports.versions import list_versions
from lake.session import Session
from lakegate.errors import LakegateError, Transient
from lakegate.settings import Settings
from tests.support.lakes.rides_ledger import delivered, open_rides

pytestmark = pytest.mark.server


@pytest.fixture
def session(shared_lakefs: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    return open_rides(shared_lakefs, tmp_path, request.node.name)


FIVE = (1, 2, 3, 4, 5)
"""Rides, one to a drop, whose digests have another order."""


def failing(honest: Callable[..., Any], nth: int, times: int = 1) -> Callable[..., Any]:
    """Something whose nth call meets what another try may help, and those after it, so many in all."""
    calls = count(1)

    def tried(*args: Any, **kwargs: Any) -> Any:
        if nth <= next(calls) < nth + times:
            raise Transient("lakeFS is away")
        return honest(*args, **kwargs)

    return tried


def test_drop_whose_failure_goes_away_is_tried_again_after_the_others(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_rows, "write_change", failing(write_rows.write_change, 1, times=2))
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "BACK_OFF", (0.01, 0.01))
    told = ingest(
        session, "rides", [delivered(tmp_path, f"{number}.csv", f"{number},2.5") for number in (1, 2, 3)]
    )
    assert [(result.file, result.hops[-1].version) for result in told] == [
        ("3.csv", "rides@v1"),
        ("1.csv", "rides@v2"),
        ("2.csv", "rides@v3"),
    ]


def rides_of(session: Session, table: str, folder: Path) -> list[int]:
    """Which ride's drop each version of a table took in."""
    rides = {sha256((folder / f"{ride}.csv").read_bytes()).hexdigest(): ride for ride in FIVE}
    return [rides[version["drop"]] for version in list_versions(session, table)]


@pytest.mark.parametrize(
    ("ordered", "nth", "wanted"),
    [(True, 1, FIVE), (True, 2, FIVE), (True, 4, FIVE), (False, 1, (2, 3, 4, 5, 1))],
)
def test_raw_versions_of_an_ordered_dataset_have_the_numbers_that_they_would_have_without_a_failure(
    session: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    ordered: bool,
    nth: int,
    wanted: tuple[int, ...],
) -> None:
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "carry_raw", failing(carry_raw, nth))
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "BACK_OFF", (0.01, 0.01))
    session.catalog.contracts["rides"] = replace(
        session.catalog.get("rides"), order_by="ride" if ordered else None
    )
    told = ingest(session, "rides", [delivered(tmp_path, f"{ride}.csv", f"{ride},2.5") for ride in FIVE])
    assert sorted(int(result.file[0]) for result in told) == [*FIVE]
    assert all(result.hops[-1].verdict is not Verdict.UNCHANGED for result in told)
    assert [tuple(rides_of(session, table, tmp_path)) for table in ("rides_raw", "rides")] == [wanted, wanted]


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_drops_that_nobody_carries_are_taken_up_in_the_order_in_which_they_came(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "carry_raw", failing(carry_raw, nth, times=3))
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "BACK_OFF", (0.01, 0.01))
    session.catalog.contracts["rides"] = replace(session.catalog.get("rides"), order_by="ride")
    files = [delivered(tmp_path, f"{ride}.csv", f"{ride},2.5") for ride in FIVE]
    for path in files:
        receive(session, "rides", path)
    errors: list[LakegateError] = []
    ingest(session, "rides", files[:1], on_error=lambda _, error: errors.append(error))
    assert [str(error) for error in errors] == ["lakeFS is away"] * bool(errors)
    assert rides_of(session, "rides_raw", tmp_path) == sorted(rides_of(session, "rides_raw", tmp_path))
    assert (rides_of(session, "rides_raw", tmp_path) == []) == (nth == 1)
    ingest(session, "rides", files[:1])
    assert [sorted(rides_of(session, table, tmp_path)) for table in ("rides_raw", "rides")] == [[*FIVE]] * 2


def test_full_delivery_waits_for_one_that_is_tried_again(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the older one would come too late to be a version."""
    monkeypatch.setattr(write_rows, "write_change", failing(write_rows.write_change, 1))
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "BACK_OFF", (0.01, 0.01))
    session.catalog.contracts["rides"] = replace(session.catalog.get("rides"), write_mode="replace")
    told = ingest(session, "rides", [delivered(tmp_path, f"{ride}.csv", f"{ride},2.5") for ride in FIVE])
    assert [(result.file, result.hops[-1].version) for result in told] == [
        (f"{ride}.csv", f"rides@v{ride}") for ride in FIVE
    ]
