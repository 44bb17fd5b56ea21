"""The raw gate: schema rules asked of a delivery's header and its tally of records, before any type is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from expectations.suite import Rule, Suite
from expectations.verdict import Outcome
from lakegate.errors import ContractError

NAMED: Final = 8
"""Most column names that a message lists."""


@dataclass(frozen=True)
class Arrival:
    """What is known of a delivery before its values are looked at."""

    columns: tuple[str, ...]
    records: int
    readable: int

    @property
    def unreadable(self) -> int:
        """Records that could not be split or decoded."""
        return self.records - self.readable


def judge_arrival(suite: Suite, arrival: Arrival) -> tuple[Outcome, ...]:
    """One outcome per rule of a raw suite.

    Raises:
        ContractError: The suite has a rule that can't be asked of a raw delivery.
    """
    outcomes = []
    for rule in suite.rules:
        if (ask := _ASK.get(rule.type)) is None:
            what = f"{rule.type} can't be asked of a raw delivery"
            raise ContractError(what, where=f"suite {suite.name}, rule {rule.id}", fix="move the rule to the processed hop")
        outcomes.append(ask(rule, arrival))
    return tuple(outcomes)


def _exists(rule: Rule, arrival: Arrival) -> Outcome:
    column = rule.kwargs["column"]
    missing = column not in arrival.columns
    return Outcome(rule, int(missing), 1, {"told": f"column {column} is missing"} if missing else {})


def _expected(rule: Rule, arrival: Arrival) -> Outcome:
    expected = set(rule.kwargs["column_set"])
    unknown = [name for name in dict.fromkeys(arrival.columns) if name not in expected]
    # A file without a header has somebody's data there (P6): names are told only where the line is a header.
    told = _named(unknown) if expected & set(arrival.columns) else f"{len(unknown)} names, none of which the contract knows"
    return Outcome(rule, len(unknown), len(arrival.columns), {"told": f"unexpected: {told}"} if unknown else {})


def _distinct(rule: Rule, arrival: Arrival) -> Outcome:
    twice = [name for name, count in Counter(arrival.columns).items() if count > 1]
    # By position, since without a header these would be somebody's data (P6).
    places = [str(number) for number, name in enumerate(arrival.columns, start=1) if name in set(twice)]
    return Outcome(rule, len(twice), len(arrival.columns), {"told": f"the same name at columns {_named(places)}"} if twice else {})


def _row_count(rule: Rule, arrival: Arrival) -> Outcome:
    least, most = rule.kwargs.get("min_value"), rule.kwargs.get("max_value")
    outside = (least is not None and arrival.records < least) or (most is not None and arrival.records > most)
    told = {"observed_value": arrival.records, "told": f"{arrival.records} records"}
    return Outcome(rule, int(outside), 1, told)


def _readable(rule: Rule, arrival: Arrival) -> Outcome:
    share = arrival.unreadable / arrival.records if arrival.records else 0.0
    seen: dict[str, Any] = {"unreadable": arrival.unreadable}
    if share <= rule.kwargs["max_share"]:
        return Outcome(rule, 0, arrival.records, seen)
    told = f"{arrival.unreadable} of {arrival.records} records can't be read, the contract allows {rule.kwargs['max_share']:.0%}"
    return Outcome(rule, arrival.unreadable, arrival.records, seen | {"told": told})


def _named(names: list[str]) -> str:
    shown = ", ".join(name[:64] for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


_ASK: Final[dict[str, Callable[[Rule, Arrival], Outcome]]] = {
    "expect_column_to_exist": _exists,
    "expect_table_columns_to_match_set": _expected,
    "expect_table_columns_to_be_unique": _distinct,
    "expect_table_row_count_to_be_between": _row_count,
    "expect_records_to_be_readable": _readable,
}
