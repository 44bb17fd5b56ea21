"""The raw gate: rules on a delivery's header and its number of records, before any value is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from catalog.contract import RESCUED
from catalog.rules.expectation_types import LINE_END
from expectations.rules.number_rules import between
from expectations.rules.row_count_rules import over_budget
from expectations.rules.schema_rules import judge_header
from expectations.suite import Rule, Suite
from expectations.verdict import Outcome, table_outcome
from lakegate.errors import ContractError


@dataclass(frozen=True)
class Arrival:
    """What is known of a delivery before its values are read."""

    columns: tuple[str, ...]
    records: int
    readable: int
    rescued: int | None = None
    """Records with values in unexpected columns, where the contract rescues these."""
    why_unreadable: str = ""
    """Why most of the unreadable records can't be read, and where the first of them is."""
    ended: bool = True
    """Whether the last record has a line end."""
    header_hint: Callable[[Sequence[str], Collection[str]], str] | None = None
    """Explains a header without any expected name, as the format knows it; None where there is no header."""

    @property
    def unreadable(self) -> int:
        """Records that could not be split or decoded."""
        return self.records - self.readable


def judge_arrival(suite: Suite, arrival: Arrival) -> tuple[Outcome, ...]:
    """One outcome per rule of a raw suite.

    Raises:
        ContractError: The suite has a rule that can't judge a raw delivery.
    """
    outcomes = []
    for rule in suite.rules:
        if (found := judge_header(rule, arrival.columns)) is not None:
            outcomes.append(_with_rescued(_with_hint(found, arrival), arrival))
        elif (judge := _JUDGES.get(rule.type)) is not None:
            outcomes.append(judge(rule, arrival))
        else:
            what, where = (
                f"{rule.type} can't judge a raw delivery",
                f"suite {suite.name}, rule {rule.id}",
            )
            raise ContractError(what, where=where, fix="move the rule to the processed hop")
    return tuple(outcomes)


def _with_hint(found: Outcome, arrival: Arrival) -> Outcome:
    """The outcome on a header, with the format's explanation where none of its names is expected."""
    kwargs = found.rule.kwargs
    expected = set(kwargs.get("column_set", ())) if kwargs.get("exact_match", True) else set()
    if not found.failed or not expected.isdisjoint(arrival.columns) or arrival.header_hint is None:
        return found
    hint = arrival.header_hint(arrival.columns, expected)
    return _with_words(found, hint) if hint else found


def _with_rescued(found: Outcome, arrival: Arrival) -> Outcome:
    """The outcome on unexpected columns, with the number of rows whose values are stored."""
    if found.rule.id != "unexpected-columns" or not found.failed or arrival.rescued is None:
        return found
    return _with_words(found, f"kept in {RESCUED} of {arrival.rescued} rows", rescued_rows=arrival.rescued)


def _with_words(found: Outcome, words: str, **observed: Any) -> Outcome:
    more = observed | {"told": f"{found.observed['told']}; {words}"}
    return replace(found, observed=found.observed | more)


def _row_count(rule: Rule, arrival: Arrival) -> Outcome:
    exactly = rule.kwargs.get("value")
    ok = between(arrival.records, rule.kwargs) if exactly is None else arrival.records == exactly
    words = f"{arrival.records} records"
    return table_outcome(rule, broken=not ok, words=words, observed_value=arrival.records)


def _readable(rule: Rule, arrival: Arrival) -> Outcome:
    why = arrival.why_unreadable
    observed: dict[str, Any] = {"unreadable": arrival.unreadable} | ({"why": why} if why else {})
    if (over := over_budget(rule, arrival.unreadable, arrival.records)) is None:
        return Outcome(rule, 0, arrival.records, observed)
    observed["told"] = f"{over[0]} records can't be read, {over[1]}" + (f": {why}" if why else "")
    return Outcome(rule, arrival.unreadable, arrival.records, observed)


def _ended(rule: Rule, arrival: Arrival) -> Outcome:
    if arrival.ended:
        return Outcome(rule, 0, 1)
    words = "the last record has no line end, so the file may have been cut in it"
    return table_outcome(rule, broken=True, words=words)


_JUDGES: Final[dict[str, Callable[[Rule, Arrival], Outcome]]] = {
    "expect_table_row_count_to_be_between": _row_count,
    "expect_table_row_count_to_equal": _row_count,
    "expect_records_to_be_readable": _readable,
    LINE_END: _ended,
}
