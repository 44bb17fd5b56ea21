"""Every rule of these tests and rows that break each, and clock changes of the time zone database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.planted.missing import ROW_CASES, TABLE_CASES
from tests.support.planted.plain_rows import NEW_YORK, rows
from tests.support.planted.plant import (
    burst,
    from_the_future,
    in_the_fold,
    in_the_gap,
    late,
    plant,
    repeat_keys_older,
    two_countries,
    unknown_pair,
    without_offset,
)
from tests.support.planted.rides import Row, clean, stops, takings


def everything(seed: int) -> tuple[list[tuple[str, dict[str, Any]]], list[Row], dict[str, Any]]:
    """Every rule of these tests, rows that break each in many ways, and what they are held against."""
    clean_rows = clean(seed)
    dirty = [dict(row) for row in clean_rows]
    for fault in (
        late,
        from_the_future,
        unknown_pair,
        two_countries,
        without_offset,
        in_the_gap,
        in_the_fold,
        repeat_keys_older,
        burst,
    ):
        dirty = plant(fault, dirty, seed).rows
    dirty += [row for _, _, changed, _ in ROW_CASES for row in changed] + [
        row for _, _, changed, _, _ in TABLE_CASES for row in changed
    ]
    references = {"stops": stops(), "takings": takings(clean_rows)}
    asked: list[tuple[str, dict[str, Any]]] = [
        *{(case[0], case[1].get("keep")): case[:2] for case in [*ROW_CASES, *TABLE_CASES]}.values()
    ]
    asked.append(
        ("expect_rows_not_to_be_delivered_again", {"column_list": ["city", "fare"], "max_share": 0.9})
    )
    return asked, dirty, {"references": references, "published": clean_rows[-40:], "aside": False}


def clock_changes() -> tuple[
    list[tuple[str, dict[str, Any]]], list[Row], tuple[frozenset[int], frozenset[int]]
]:
    """Both rules of local times, quarters of an hour around every change of New York's clocks from 2007 to
    2030, and what zoneinfo says.
    """
    zone, hours = (
        ZoneInfo("America/New_York"),
        [datetime(2007, 1, 1) + timedelta(hours=number) for number in range(24 * 365 * 24 + 144)],
    )
    changes = [
        hour
        for hour in hours
        if hour.replace(tzinfo=zone).utcoffset()
        != (hour + timedelta(hours=1)).replace(tzinfo=zone).utcoffset()
    ]
    moments = [change + timedelta(minutes=15 * step) for change in changes for step in range(-12, 16)]
    gaps, folds = set(), set()
    for number, moment in enumerate(moments, 1):
        first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        skipped = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment
        if skipped:
            gaps.add(number)
        elif first.utcoffset() != second.utcoffset():
            folds.add(number)
    asked = [
        (kind, NEW_YORK) for kind in ("expect_local_time_to_exist", "expect_local_time_to_be_unambiguous")
    ]
    return (
        asked,
        rows(*[{"hour": f"{moment:%Y-%m-%dT%H:%M:%SZ}"} for moment in moments]),
        (frozenset(gaps), frozenset(folds)),
    )
