"""Row rules about time as SQL: true where a row breaks the rule. NULL keeps every one of them.

No rule reads a clock: "now" is the time of the drop's delivery, which its receipt holds and a replay finds
again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from catalog.contract import Column
from catalog.expressions.spark_sql import any_of, literal, quoted, text
from expectations.typed_frame import Columns, text_column

OFFSET: Final = ":[0-9]{2}([.][0-9]+)? ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)\\z"
"""A time of day with its offset from UTC, which is the second group, at the end of a text."""

PLAIN: Final = "yyyy-MM-dd'T'HH:mm:ss'Z'"

FOLDS: Final = (30, 60, 120)
"""Minutes that clocks were put back by since 1970: Lord Howe's half hour, the usual hour, Troll's two."""


def after_delivery(kwargs: dict[str, Any], columns: Columns, delivered_at: str | None) -> str:
    """SQL that is true where a value is later than the drop's delivery plus the tolerance.

    Args:
        kwargs: The rule's arguments.
        columns: The contract's columns.
        delivered_at: ISO 8601, UTC where it states no offset. Without it, as where a plan is only shown, the
            SQL has the word `delivered_at`.
    """
    column = columns[kwargs["column"]]
    seconds = kwargs.get("tolerance_seconds", 0)
    if delivered_at is None:
        return f"{quoted(column.name)} > delivered_at + {seconds} seconds"
    moment = datetime.fromisoformat(delivered_at)
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    latest = moment + timedelta(seconds=seconds)
    written = latest.strftime("%Y-%m-%d" if column.type == "date" else "%Y-%m-%dT%H:%M:%S.%f")
    return f"{quoted(column.name)} > {literal(written, column.type)}"


def _not_before(kwargs: dict[str, Any], columns: Columns) -> str:
    column = columns[kwargs["column"]]
    cutoff = literal(kwargs["cutoff"], column.type) if "cutoff" in kwargs else quoted(kwargs["cutoff_column"])
    return f"{quoted(column.name)} {'>' if kwargs.get('or_equal') else '>='} {cutoff}"


def delivered_text(column: Column) -> str:
    """A column's delivered text at the processed hop, without the spaces that its type allows around it.

    A timestamp in plain spelling is stored as its value alone, which has one spelling
    (`lake.parsing.fast_typing`).
    """
    value, delivered = quoted(column.name), f"trim({quoted(text_column(column.name))})"
    if column.type == "string":
        return f"trim({value})"
    if column.type == "timestamp":
        return f"coalesce({delivered}, date_format({value}, {text(PLAIN)}))"
    return delivered


def _without_offset(kwargs: dict[str, Any], columns: Columns) -> str:
    return f"not ({delivered_text(columns[kwargs['column']])} rlike {text(OFFSET)})"


def _universal(kwargs: dict[str, Any], _: Columns) -> str:
    """The moment of a local time.

    Engines move a time that no clock showed on by the gap, and choose one of the two moments that a clock
    showed twice.
    """
    return f"to_utc_timestamp({quoted(kwargs['column'])}, {text(kwargs['time_zone'])})"


def _in_a_gap(kwargs: dict[str, Any], columns: Columns) -> str:
    column, zone = quoted(kwargs["column"]), text(kwargs["time_zone"])
    return f"from_utc_timestamp({_universal(kwargs, columns)}, {zone}) <> {column}"


def _in_a_fold(kwargs: dict[str, Any], columns: Columns) -> str:
    column, zone, moment = quoted(kwargs["column"]), text(kwargs["time_zone"]), _universal(kwargs, columns)
    shifts = [f"{sign} interval {minutes} minutes" for minutes in FOLDS for sign in "+-"]
    return any_of([f"from_utc_timestamp({moment} {shift}, {zone}) = {column}" for shift in shifts])


TIME_RULES: Final[dict[str, Callable[[dict[str, Any], Columns], str]]] = {
    "expect_column_values_to_be_before_cutoff": _not_before,
    "expect_column_text_to_state_its_offset": _without_offset,
    "expect_local_time_to_exist": _in_a_gap,
    "expect_local_time_to_be_unambiguous": _in_a_fold,
}
"""By expectation type what makes its SQL. `expect_column_values_to_be_before_delivery` needs the drop too."""
