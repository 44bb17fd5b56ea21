"""Table rules of the processed and feature hops: asked of counts, never of single rows."""

from __future__ import annotations

from collections.abc import Mapping

from expectations.suite import Rule
from expectations.verdict import Outcome
from lakegate.errors import ContractError


def judge_table(rule: Rule, *, valid: int, quarantined: int = 0, other_rows: Mapping[str, int] | None = None) -> Outcome:
    """One table rule's outcome from the rows that would be published, those set aside, and other tables' rows.

    Raises:
        ContractError: The rule can't be asked of a table at this hop.
    """
    match rule.type:
        case "expect_table_row_count_to_be_between":
            return _between(rule, valid)
        case "expect_quarantined_share_to_be_at_most":
            return _share(rule, valid, quarantined)
        case "expect_table_row_count_to_equal_other_table":
            return _equal(rule, valid, other_rows or {})
        case _:
            what = f"{rule.type} can't be asked of a table at this hop"
            raise ContractError(what, where=f"rule {rule.id}", fix="see docs/contracts.md for the rules of each hop")


def _between(rule: Rule, rows: int) -> Outcome:
    least, most = rule.kwargs.get("min_value"), rule.kwargs.get("max_value")
    outside = (least is not None and rows < least) or (most is not None and rows > most)
    return Outcome(rule, int(outside), 1, {"observed_value": rows, "told": f"{rows} rows pass"})


def _share(rule: Rule, valid: int, quarantined: int) -> Outcome:
    total = valid + quarantined
    share = quarantined / total if total else 0.0
    told = f"{quarantined} of {total} rows would be set aside, the contract allows {rule.kwargs['max_share']:.0%}"
    return Outcome(rule, int(share > rule.kwargs["max_share"]), 1, {"observed_value": share, "told": told})


def _equal(rule: Rule, rows: int, other_rows: Mapping[str, int]) -> Outcome:
    other = rule.kwargs["other_table_name"]
    if other not in other_rows:
        what = f"{other} is not an input of this table"
        raise ContractError(what, where=f"rule {rule.id}", fix=f"name one of {', '.join(sorted(other_rows))}")
    told = f"{rows} rows, {other} has {other_rows[other]}"
    return Outcome(rule, int(rows != other_rows[other]), 1, {"observed_value": rows, "told": told})
