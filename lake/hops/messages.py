"""A refusal in words: which rules refused a drop, and what its contract says to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from catalog.contract import Contract
from expectations.suite import Suite
from expectations.verdict import Outcome
from lake.hops.file_names import NAME_TAKEN, other_name
from lake.hops.no_rows_taken import is_none_taken
from lake.parsing.missing_columns import missing
from lakegate.errors import DataRejected

NAMED: Final = 8
"""Most rules that a reason lists."""


def blocked_message(contract: Contract, outcomes: tuple[Outcome, ...], *, file: str = "") -> str:
    """The file, the rules that refused it, in words, and what to do, as the contract says it."""
    broken = [item for item in outcomes if item.rule.severity == "block" and not item.success]
    absent = [
        str(item.rule.kwargs["column"]) for item in broken if item.rule.type == "expect_column_to_exist"
    ]
    told = [missing(contract, absent, outcomes)] if absent else []
    told += [
        f"{item.rule.id} ({item.observed.get('told') or f'{item.failed} of {item.of}'}{_by(item, outcomes)})"
        for item in broken
        if item.rule.type != "expect_column_to_exist"
    ]
    if any(item.rule == NAME_TAKEN for item in broken):  # nothing else was asked then
        fix = other_name(contract)
    else:
        fix = (
            contract.support
            or f"Compare it with its contract, {contract.path.name}; deliver it again when it is corrected"
        )
    return f"{file}{': ' if file else ''}refused by {'; '.join(told)}. {fix}"


def _by(broken: Outcome, outcomes: tuple[Outcome, ...]) -> str:
    """Of the rule that limits how much may be quarantined: by which rules it is, most first."""
    if broken.rule.type != "expect_quarantined_share_to_be_at_most":
        return ""
    aside = sorted(
        (item for item in outcomes if item.rule.severity == "quarantine" and item.failed),
        key=lambda item: -item.failed,
    )
    more = f" and {len(aside) - NAMED} more rules" if len(aside) > NAMED else ""
    return ": " * bool(aside) + ", ".join(f"{item.rule.id} {item.failed}" for item in aside[:NAMED]) + more


def held_message(contract: Contract, held: Sequence[Outcome], *, cause: str, file: str = "") -> str:
    """The file, the rules that a person has to decide on, and how to."""
    told = "; ".join(
        f"{item.rule.id} ({item.observed.get('told') or f'{item.failed} of {item.of}'})" for item in held
    )
    verbs = f"`lakegate approve {cause[:12]} --reason ...` publishes it, `lakegate reject {cause[:12]} --reason ...` refuses it"
    return f"{file}{': ' if file else ''}held by {told}. A person decides: {verbs}" + (
        f". {contract.support}" if contract.support else ""
    )


def no_rows_taken_message(table: str, counts: Mapping[str, int], rules: Sequence[Mapping[str, Any]]) -> str:
    """Which rules quarantined every row; empty where some row was taken, or none came.

    Args:
        table: The table that took none.
        counts: Of the drop: `records_in`, `valid`, `quarantined` and `deleted`, as of one that corrects another.
        rules: The outcomes, as a manifest lists them.
    """
    records = counts.get("records_in", 0)
    if not is_none_taken(counts):
        return ""
    if not counts.get("quarantined", 0):
        late = int(counts.get("outdated", 0))
        return f"no row was taken, {all_of(late, 'outdated')}: {table} has {'a later one of its key' if late == 1 else 'later ones of their keys'}"
    broken = sorted(
        (rule for rule in rules if rule["severity"] == "quarantine" and rule["failed"]),
        key=lambda rule: -int(rule["failed"]),
    )
    told = "; ".join(f"{rule['rule']} ({rule['failed']} of {records})" for rule in broken)
    repeats = bool(broken) and broken[0]["family"] == "duplicate"
    asked = " Did the same rows come before, in a file of other bytes?" if repeats else ""
    gone = counts.get("deleted", 0)
    out = (
        f" What it corrects is out ({gone} rows): `lakegate ingest --supersede` of that file brings it back."
        if gone
        else ""
    )
    aside, late = int(counts["quarantined"]), int(counts.get("outdated", 0))
    which = (
        f"{_some_of(aside, f'quarantined by {told}')}, {_some_of(late, 'outdated')}"
        if late
        else all_of(aside, f"quarantined by {told}")
    )
    return f"no row was taken, {which}: `lakegate quarantine {table}` lists {'it' if aside == 1 else 'them'}.{asked}{out}"


def all_of(count: int, state: str) -> str:
    """That all rows of a drop, at least one, are in some state."""
    return f"the only one is {state}" if count == 1 else f"all {count} are {state}"


def _some_of(count: int, state: str) -> str:
    return f"{count} {'is' if count == 1 else 'are'} {state}"


def unreadable_outcomes(suite: Suite, rejection: DataRejected) -> tuple[Outcome, ...]:
    """A delivery that could not even be opened counts against the rule that asks for readable records."""
    rules = [rule for rule in suite.rules if rule.type == "expect_records_to_be_readable"]
    return tuple(Outcome(rule, failed=1, of=1, observed={"told": rejection.what}) for rule in rules)
