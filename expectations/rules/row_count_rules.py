"""Table rules that counts of rows decide: those that pass, the quarantined ones, those of another table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from expectations.suite import Rule
from expectations.verdict import Outcome, table_outcome
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
    """One table rule's outcome from counts of rows.

    Args:
        rule: The rule.
        valid: Rows that would be published.
        quarantined: Rows that would be quarantined.
        other_rows: Rows of other tables, by table.
        before: Rows of the previous version; None where there is none, or the table is not compared with it.

    Raises:
        ContractError: The rule can't judge a table at this hop.
    """
    match rule.type:
        case "expect_table_row_count_to_equal":
            broken = valid != rule.kwargs["value"]
            return table_outcome(rule, broken=broken, words=f"{valid} rows pass", observed_value=valid)
        case "expect_quarantined_share_to_be_at_most":
            return _share(rule, valid, quarantined)
        case "expect_table_row_count_to_equal_other_table":
            return _equal(rule, valid, other_rows or {})
        case "expect_table_not_to_shrink":
            return _shrunk(rule, valid, before)
        case _:
            what, fix = (
                f"{rule.type} can't judge a table at this hop",
                "see docs/contracts.md for the rules of each hop",
            )
            raise ContractError(what, where=f"rule {rule.id}", fix=fix)


def over_budget(rule: Rule, lost: int, total: int) -> tuple[str, str] | None:
    """If lost rows exceed the rule's `max_share` or `max_rows`: how many of how many, and what is allowed."""
    share, rows = rule.kwargs.get("max_share"), rule.kwargs.get("max_rows")
    if share is not None and total and lost / total > share:
        return f"{lost} of {total}", f"the contract allows {share:.0%}"
    if rows is not None and lost > rows:
        return f"{lost} of {total}", f"the contract allows {rows}"
    return None


def _share(rule: Rule, valid: int, quarantined: int) -> Outcome:
    total = valid + quarantined
    over = over_budget(rule, quarantined, total)
    words = f"{quarantined} of {total} rows would be quarantined" + (f", {over[1]}" if over else "")
    share = quarantined / total if total else 0.0
    return table_outcome(rule, broken=over is not None, words=words, observed_value=share)


def _shrunk(rule: Rule, rows: int, before: int | None) -> Outcome:
    """Broken also by a first version without a row: no other rule would report that."""
    if before is None:
        words = "there is no previous version" if rows else "the table would have no row"
        return table_outcome(rule, broken=rows == 0, words=words)
    lost, most = (before - rows) / before if before else 0.0, rule.kwargs["max_share"]
    broken = before > 0 and lost > most and (before >= LEAST_BEFORE or rows == 0)
    allowed = f", the contract allows to lose {most:.0%}" if broken else ""
    words = f"{rows} rows where the table has {before}{allowed}"
    return table_outcome(rule, broken=broken, words=words, observed_value=max(lost, 0.0))


def _equal(rule: Rule, rows: int, other_rows: Mapping[str, int]) -> Outcome:
    other = rule.kwargs["other_table_name"]
    if other not in other_rows:
        what = f"{other} is not an input of this table"
        raise ContractError(what, where=f"rule {rule.id}", fix=f"name one of {', '.join(sorted(other_rows))}")
    words = f"{rows} rows, {other} has {other_rows[other]}"
    return table_outcome(rule, broken=rows != other_rows[other], words=words, observed_value=rows)
