"""Table rules that counts of rows decide: those that pass, those set aside, those of another table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from expectations.suite import Rule
from expectations.verdict import Outcome
from lakegate.errors import ContractError

COUNTED_TYPES: Final = frozenset(
    {
        "expect_table_row_count_to_equal",
        "expect_quarantined_share_to_be_at_most",
        "expect_table_row_count_to_equal_other_table",
        "expect_table_not_to_shrink",
    }
)
LEAST_BEFORE: Final = 10
"""Rows of the previous version from which on a share of them says something."""


def judge_table(
    rule: Rule,
    *,
    valid: int,
    quarantined: int = 0,
    other_rows: Mapping[str, int] | None = None,
    before: int | None = None,
) -> Outcome:
    """One table rule's outcome from the rows that would be published, those set aside, and other tables' rows.

    `before` is how many rows the previous version has; None where there is none, or nobody compares with it.

    Raises:
        ContractError: The rule can't be asked of a table at this hop.
    """
    match rule.type:
        case "expect_table_row_count_to_equal":
            return Outcome(
                rule,
                int(valid != rule.kwargs["value"]),
                1,
                {"observed_value": valid, "told": f"{valid} rows pass"},
            )
        case "expect_quarantined_share_to_be_at_most":
            return _share(rule, valid, quarantined)
        case "expect_table_row_count_to_equal_other_table":
            return _equal(rule, valid, other_rows or {})
        case "expect_table_not_to_shrink":
            return _shrunk(rule, valid, before)
        case _:
            what = f"{rule.type} can't be asked of a table at this hop"
            raise ContractError(
                what, where=f"rule {rule.id}", fix="see docs/contracts.md for the rules of each hop"
            )


def over_budget(rule: Rule, lost: int, total: int) -> tuple[str, str] | None:
    """Where lost rows are more than the rule's `max_share` or `max_rows`: how many of how many, and what is allowed."""
    share, rows = rule.kwargs.get("max_share"), rule.kwargs.get("max_rows")
    if share is not None and total and lost / total > share:
        return f"{lost} of {total}", f"the contract allows {share:.0%}"
    if rows is not None and lost > rows:
        return f"{lost} of {total}", f"the contract allows {rows}"
    return None


def _share(rule: Rule, valid: int, quarantined: int) -> Outcome:
    total = valid + quarantined
    share = quarantined / total if total else 0.0
    told = over_budget(rule, quarantined, total)
    words = f"{quarantined} of {total} rows would be quarantined" + (f", {told[1]}" if told else "")
    return Outcome(rule, int(told is not None), 1, {"observed_value": share, "told": words})


def _shrunk(rule: Rule, rows: int, before: int | None) -> Outcome:
    """Broken also by a first version that has no row: of nothing nobody else would tell."""
    if before is None:
        return Outcome(
            rule,
            int(rows == 0),
            1,
            {"told": "the table would have no row" if rows == 0 else "there is no previous version"},
        )
    lost = (before - rows) / before if before else 0.0
    broken = before > 0 and lost > rule.kwargs["max_share"] and (before >= LEAST_BEFORE or rows == 0)
    allowed = f", the contract allows to lose {rule.kwargs['max_share']:.0%}" if broken else ""
    return Outcome(
        rule,
        int(broken),
        1,
        {"observed_value": max(lost, 0.0), "told": f"{rows} rows where the table has {before}{allowed}"},
    )


def _equal(rule: Rule, rows: int, other_rows: Mapping[str, int]) -> Outcome:
    other = rule.kwargs["other_table_name"]
    if other not in other_rows:
        what = f"{other} is not an input of this table"
        raise ContractError(what, where=f"rule {rule.id}", fix=f"name one of {', '.join(sorted(other_rows))}")
    told = f"{rows} rows, {other} has {other_rows[other]}"
    return Outcome(rule, int(rows != other_rows[other]), 1, {"observed_value": rows, "told": told})
