"""Rules that column names and types alone decide: asked of a delivery's header, or of the columns that a contract declares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final

from catalog.documents.visible_names import NAMED, folded, listed, visible
from catalog.rules.arguments import SPARK_NAMES
from expectations.rules.row_rules import Columns
from expectations.suite import Rule
from expectations.verdict import Outcome


def judge_header(rule: Rule, names: Sequence[str], columns: Columns | None = None) -> Outcome | None:
    """A rule's outcome on column names, in their order, and on their types where they are known; None where it asks for more."""
    if rule.type in _NAMES:
        return _NAMES[rule.type](rule, names)
    if rule.type in _TYPES and columns is not None:
        return _type(rule, columns)
    return None


def _exists(rule: Rule, names: Sequence[str]) -> Outcome:
    column, index = rule.kwargs["column"], rule.kwargs.get("column_index")
    if column not in names:
        return Outcome(rule, 1, 1, {"told": f"column {visible(column)} is missing"})
    elsewhere = index is not None and list(names).index(column) != index
    return Outcome(
        rule,
        int(elsewhere),
        1,
        {"told": f"column {column} is not the one at index {index}"} if elsewhere else {},
    )


def _unexpected(rule: Rule, names: Sequence[str]) -> Outcome:
    expected = set(rule.kwargs["column_set"])
    unknown = [name for name in dict.fromkeys(names) if name not in expected]
    missing = expected - set(names)
    # A file without a header has somebody's data there (P6): names are told only where the line is a header, or are a column's but for
    # what isn't read aloud.
    header, close = expected != missing, _alike(unknown, missing)
    told = listed(unknown) if header else f"{len(unknown)} names, none of which the contract knows"
    if header and "" in unknown:
        told += "; a column without a name holds values" if names[-1] == "" else "; a column has no name"
    # For whoever asks what else a column that is missing may have been called; then no version comes of it.
    others = list(dict.fromkeys([*close, *(unknown[:NAMED] if header else ())])) if missing else []
    seen = {"told": f"unexpected: {told}"} | ({"names": others} if others else {})
    return Outcome(rule, len(unknown), max(len(names), 1), seen if unknown else {})


def _alike(unknown: Sequence[str], missing: Collection[str]) -> list[str]:
    wanted = {folded(name) for name in missing} - {""}
    return [name for name in unknown if folded(name) in wanted]


def _set(rule: Rule, names: Sequence[str]) -> Outcome:
    missing = [name for name in rule.kwargs["column_set"] if name not in names]
    others = _unexpected(rule, names) if rule.kwargs.get("exact_match", True) else Outcome(rule, 0, 1)
    parts = [
        *([f"missing: {listed(missing)}"] if missing else []),
        *([others.observed["told"]] if others.failed else []),
    ]
    return Outcome(
        rule, len(missing) + others.failed, max(len(names), 1), {"told": "; ".join(parts)} if parts else {}
    )


def _ordered(rule: Rule, names: Sequence[str]) -> Outcome:
    wanted = list(rule.kwargs["column_list"])
    wrong = [
        number for number, pair in enumerate(zip(names, wanted, strict=False), start=1) if pair[0] != pair[1]
    ]
    failed = len(wrong) + abs(len(wanted) - len(names))
    told = f"{len(names)} columns for {len(wanted)}, other names at {_places(wrong) or 'none'}"
    return Outcome(rule, failed, max(len(names), len(wanted)), {"told": told} if failed else {})


def _distinct(rule: Rule, names: Sequence[str]) -> Outcome:
    folded = [name.lower() for name in names]  # engines don't tell upper from lower case
    twice = {name for name, count in Counter(folded).items() if count > 1}
    same = {name.lower() for name, count in Counter(names).items() if count > 1}
    # By position, since without a header these would be somebody's data (P6).
    told = [
        f"{what} at columns {_places([number for number, name in enumerate(folded, start=1) if name in chosen])}"
        for what, chosen in (
            ("the same name", same - {""}),
            ("no name, and values,", same & {""}),
            (
                "names that differ by case alone, of which engines make one column unless physicalName maps them to two,",
                twice - same,
            ),
        )
        if chosen
    ]
    return Outcome(rule, len(twice), len(names), {"told": "; ".join(told)} if twice else {})


def _count(rule: Rule, names: Sequence[str]) -> Outcome:
    low, high = (
        rule.kwargs.get("min_value", rule.kwargs.get("value")),
        rule.kwargs.get("max_value", rule.kwargs.get("value")),
    )
    outside = (low is not None and len(names) < low) or (high is not None and len(names) > high)
    return Outcome(rule, int(outside), 1, {"observed_value": len(names), "told": f"{len(names)} columns"})


def _type(rule: Rule, columns: Columns) -> Outcome:
    seen = SPARK_NAMES[columns[rule.kwargs["column"]].type]
    allowed = rule.kwargs.get("type_list") or [rule.kwargs["type_"]]
    return Outcome(
        rule,
        int(seen not in allowed),
        1,
        {"observed_value": seen, "told": f"{rule.kwargs['column']} is of type {seen}"},
    )


def _places(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:NAMED]))
    return shown if len(numbers) <= NAMED else f"{shown} and {len(numbers) - NAMED} more"


_NAMES: Final[dict[str, Callable[[Rule, Sequence[str]], Outcome]]] = {
    "expect_column_to_exist": _exists,
    "expect_table_columns_to_be_in_set": _unexpected,
    "expect_table_columns_to_match_set": _set,
    "expect_table_columns_to_match_ordered_list": _ordered,
    "expect_table_columns_to_be_unique": _distinct,
    "expect_table_column_count_to_be_between": _count,
    "expect_table_column_count_to_equal": _count,
}
_TYPES: Final = frozenset(
    {
        "expect_column_values_to_be_of_type",
        "expect_column_values_to_be_in_type_list",
        "expect_column_type_to_be",
    }
)
HEADER_TYPES: Final = frozenset(_NAMES) | _TYPES
"""Expectation types that need no look at any row."""
