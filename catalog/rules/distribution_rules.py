"""The arguments of rules about a column's distribution, each by itself and taken together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from catalog.contract import Column, Contract
from catalog.documents.document import suggest
from catalog.rules.expectation_types import Expectation
from catalog.rules.mistake import Mistake, number

BASELINES: Final = ("previous", "pinned", "season")
STATISTICS: Final = ("kl", "js", "psi", "ks", "chi_squared")
METHODS: Final = ("iqr", "zscore")
_OF_VALUES: Final = frozenset(
    {
        "expect_column_distribution_to_stay_close",
        "expect_column_distributions_to_stay_close",
        "expect_column_majority_share_to_be_at_most",
        "expect_column_majority_shares_to_be_at_most",
        "expect_column_group_shares_to_be_close_to",
        "expect_column_outlier_share_to_be_at_most",
        "expect_column_outliers_not_to_cluster",
    }
)
_ROUNDING: Final = 1e-9


def distribution_mistakes(contract: Contract, type_: str, kwargs: dict[str, Any]) -> Iterator[Mistake]:
    """What is wrong with the combined arguments of a rule about a distribution; nothing of other rules."""
    if kwargs.get("baseline") == "season" and (contract.drift is None or contract.drift.season is None):
        fix = "use previous or pinned"
        if contract.kind == "dataset":
            fix = "add it to the custom property drift, such as {season: 12}"
        yield Mistake(f"{contract.name} has no season", "baseline", fix)
    if type_ not in _OF_VALUES:
        return
    if "max_value" in kwargs and not (number(bound := kwargs["max_value"]) and bound >= 0):
        yield Mistake(f"max_value is {bound!r}", "max_value", "write a number, 0 or more, such as 0.1")
    argument = "column_list" if "column_list" in kwargs else "column"
    for name in kwargs.get("column_list", [kwargs["column"]] if "column" in kwargs else []):
        yield from _of_column(contract.column(name), argument, kwargs)


def _of_column(column: Column, argument: str, kwargs: dict[str, Any]) -> Iterator[Mistake]:
    if column.personal:
        fix = "leave it out; expect_column_null_share_to_stay_close can judge it"
        yield Mistake(f"column {column.name!r} is personal, and its values are never counted", argument, fix)
    if kwargs.get("statistic") == "ks" and column.type not in ("integer", "double"):
        what = f"statistic ks compares numbers, column {column.name!r} is of type {column.type}"
        yield Mistake(what, "statistic", "use chi_squared")
    if kwargs.get("group_by") == column.name:
        what = f"outliers of {column.name!r} can't be grouped by their own values"
        yield Mistake(what, "group_by", "name another column")
    if column.type == "boolean" and (others := kwargs.get("shares", {}).keys() - {"true", "false"}):
        what = f"{min(others)!r} in shares can't be a value of column {column.name!r} of type boolean"
        yield Mistake(what, "shares", 'write them like {"true": 0.5, "false": 0.5}')


def group_by(contract: Contract, _: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    """What is wrong with the column that outliers are grouped by."""
    known = [column.name for column in contract.columns]
    if value not in known:
        yield Mistake(f"{contract.name} has no column {value!r}", name, suggest(value, known))
    elif contract.column(value).type == "double":
        what = f"column {value!r} is of type double, whose values are hardly shared"
        yield Mistake(what, name, "name a column of another type")


def shares(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    """What is wrong with the shares of a column's values."""
    fix = 'write the share of each value, such as {"a": 0.5, "b": 0.3}; what is left is that of all others'
    if not isinstance(value, dict) or not value or not all(isinstance(key, str) for key in value):
        yield Mistake(f"{name} is no mapping of values, as texts, to their shares", name, fix)
    elif not all(number(share) and 0 <= share <= 1 for share in value.values()):
        yield Mistake(f"{name} holds what is no share from 0 to 1", name, fix)
    elif sum(value.values()) > 1 + _ROUNDING:
        yield Mistake(f"{name} add up to {sum(value.values()):g}", name, "let them add up to 1 or less")
