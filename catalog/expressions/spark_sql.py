"""Names and values as Spark SQL text, which both engines read alike."""

from __future__ import annotations

import json
from typing import Any, Final

from catalog.contract import Column, ColumnType

SPARK_TYPES: Final[dict[ColumnType, str]] = {
    "string": "string",
    "integer": "bigint",
    "double": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}

_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
)


def quoted(name: str) -> str:
    """A column's name."""
    return "`" + name.replace("`", "``") + "`"


def text(value: str) -> str:
    """A text literal."""
    return "'" + value.translate(_ESCAPES) + "'"


def literal(value: Any, kind: ColumnType) -> str:
    """A value of a contract or suite (see `catalog.rules.arguments.fits`) as a literal of a column's type.

    Times without an offset are UTC.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if kind == "string":
        return text(str(value))
    if kind == "date":
        return f"date{text(value)}"
    if kind == "timestamp":
        moment = value.replace("T", " ").removesuffix("Z")
        if moment.count(":") == 1:
            moment += ":00"
        return f"timestamp{text(moment + 'Z' if ':' in moment else moment)}"
    return f"{value + 0.0!r}D" if isinstance(value, float) else str(value)  # -0.0 becomes 0.0


def any_of(parts: list[str]) -> str:
    """The parts joined by OR, in brackets; false where there are none."""
    return "(" + " or ".join(parts) + ")" if parts else "false"


def all_of(parts: list[str]) -> str:
    """The parts joined by AND, in brackets where there are several; true where there are none."""
    if len(parts) == 1:
        return parts[0]
    return "(" + " and ".join(parts) + ")" if parts else "true"


def condition_sql(condition: Any, columns: dict[str, Column]) -> str:
    """GX's row condition, as its JSON or as Spark SQL text, as Spark SQL.

    Raises:
        ValueError: It isn't one; the text says why.
    """
    if isinstance(condition, str):
        return f"({condition})"
    if not isinstance(condition, dict):
        raise ValueError("write Spark SQL, or the JSON of a GX condition")  # noqa: TRY004  (a mistake in a file)
    match condition.get("type"):
        case "pass_through":
            return f"({condition['pass_through_filter']})"
        case "and":
            return all_of([condition_sql(item, columns) for item in condition["conditions"]])
        case "or":
            return any_of([condition_sql(item, columns) for item in condition["conditions"]])
        case "nullity":
            return f"{_column(condition, columns)} is {'' if condition['is_null'] else 'not '}null"
        case "comparison":
            return _comparison(condition, columns)
        case other:
            raise ValueError(f"GX has no condition of type {other!r}")


_OPERATORS: Final = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def _column(condition: dict[str, Any], columns: dict[str, Column]) -> str:
    name = condition["column"]["name"]
    if name not in columns:
        raise ValueError(f"there is no column {name!r}")
    return quoted(name)


def _comparison(condition: dict[str, Any], columns: dict[str, Column]) -> str:
    left, operator, value = _column(condition, columns), condition["operator"], condition["parameter"]
    kind = columns[condition["column"]["name"]].type
    if operator in ("IN", "NOT_IN"):
        if not isinstance(value, list) or not value:
            raise ValueError(f"{operator} needs a list of values, not {json.dumps(value)}")
        values = ", ".join(literal(item, kind) for item in value)
        return f"{left} {'not ' if operator == 'NOT_IN' else ''}in ({values})"
    if operator not in _OPERATORS:
        raise ValueError(f"GX has no operator {operator!r}")
    return f"{left} {_OPERATORS[operator]} {literal(value, kind)}"
