"""P5: each text becomes the same value on both engines, typed while it is parsed or by the engine; and a value that readers can hold."""

from __future__ import annotations

import math
import re
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.contract import Column, ColumnType, Contract
from expectations.typed_frame import ROW, typed
from lake.engine.engine import Engine
from lake.parsing.fast_typing import part_plain
from lake.parsing.staging_file import ARROW, StagingWriter
from tests.support.texts_of_values import KINDS


def read(
    engine: Engine, folder: Path, kinds: list[tuple[ColumnType, str | None, list[str]]], *, parsed: bool
) -> list[list[Any]]:
    """What becomes of each kind's texts; `parsed`: plain ones are typed while they are parsed, each in a block of its own."""
    columns = tuple(
        Column(f"c{number}", kind, format=pattern) for number, (kind, pattern, _) in enumerate(kinds)
    )
    contract = Contract(
        name="x", kind="dataset", path=Path("x"), hash="", columns=columns, key=(), write_mode="append"
    )
    rows = max(len(texts) for _, _, texts in kinds)
    table = pa.table(
        {
            f"c{n}": pa.array([*texts, *[None] * (rows - len(texts))], pa.string())
            for n, (_, _, texts) in enumerate(kinds)
        }
    )
    table = table.append_column(ROW, pa.array(range(rows), pa.int64()))
    if parsed:
        plain = [(column.name, column.type) for column in columns if column.plain]
        table = pa.concat_tables(part_plain(table.slice(row, 1), plain) for row in range(rows))
    path = folder / f"{parsed}{ARROW if engine.name == 'sail' else '.parquet'}"
    writer = StagingWriter(path, table.schema)
    writer.write(table.columns)
    writer.close()
    found = engine.arrow(typed(engine.read_staging(path), contract)).sort_by(ROW)
    return [
        _years(found[column.name])[: len(texts)] for column, (_, _, texts) in zip(columns, kinds, strict=True)
    ]


def _years(values: pa.ChunkedArray) -> list[Any]:
    """As Python's values, or as a number where Python has none: then it is wrong, and the others are still told."""
    try:
        return list(values.to_pylist())
    except (OverflowError, ValueError):
        return list(values.cast(pa.int32() if pa.types.is_date(values.type) else pa.int64()).to_pylist())


def shown(value: Any) -> str:
    """A value as text that tells -0.0 from 0.0, and no kind of UTC from another."""
    return value.isoformat() if isinstance(value, date) else repr(value)


def check(engine: Engine, folder: Path) -> None:
    kinds = [(kind, pattern, list(texts)) for kind, pattern, texts in KINDS]
    for parsed in (True, False):
        for (kind, pattern, texts), found in zip(
            KINDS, read(engine, folder, kinds, parsed=parsed), strict=True
        ):
            told = [(text, shown(value)) for text, value in zip(texts, found, strict=True)]
            assert told == [(text, shown(value)) for text, value in texts.items()], (kind, pattern, parsed)


def test_each_text_is_its_value_or_none_on_sail(sail_engine: Engine, tmp_path: Path) -> None:
    check(sail_engine, tmp_path)


@pytest.mark.spark
def test_each_text_is_its_value_or_none_on_spark(spark_engine: Engine, tmp_path: Path) -> None:
    check(spark_engine, tmp_path)


def finite(text: str) -> float | None:
    """What a number in digits is, where a double has it, by another road than the code's: as a fraction of whole numbers."""
    mantissa, _, exponent = text.lower().partition("e")
    value = float(text)
    return (
        None
        if math.isinf(value)
        or (value == 0 and re.search("[1-9]", mantissa))
        or len(exponent.lstrip("+-")) > 3
        else value
    )


def numbers_of(engine: Engine, folder: Path) -> None:
    drawn: list[str] = []

    @settings(max_examples=300)
    @given(
        st.from_regex(
            r"[+-]?([0-9]{1,25}([.][0-9]{0,25})?|[.][0-9]{1,25})([eE][+-]?(3[0-4][0-9]|[0-9]{1,4}))?",
            fullmatch=True,
        )
    )
    def draw(text: str) -> None:
        drawn.append(text)

    draw()
    for parsed in (True, False):
        (found,) = read(engine, folder, [("double", None, drawn)], parsed=parsed)
        assert [(text, repr(value)) for text, value in zip(drawn, found, strict=True)] == [
            (text, repr(finite(text))) for text in drawn
        ]


def test_a_number_is_what_its_digits_say_on_sail(sail_engine: Engine, tmp_path: Path) -> None:
    numbers_of(sail_engine, tmp_path)


@pytest.mark.spark
def test_a_number_is_what_its_digits_say_on_spark(spark_engine: Engine, tmp_path: Path) -> None:
    numbers_of(spark_engine, tmp_path)
