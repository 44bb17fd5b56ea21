"""Rules about time: what they become, and which mistakes in them are told before any data is read."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.contract import Column
from catalog.rules.rule_checks import mistakes
from expectations.rules.time_rules import OFFSET, TIME_RULES, after_delivery
from tests.support.rules.planned_rules import CONTRACT, plan_of

AT = {"at": Column("at", "timestamp"), "day": Column("day", "date")}


def test_present_is_the_drops_delivery_in_utc_and_the_tolerance() -> None:
    delivered = "2013-01-31T23:30:00+02:00"
    assert after_delivery({"column": "at"}, AT, delivered) == "`at` > timestamp'2013-01-31 21:30:00.000000Z'"
    assert (
        after_delivery({"column": "at", "tolerance_seconds": 60}, AT, delivered)
        == "`at` > timestamp'2013-01-31 21:31:00.000000Z'"
    )
    assert (
        after_delivery({"column": "day", "tolerance_seconds": 9000}, AT, delivered)
        == "`day` > date'2013-02-01'"
    )


def test_plan_that_is_only_shown_names_the_delivery_and_asks_no_clock() -> None:
    (step,) = plan_of(("expect_column_values_to_be_before_delivery", {"column": "at"})).steps
    assert step.sql == "`at` > delivered_at + 0 seconds"


def test_cutoff_is_a_value_or_a_column() -> None:
    made = TIME_RULES["expect_column_values_to_be_before_cutoff"]
    assert made({"column": "day", "cutoff": "2013-02-01"}, AT) == "`day` >= date'2013-02-01'"
    assert made({"column": "at", "cutoff_column": "made", "or_equal": True}, AT) == "`at` > `made`"


def test_offset_is_looked_for_in_the_delivered_text() -> None:
    asked = TIME_RULES["expect_column_text_to_state_its_offset"]({"column": "at"}, AT)
    assert asked.startswith("not (coalesce(trim(`__text_at`), date_format(`at`, ")
    assert "\\d" not in OFFSET


@pytest.mark.parametrize(
    ("kind", "kwargs", "what"),
    [
        ("expect_column_values_to_be_before_cutoff", {"column": "at"}, "no bound"),
        ("expect_column_values_to_be_before_cutoff", {"column": "at", "cutoff": "soon"}, "can't be compared"),
        (
            "expect_column_values_to_be_before_cutoff",
            {"column": "at", "cutoff_column": "size"},
            "can't judge",
        ),
        (
            "expect_column_values_to_be_before_cutoff",
            {"column": "at", "cutoff_column": "at", "cutoff": "2013-01-01"},
            "both",
        ),
        ("expect_column_values_to_be_before_delivery", {"column": "size"}, "can't judge"),
        (
            "expect_column_values_to_be_before_delivery",
            {"column": "at", "tolerance_seconds": -1},
            "tolerance_seconds is -1",
        ),
        ("expect_local_time_to_exist", {"column": "at", "time_zone": "America/Newyork"}, "no time zone"),
        ("expect_rows_to_satisfy", {"condition": "size > nobody"}, "no column"),
        ("expect_rows_to_satisfy", {"condition": "at < now()"}, "now()"),
        ("expect_rows_to_satisfy", {"condition": "size > (select max(size) from x)"}, "more than one row"),
        ("expect_rows_to_satisfy", {"condition": 7}, "no text"),
        ("expect_rows_to_satisfy", {"condition": "person = 'Ann'"}, "personal"),
    ],
)
def test_mistake_is_told_before_any_data_is_read(kind: str, kwargs: dict[str, Any], what: str) -> None:
    found = list(mistakes(CONTRACT, "processed", kind, kwargs, "warn"))
    assert any(what in item.what for item in found), found
    assert all(item.fix for item in found)
