"""A refusal in words: which rules refused a drop, and what its contract says to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from catalog.contract import Contract
from expectations.suite import Suite
from expectations.verdict import Outcome
from lake.hops.file_names import NAME_TAKEN, other_name
from lake.hops.gate.no_rows_taken import is_none_taken
from lake.parsing.missing_columns import missing
from lakegate.errors import DataRejected

NAMED: Final = 8
"""Most rules that a reason lists."""


def blocked_message(contract: Contract, outcomes: tuple[Outcome, ...], *, file: str = "") -> str:
    """The file, the rules that refused it, in words, and what to do, as the contract says it."""
    broken = [item for item in outcomes if item.rule.severity == "block" and not item.success]
    absent = [item for item in broken if item.rule.type == "expect_column_to_exist"]
    reasons = []
    if absent:
        reasons.append(missing(contract, [str(item.rule.kwargs["column"]) for item in absent], outcomes))
    reasons += [f"{item.rule.id} ({_found(item, outcomes)})" for item in broken if item not in absent]
    fix = f"Compare it with its contract, {contract.path.name}; deliver it again when it is corrected"
    if any(item.rule == NAME_TAKEN for item in broken):  # then no other rule was evaluated
        fix = other_name(contract)
    elif contract.support:
        fix = contract.support
    return f"{_of(file)}refused by {'; '.join(reasons)}. {fix}"


def held_message(contract: Contract, held: Sequence[Outcome], *, cause: str, file: str = "") -> str:
    """The file, the rules that a person has to decide on, and how to."""
    reasons = "; ".join(f"{item.rule.id} ({_found(item)})" for item in held)
    approve, reject = (f"`lakegate {verb} {cause[:12]} --reason ...`" for verb in ("approve", "reject"))
    message = f"{_of(file)}held by {reasons}. A person decides: {approve} publishes it, {reject} refuses it"
    return f"{message}. {contract.support}" if contract.support else message


def _of(file: str) -> str:
    return f"{file}: " if file else ""


def _found(broken: Outcome, outcomes: Sequence[Outcome] = ()) -> str:
    """What a broken rule found; of the limit on quarantined rows also which rules quarantine most."""
    found = broken.observed.get("told") or f"{broken.failed} of {broken.of}"
    if broken.rule.type != "expect_quarantined_share_to_be_at_most":
        return found
    rules = [item for item in outcomes if item.rule.severity == "quarantine" and item.failed]
    rules.sort(key=lambda item: -item.failed)
    named = ", ".join(f"{item.rule.id} {item.failed}" for item in rules[:NAMED])
    more = f" and {len(rules) - NAMED} more rules" if len(rules) > NAMED else ""
    return f"{found}: {named}{more}" if rules else found


def no_rows_taken_message(table: str, counts: Mapping[str, int], rules: Sequence[Mapping[str, Any]]) -> str:
    """Which rules quarantined every row; empty where some row was taken, or none came.

    Args:
        table: The table that took none.
        counts: Of the drop: `records_in`, `valid`, `quarantined` and `deleted`, as of one that corrects
            another.
        rules: The outcomes, as a manifest lists them.
    """
    if not is_none_taken(counts):
        return ""
    quarantined, outdated = counts.get("quarantined", 0), counts.get("outdated", 0)
    if not quarantined:
        later = "a later one of its key" if outdated == 1 else "later ones of their keys"
        return f"no row was taken, {all_of(outdated, 'outdated')}: {table} has {later}"
    broken = [rule for rule in rules if rule["severity"] == "quarantine" and rule["failed"]]
    broken.sort(key=lambda rule: -int(rule["failed"]))
    records = counts.get("records_in", 0)
    state = "quarantined by " + "; ".join(
        f"{rule['rule']} ({rule['failed']} of {records})" for rule in broken
    )
    which = all_of(quarantined, state)
    if outdated:
        which = f"{_some_of(quarantined, state)}, {_some_of(outdated, 'outdated')}"
    them = "it" if quarantined == 1 else "them"
    message = f"no row was taken, {which}: `lakegate quarantine {table}` lists {them}."
    if broken and broken[0]["family"] == "duplicate":
        message += " Did the same rows come before, in a file of other bytes?"
    if gone := counts.get("deleted", 0):
        again = "`lakegate ingest --supersede` of that file brings it back"
        message += f" What it corrects is out ({gone} rows): {again}."
    return message


def all_of(count: int, state: str) -> str:
    """That all rows of a drop, at least one, are in some state."""
    return f"the only one is {state}" if count == 1 else f"all {count} are {state}"


def _some_of(count: int, state: str) -> str:
    return f"{count} {'is' if count == 1 else 'are'} {state}"


def unreadable_outcomes(suite: Suite, rejection: DataRejected) -> tuple[Outcome, ...]:
    """A delivery that could not even be opened counts against the rule that asks for readable records."""
    rules = [rule for rule in suite.rules if rule.type == "expect_records_to_be_readable"]
    return tuple(Outcome(rule, failed=1, of=1, observed={"told": rejection.what}) for rule in rules)
