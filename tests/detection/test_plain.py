"""Plain values are those that the engine would have read from the same texts."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.contract import ColumnType
from lake.parsing.fast_typing import PLAIN, type_plain
from tests.support.parsing.plain_values import KINDS, SPELLED, column, read_alike
from tests.support.planted.gate import Gate


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_each_text_is_a_value_or_stays_text(kind: ColumnType, data: st.DataObject) -> None:
    texts = pa.array(data.draw(column(kind)), pa.string())
    first = data.draw(st.integers(0, len(texts)))
    for part in (texts, texts.slice(first)):
        values, others = type_plain(part, kind)
        assert values.type == PLAIN[kind].type
        assert len(values) == len(others) == len(part)
        for valid, other, text in zip(
            values.is_valid().to_pylist(), others.to_pylist(), part.to_pylist(), strict=True
        ):
            assert valid + (other is not None) == (text is not None)
            assert other in (None, text)


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        ("integer", ["7", "007", "-7", "9" * 18]),
        ("double", ["1.5", "1.", ".5", "-.5", "-0.0", "0." + "3" * 38]),
        ("date", ["2024-02-29", "0001-01-01", "9999-12-31"]),
        (
            "timestamp",
            ["2024-02-29T23:59:59Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1883-11-18T12:00:00Z"],
        ),
    ],
)
def test_plain_values_by_example(kind: ColumnType, plain: list[str]) -> None:
    assert [text for text in SPELLED[kind] if type_plain(pa.array([text]), kind).others.null_count] == plain


@pytest.mark.parametrize("kind", KINDS)
def test_one_odd_text_leaves_its_neighbours_plain(kind: ColumnType) -> None:
    plain = {"integer": "5", "double": "5.5", "date": "2024-01-01", "timestamp": "2024-01-01T00:00:00Z"}[kind]
    values, others = type_plain(pa.array([plain, "odd", None, plain]), kind)
    assert [value is None for value in values.to_pylist()] == [False, True, True, False]
    assert others.to_pylist() == [None, "odd", None, None]


def test_plain_values_are_those_that_sail_reads(sail: Gate) -> None:
    read_alike(sail)
