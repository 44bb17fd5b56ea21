"""Arguments of rules that can be checked without a contract: flags, counts, shares, numbers, names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from catalog.drift import LEAST_HISTORY, LONGEST_HISTORY
from catalog.rules.mistake import number


@dataclass(frozen=True)
class Scalar:
    """What an argument may be, and what to write instead of anything else."""

    fits: Callable[[Any], bool]
    fix: str
    wrong: str = "{name} is {value!r}"


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) and item for item in value)


def _is_time_zone(value: Any) -> bool:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        return False
    return True


VALUES: Final = Scalar(
    lambda value: isinstance(value, list) and bool(value),
    "write a list, such as [a, b]",
    "{name} is no list of values",
)
_NAME: Final = Scalar(lambda value: isinstance(value, str) and bool(value), "write a name")
_NAMES: Final = Scalar(_is_names, "write a list, such as [a, b]", "{name} is no list of names")
_FLAG: Final = Scalar(lambda value: isinstance(value, bool), "use true or false")
_COUNT: Final = Scalar(lambda value: type(value) is int and value >= 0, "use a whole number, 0 or more")
_SEVERAL: Final = Scalar(lambda value: type(value) is int and value >= 1, "use a whole number, 1 or more")
_SHARE: Final = Scalar(
    lambda value: number(value) and 0 <= value <= 1, "write a share from 0 to 1, such as 0.05"
)

SCALARS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("reference", "reference_column"), _NAME),
    **dict.fromkeys(("reference_on", "reference_by"), _NAMES),
    **dict.fromkeys(("strict_min", "strict_max", "or_equal", "exact_match", "ties_okay"), _FLAG),
    **dict.fromkeys(
        ("value", "column_index", "tolerance_seconds", "max_late_seconds", "max_missing"), _COUNT
    ),
    **dict.fromkeys(("max_repeats", "step_seconds"), _SEVERAL),
    **dict.fromkeys(("value_set", "value_pairs_set"), VALUES),
    **dict.fromkeys(("max_share", "max_change", "max_difference", "significance"), _SHARE),
    **dict.fromkeys(("sum_total", "threshold"), Scalar(number, "write a number")),
    "mostly": Scalar(
        lambda value: number(value) and 0 < value <= 1, "write a share above 0 and at most 1, such as 0.95"
    ),
    "tolerance": Scalar(lambda value: number(value) and value >= 0, "write a number, 0 or more"),
    "factor": Scalar(lambda value: number(value) and value > 0, "write a number above 0, such as 1.5"),
    "history": Scalar(
        lambda value: type(value) is int and LEAST_HISTORY <= value <= LONGEST_HISTORY,
        f"write how many deliveries say what is usual, {LEAST_HISTORY} to {LONGEST_HISTORY}, or leave it out",
    ),
    "time_zone": Scalar(
        _is_time_zone,
        "write one of the IANA database, such as America/New_York",
        "{name} {value!r} is no time zone",
    ),
}
"""By the argument's name."""
