"""Rules on column names and types: those of a delivery's header, or those that a contract declares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from catalog.documents.visible_names import NAMED, folded, listed, visible
from catalog.rules.arguments import SPARK_NAMES
from expectations.suite import Rule
from expectations.typed_frame import Columns
from expectations.verdict import Outcome, table_outcome

_DIFFER_BY_CASE: Final = (
    "names that differ by case alone, of which engines make one column unless physicalName maps them to two,"
)


def judge_header(rule: Rule, names: Sequence[str], columns: Columns | None = None) -> Outcome | None:
    """A rule's outcome on column names in their order; None where it needs more.

    Args:
        rule: Any rule.
        names: The names of a header, or of a contract's columns.
        columns: The contract's columns, where rules on types may be judged too.
    """
    if rule.type in _NAMES:
        return _NAMES[rule.type](rule, names)
    if rule.type in _TYPES and columns is not None:
        return _type(rule, columns)
    return None


def _exists(rule: Rule, names: Sequence[str]) -> Outcome:
    column, index = rule.kwargs["column"], rule.kwargs.get("column_index")
    if column not in names:
        return table_outcome(rule, broken=True, words=f"column {visible(column)} is missing")
    if index is not None and list(names).index(column) != index:
        return table_outcome(rule, broken=True, words=f"column {column} is not the one at index {index}")
    return Outcome(rule, 0, 1)


def _unexpected(rule: Rule, names: Sequence[str]) -> Outcome:
    expected = set(rule.kwargs["column_set"])
    unknown = [name for name in dict.fromkeys(names) if name not in expected]
    missing = expected - set(names)
    # The first line of a file without a header holds data (P6). So names are reported only where the line is
    # a header, or where they are a missing column's name but for case, spaces and signs.
    header = expected != missing
    words = listed(unknown) if header else f"{len(unknown)} names, none of which the contract knows"
    if header and "" in unknown:
        words += "; a column without a name holds values" if names[-1] == "" else "; a column has no name"
    observed: dict[str, Any] = {"told": f"unexpected: {words}"} if unknown else {}
    # Names that a missing column may have got; no version is published then.
    candidates = [*_alike(unknown, missing), *(unknown[:NAMED] if header else ())]
    if missing and candidates:
        observed["names"] = list(dict.fromkeys(candidates))
    return Outcome(rule, len(unknown), max(len(names), 1), observed)


def _alike(unknown: Sequence[str], missing: Collection[str]) -> list[str]:
    wanted = {folded(name) for name in missing} - {""}
    return [name for name in unknown if folded(name) in wanted]


def _set(rule: Rule, names: Sequence[str]) -> Outcome:
    missing = [name for name in rule.kwargs["column_set"] if name not in names]
    others = _unexpected(rule, names) if rule.kwargs.get("exact_match", True) else Outcome(rule, 0, 1)
    words = [f"missing: {listed(missing)}"] if missing else []
    if others.failed:
        words.append(others.observed["told"])
    observed = {"told": "; ".join(words)} if words else {}
    return Outcome(rule, len(missing) + others.failed, max(len(names), 1), observed)


def _ordered(rule: Rule, names: Sequence[str]) -> Outcome:
    wanted = list(rule.kwargs["column_list"])
    pairs = enumerate(zip(names, wanted, strict=False), start=1)
    wrong = [place for place, (name, expected) in pairs if name != expected]
    failed = len(wrong) + abs(len(wanted) - len(names))
    words = f"{len(names)} columns for {len(wanted)}, other names at {_places(wrong) or 'none'}"
    return Outcome(rule, failed, max(len(names), len(wanted)), {"told": words} if failed else {})


def _distinct(rule: Rule, names: Sequence[str]) -> Outcome:
    lower = [name.lower() for name in names]  # engines don't tell upper from lower case
    twice = {name for name, count in Counter(lower).items() if count > 1}
    same = {name.lower() for name, count in Counter(names).items() if count > 1}
    words = []
    for what, chosen in (
        ("the same name", same - {""}),
        ("no name, and values,", same & {""}),
        (_DIFFER_BY_CASE, twice - same),
    ):
        # By position: where the file has no header, the names are data (P6).
        if places := [place for place, name in enumerate(lower, start=1) if name in chosen]:
            words.append(f"{what} at columns {_places(places)}")
    return Outcome(rule, len(twice), len(names), {"told": "; ".join(words)} if twice else {})


def _count(rule: Rule, names: Sequence[str]) -> Outcome:
    exactly, count = rule.kwargs.get("value"), len(names)
    low, high = rule.kwargs.get("min_value", exactly), rule.kwargs.get("max_value", exactly)
    outside = (low is not None and count < low) or (high is not None and count > high)
    return table_outcome(rule, broken=outside, words=f"{count} columns", observed_value=count)


def _type(rule: Rule, columns: Columns) -> Outcome:
    type_ = SPARK_NAMES[columns[rule.kwargs["column"]].type]
    allowed = rule.kwargs.get("type_list") or [rule.kwargs["type_"]]
    words = f"{rule.kwargs['column']} is of type {type_}"
    return table_outcome(rule, broken=type_ not in allowed, words=words, observed_value=type_)


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
