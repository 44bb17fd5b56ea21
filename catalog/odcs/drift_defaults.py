"""The custom property `drift`: which columns are compared with earlier versions by default, and from where on that is told."""

from __future__ import annotations

from typing import Any, Final

from catalog.contract import LEAST_HISTORY, LONGEST_HISTORY, LONGEST_SEASON, Contract, Drift
from catalog.documents.document import suggest
from catalog.odcs.custom_properties import Custom
from catalog.rules.mistake import number
from lakegate.errors import ContractError

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
_MISSING: Final = object()


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
        raise _error(
            custom,
            "warn" if "warn" in given else "trigger",
            f"warn {warn:g} lies above trigger {trigger:g}",
            "exchange them",
        )
    imbalance = _number(custom, given, "imbalance", default.imbalance)
    if imbalance > 1:
        raise _error(
            custom, "imbalance", f"imbalance is {imbalance:g}", "write a share from 0 to 1, such as 0.8"
        )
    pinned = given.get("pinned", default.pinned)
    if type(pinned) is not int or pinned < 1:
        raise _error(custom, "pinned", f"pinned is {pinned!r}", "write a version's number, 1 or more")
    season, history, nulls = (
        _season(custom, given),
        _history(custom, given, default.history),
        _nulls(custom, given, default.nulls or 0.0),
    )
    columns, left_out, calendar = (
        _columns(custom, given, key, contract) for key in ("columns", "except", "calendar")
    )
    if columns is not None and left_out is not None:
        raise _error(custom, "except", "drift has both columns and except", "keep one of them")
    if both := sorted(set(calendar or ()) & {*(columns or ()), *(left_out or ())}):
        fix = "name it under calendar alone: it is compared with its season, and with nothing else"
        raise _error(
            custom,
            "calendar",
            f"{both[0]!r} stands under calendar and under {'columns' if columns else 'except'}",
            fix,
        )
    return Drift(
        columns, left_out or (), pinned, warn, trigger, imbalance, season, calendar or (), history, nulls
    )


def _season(custom: Custom, given: dict[str, Any]) -> int | None:
    season = given.get("season")
    if "season" in given and not (type(season) is int and 1 < season <= LONGEST_SEASON):
        fix = f"write how many deliveries make a cycle, 2 to {LONGEST_SEASON}, such as 12 for months"
        raise _error(custom, "season", f"season is {season!r}", fix)
    return season


def _history(custom: Custom, given: dict[str, Any], default: int) -> int:
    history = given.get("history", default)
    if not (type(history) is int and (history == 0 or LEAST_HISTORY <= history <= LONGEST_HISTORY)):
        fix = f"write how many deliveries say what is usual, {LEAST_HISTORY} to {LONGEST_HISTORY}, or 0 to go by the bounds alone"
        raise _error(custom, "history", f"history is {history!r}", fix)
    return history


def _nulls(custom: Custom, given: dict[str, Any], default: float) -> float | None:
    if given.get("nulls") == NONE:
        return None
    nulls = _number(custom, given, "nulls", default)
    if nulls > 1:
        raise _error(
            custom,
            "nulls",
            f"nulls is {nulls:g}",
            f"write a change of the share of NULL from 0 to 1, such as {default:g}, or {NONE}",
        )
    return nulls


def _error(custom: Custom, key: str, what: str, fix: str) -> ContractError:
    return custom.document.error(what, *custom.found["drift"][1], key, fix=fix)


def _number(custom: Custom, given: dict[str, Any], key: str, default: float) -> float:
    value = given.get(key, default)
    if not number(value) or value < 0:
        raise _error(custom, key, f"{key} is {value!r}", f"write a number, 0 or more, such as {default:g}")
    return float(value)


def _columns(custom: Custom, given: dict[str, Any], key: str, contract: Contract) -> tuple[str, ...] | None:
    names = given.get(key, _MISSING)
    if names is _MISSING:
        return None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        other = f", or {NONE}" if key == "columns" else ""
        raise _error(
            custom, key, f"{key} is {names!r}"[:200], f"write a list of columns, such as [a, b]{other}"
        )
    known = [column.name for column in contract.columns]
    for name in names:
        if name not in known:
            raise _error(custom, key, f"{contract.name} has no column {name!r}", suggest(name, known))
        if key != "except" and not contract.column(name).counted:
            what = f"the values of column {name!r} are not counted, so they can't be compared"
            raise _error(
                custom, key, what, "name columns that hold numbers, texts or booleans and are not personal"
            )
    return tuple(names)
