"""What is said of a drop of which nothing was taken."""

from __future__ import annotations

from typing import Any

import pytest

from lake.hops.gate.messages import no_rows_taken_message

KEY = {"rule": "key", "family": "duplicate", "severity": "quarantine", "failed": 3}
FARE = {"rule": "fare-plausible", "family": "range", "severity": "quarantine", "failed": 4}
DRIFT = {"rule": "drift:previous", "family": "distribution", "severity": "warn", "failed": 1}


def counts(valid: int, aside: int) -> dict[str, int]:
    return {"records_in": valid + aside, "valid": valid, "quarantined": aside}


def test_drop_of_which_no_row_was_taken_says_so_and_why() -> None:
    told = no_rows_taken_message("rides", counts(0, 4), [KEY, DRIFT, FARE])
    assert told.startswith(
        "no row was taken, all 4 are quarantined by fare-plausible (4 of 4); key (3 of 4): `lakegate "
        "quarantine rides`"
    )
    assert "drift" not in told
    assert "come before" not in told


def test_drop_of_one_row_is_told_of_as_one() -> None:
    told = no_rows_taken_message("rides", counts(0, 1), [FARE | {"failed": 1}])
    assert (
        told == "no row was taken, the only one is quarantined by fare-plausible (1 of 1): `lakegate "
        "quarantine rides` lists it."
    )
    late = no_rows_taken_message(
        "rides", {"records_in": 1, "valid": 1, "quarantined": 0, "outdated": 1, "inserted": 0}, []
    )
    assert late == "no row was taken, the only one is outdated: rides has a later one of its key"
    both = no_rows_taken_message(
        "rides", {"records_in": 3, "valid": 2, "quarantined": 1, "outdated": 2}, [FARE | {"failed": 1}]
    )
    assert "no row was taken, 1 is quarantined by fare-plausible (1 of 3), 2 are outdated: " in both


def test_drop_that_came_before_in_other_bytes_is_asked_about() -> None:
    assert "Did the same rows come before, in a file of other bytes?" in no_rows_taken_message(
        "rides", counts(0, 3), [KEY]
    )


def test_correction_that_puts_nothing_in_its_place_says_what_it_took_out() -> None:
    told = no_rows_taken_message("rides", counts(0, 3) | {"deleted": 12}, [FARE])
    assert "What it corrects is out (12 rows)" in told
    assert "is out" not in no_rows_taken_message("rides", counts(0, 3) | {"deleted": 0}, [FARE])


@pytest.mark.parametrize(
    ("found", "rules"), [(counts(1, 3), [KEY]), (counts(0, 0), []), (counts(3, 0), []), ({}, [])]
)
def test_message_is_empty_where_some_row_was_taken_or_none_came(
    found: dict[str, int], rules: list[dict[str, Any]]
) -> None:
    assert no_rows_taken_message("rides", found, rules) == ""
