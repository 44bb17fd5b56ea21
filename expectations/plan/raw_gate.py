"""The raw gate: schema rules asked of a delivery's header and its tally of records, before any type is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from catalog.contract import RESCUED
from catalog.rules.expectation_types import LINE_END
from expectations.rules.aggregate_rules import between, outcome
from expectations.rules.row_count_rules import over_budget
from expectations.rules.schema_rules import judge_header
from expectations.suite import Rule, Suite
from expectations.verdict import Outcome
from lakegate.errors import ContractError


@dataclass(frozen=True)
class Arrival:
    """What is known of a delivery before its values are looked at."""

    columns: tuple[str, ...]
    records: int
    readable: int
    rescued: int | None = None
    """Records that brought something in columns that nobody expected, where the contract rescues them."""
    why_unreadable: str = ""
    """In words, for those that could not be read: why most of them, and where the first is."""
    ended: bool = True
    """Whether the last record has a line end."""
    header_hint: Callable[[Sequence[str], Collection[str]], str] | None = None
    """What the file's format makes of names of which none is expected; None where there is no header."""

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
        if (found := judge_header(rule, arrival.columns)) is not None:
            outcomes.append(_with_rescued(_with_hint(found, arrival), arrival))
            continue
        if (ask := _ASK.get(rule.type)) is None:
            what = f"{rule.type} can't be asked of a raw delivery"
            raise ContractError(
                what, where=f"suite {suite.name}, rule {rule.id}", fix="move the rule to the processed hop"
            )
        outcomes.append(ask(rule, arrival))
    return tuple(outcomes)


def _with_hint(found: Outcome, arrival: Arrival) -> Outcome:
    """The outcome on unexpected columns, with what the format makes of it where none is expected."""
    kwargs = found.rule.kwargs
    expected = set(kwargs.get("column_set", ())) if kwargs.get("exact_match", True) else set()
    if not found.failed or not expected.isdisjoint(arrival.columns) or arrival.header_hint is None:
        return found
    if not (hint := arrival.header_hint(arrival.columns, expected)):
        return found
    told = f"{found.observed['told']}; {hint}"
    return replace(found, observed=found.observed | {"told": told})


def _with_rescued(found: Outcome, arrival: Arrival) -> Outcome:
    """The outcome on unexpected columns, with the number of rows whose values were kept."""
    if found.rule.id != "unexpected-columns" or not found.failed or arrival.rescued is None:
        return found
    told = f"{found.observed['told']}; kept in {RESCUED} of {arrival.rescued} rows"
    return replace(found, observed=found.observed | {"rescued_rows": arrival.rescued, "told": told})


def _row_count(rule: Rule, arrival: Arrival) -> Outcome:
    exactly = rule.kwargs.get("value")
    ok = between(arrival.records, rule.kwargs) if exactly is None else arrival.records == exactly
    return outcome(rule, ok, arrival.records, f"{arrival.records} records")


def _readable(rule: Rule, arrival: Arrival) -> Outcome:
    seen: dict[str, Any] = {"unreadable": arrival.unreadable} | (
        {"why": arrival.why_unreadable} if arrival.why_unreadable else {}
    )
    if (told := over_budget(rule, arrival.unreadable, arrival.records)) is None:
        return Outcome(rule, 0, arrival.records, seen)
    words = f"{told[0]} records can't be read, {told[1]}" + (
        f": {arrival.why_unreadable}" if arrival.why_unreadable else ""
    )
    return Outcome(rule, arrival.unreadable, arrival.records, seen | {"told": words})


def _ended(rule: Rule, arrival: Arrival) -> Outcome:
    told = (
        {}
        if arrival.ended
        else {"told": "the last record has no line end, so the file may have been cut in it"}
    )
    return Outcome(rule, int(not arrival.ended), 1, told)


_ASK: Final[dict[str, Callable[[Rule, Arrival], Outcome]]] = {
    "expect_table_row_count_to_be_between": _row_count,
    "expect_table_row_count_to_equal": _row_count,
    "expect_records_to_be_readable": _readable,
    LINE_END: _ended,
}
