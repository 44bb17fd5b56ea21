"""Nested fields: what a contract says of a JSON column is asked of every text,
and the answer depends on nothing beside it.
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.nested import Nested
from lake.parsing.json_checks import judge_nested
from tests.support.parsing.json_texts import NO, Number, damaged, names, read, written

nested = st.recursive(
    st.builds(
        Nested,
        st.sampled_from(["string", "integer", "number", "boolean", "date", "timestamp", "object", "array"]),
        st.booleans(),
    ),
    lambda inner: (
        st.builds(
            lambda fields, must: Nested("object", must, tuple(fields.items())),
            st.dictionaries(names, inner, max_size=3),
            st.booleans(),
        )
        | st.builds(lambda items, must: Nested("array", must, items=items), inner, st.booleans())
    ),
    max_leaves=5,
)


def fits(kind: str, value: Any) -> bool:
    """Whether a value is of a declared type, by another road than the code's."""
    text, number = isinstance(value, str) and not isinstance(value, Number), isinstance(value, Number)
    if kind == "integer":
        return number and value.lstrip("-").isdecimal() and len(value.lstrip("-")) <= 18
    if kind in ("date", "timestamp"):
        try:
            date.fromisoformat(value[:10] if text else "")
        except ValueError:
            return False
        return bool(re.fullmatch(r"[0-9-]{10}" + (r"T10:00:00Z" if kind == "timestamp" else ""), value))
    return {
        "string": text,
        "number": number,
        "boolean": isinstance(value, bool),
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
    }[kind]


def broken(spec: Nested, value: Any, path: str = "") -> set[tuple[str, str]]:
    """What a value breaks, asked value by value."""
    if not fits(spec.type, value):
        return {("type", path)}
    found = {("unexpected", path)} if spec.fields and value.keys() - dict(spec.fields).keys() else set()
    inner = [(f"{path}.{name}", field, value.get(name)) for name, field in spec.fields]
    inner += [(f"{path}[]", spec.items, item) for item in value] if spec.items else []
    for place, field, item in inner:
        found |= (
            broken(field, item, place)
            if item is not None
            else {("required", place)}
            if field.required
            else set()
        )
    return found


@settings(max_examples=80)
@given(nested, st.lists(st.none() | written | damaged(), max_size=12))
def test_rows_break_what_their_own_texts_break(spec: Nested, batch: list[str | None]) -> None:
    checks = [(check, path) for check, path, _ in spec.checks()]
    assert len(set(checks)) == len(checks)
    read_ = [None if text is None else read(text) for text in batch]
    wanted = [
        set() if text is None else {("type", "")} if value is NO else broken(spec, value)
        for text, value in zip(batch, read_, strict=True)
    ]
    marks = judge_nested(pa.array(batch, pa.string()), spec).to_pylist()
    assert [
        {check for check, mark in zip(checks, row, strict=True) if mark == "1"} for row in marks
    ] == wanted


def test_integer_has_the_digits_that_a_column_of_integers_takes() -> None:
    told = judge_nested(
        pa.array(["[999999999999999999]", "[-999999999999999999]", "[1000000000000000000]"]),
        Nested("array", items=Nested("integer")),
    )
    assert told.to_pylist() == ["00", "00", "01"]


@pytest.mark.parametrize(
    ("kind", "text", "fine"),
    [
        ("date", "2000-02-29", True),
        ("date", "1900-02-29", False),
        ("date", "2024-04-31", False),
        ("date", "2024-1-1", False),
        ("timestamp", "2024-01-01 23:59:59.999999+18:00", True),
        ("timestamp", "2024-01-01T24:00:00", False),
        ("timestamp", "2024-01-01T10:00:00+18:01", False),
        ("timestamp", "2024-01-01", False),
        ("timestamp", "2024-01-01T10:00:00Z\n", False),
        ("date", "0001-01-01", True),
        ("date", "9999-12-31", True),
        ("date", "0000-01-01", False),
        ("date", "0000-02-29", False),
        ("date", "0400-02-29", True),
        ("timestamp", "0000-12-31T23:00:00-02:00", False),
        ("timestamp", "0001-01-01T01:59:59+02:00", False),
        ("timestamp", "0001-01-01T02:00:00+02:00", True),
        ("timestamp", "9999-12-31T23:59:59-00:01", False),
        ("timestamp", "9999-12-31 21:59:59.999999-02:00", True),
        ("timestamp", "9999-12-31T23:59:59.999999Z", True),
    ],
)
def test_nested_time_is_one_that_the_calendar_has(kind: str, text: str, fine: bool) -> None:
    assert judge_nested(pa.array([json.dumps([text])]), Nested("array", items=Nested(kind))).to_pylist() == [
        "00" if fine else "01"
    ]


@pytest.mark.parametrize(
    ("number", "fine"),
    [
        ("1e308", True),
        ("1e309", False),
        ("-1e400", False),
        ("9" * 308, True),
        ("9" * 310, False),
        ("1e-320", True),
        ("1e-400", False),
        ("0." + "0" * 400 + "1", False),
        ("0e999", True),
        ("-0.0e-999", True),
    ],
)
def test_nested_number_is_one_that_a_double_holds(number: str, fine: bool) -> None:
    assert judge_nested(pa.array([f"[{number}]"]), Nested("array", items=Nested("number"))).to_pylist() == [
        "00" if fine else "01"
    ]
