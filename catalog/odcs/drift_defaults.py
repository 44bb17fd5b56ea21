"""The custom property `drift`: the columns that are compared with earlier versions, and the bounds."""

from __future__ import annotations

from typing import Any, Final

from catalog.contract import Contract
from catalog.drift import LEAST_HISTORY, LONGEST_HISTORY, LONGEST_SEASON, Drift
from catalog.odcs.custom_properties import Custom, are_texts
from catalog.rules.mistake import number

NONE: Final = "none"
_KEYS: Final = (
    "columns",
    "except",
    "pinned",
    "warn",
    "trigger",
    "imbalance",
    "season",
    "calendar",
    "history",
    "nulls",
)


def drift_of(custom: Custom, contract: Contract) -> Drift | None:
    """What the contract says of drift; the defaults where it says nothing, None where it says `none`.

    Args:
        custom: The contract's custom properties.
        contract: Read as far as its columns.

    Raises:
        ContractError: A key, a column or a number can't be used.
    """
    if custom.get("drift") == NONE:
        return None
    given, default = custom.mapping("drift", _KEYS, or_else=f"{NONE}, or "), Drift()
    if given.get("columns") == NONE:
        return None
    warn, trigger = (_number(custom, given, key, getattr(default, key)) for key in ("warn", "trigger"))
    if warn > trigger:
        what = f"warn {warn:g} lies above trigger {trigger:g}"
        raise custom.error("drift", what, "warn" if "warn" in given else "trigger", fix="exchange them")
    imbalance = _number(custom, given, "imbalance", default.imbalance)
    if imbalance > 1:
        fix = "write a share from 0 to 1, such as 0.8"
        raise custom.error("drift", f"imbalance is {imbalance:g}", "imbalance", fix=fix)
    pinned = given.get("pinned", default.pinned)
    if type(pinned) is not int or pinned < 1:
        fix = "write a version's number, 1 or more"
        raise custom.error("drift", f"pinned is {pinned!r}", "pinned", fix=fix)
    season, history = _season(custom, given), _history(custom, given, default.history)
    nulls = _nulls(custom, given, default.nulls or 0.0)
    columns, left_out, calendar = (
        _columns(custom, given, key, contract) for key in ("columns", "except", "calendar")
    )
    if columns is not None and left_out is not None:
        raise custom.error("drift", "drift has both columns and except", "except", fix="keep one of them")
    if both := sorted(set(calendar or ()) & {*(columns or ()), *(left_out or ())}):
        what = f"{both[0]!r} is named under calendar and under {'columns' if columns else 'except'}"
        fix = "name it under calendar alone: it is compared with its season, and with nothing else"
        raise custom.error("drift", what, "calendar", fix=fix)
    return Drift(
        columns, left_out or (), pinned, warn, trigger, imbalance, season, calendar or (), history, nulls
    )


def _season(custom: Custom, given: dict[str, Any]) -> int | None:
    season = given.get("season")
    if "season" in given and not (type(season) is int and 1 < season <= LONGEST_SEASON):
        fix = f"write how many deliveries make a cycle, 2 to {LONGEST_SEASON}, such as 12 for months"
        raise custom.error("drift", f"season is {season!r}", "season", fix=fix)
    return season


def _history(custom: Custom, given: dict[str, Any], default: int) -> int:
    history = given.get("history", default)
    if not (type(history) is int and (history == 0 or LEAST_HISTORY <= history <= LONGEST_HISTORY)):
        deliveries = f"write how many deliveries say what is usual, {LEAST_HISTORY} to {LONGEST_HISTORY}"
        fix = f"{deliveries}, or 0 to go by the bounds alone"
        raise custom.error("drift", f"history is {history!r}", "history", fix=fix)
    return history


def _nulls(custom: Custom, given: dict[str, Any], default: float) -> float | None:
    if given.get("nulls") == NONE:
        return None
    nulls = _number(custom, given, "nulls", default)
    if nulls > 1:
        fix = f"write a change of the share of NULL from 0 to 1, such as {default:g}, or {NONE}"
        raise custom.error("drift", f"nulls is {nulls:g}", "nulls", fix=fix)
    return nulls


def _number(custom: Custom, given: dict[str, Any], key: str, default: float) -> float:
    value = given.get(key, default)
    if not number(value) or value < 0:
        fix = f"write a number, 0 or more, such as {default:g}"
        raise custom.error("drift", f"{key} is {value!r}", key, fix=fix)
    return float(value)


def _columns(custom: Custom, given: dict[str, Any], key: str, contract: Contract) -> tuple[str, ...] | None:
    if key not in given:
        return None
    names = given[key]
    if not names or not are_texts(names):
        other = f", or {NONE}" if key == "columns" else ""
        fix = f"write a list of columns, such as [a, b]{other}"
        raise custom.error("drift", f"{key} is {names!r}"[:200], key, fix=fix)
    for name in names:
        column = custom.column("drift", contract, name, key)
        if key != "except" and not column.counted:
            what = f"the values of column {name!r} are not counted, so they can't be compared"
            fix = "name columns that hold numbers, texts or booleans and are not personal"
            raise custom.error("drift", what, key, fix=fix)
    return tuple(names)
