"""P5: each text becomes the same value on both engines, typed while it is parsed or by the engine; and a value that readers can hold."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.contract import Column, ColumnType, Contract
from expectations.spellings import FALSE, INFINITE, INFINITE_BELOW, NOT_A_NUMBER, TRUE
from expectations.typed_frame import ROW, typed
from lake.engine.engine import Engine
from lake.parsing.fast_typing import part_plain
from lake.parsing.staging_file import ARROW, StagingWriter

NAN: Final = float("nan")
INTEGERS: Final = {
    "0": 0,
    "-0": 0,
    "+5": 5,
    "007": 7,
    "-007": -7,
    "9007199254740993": 9007199254740993,
    "9" * 18: 10**18 - 1,
    " 12 ": 12,
    **dict.fromkeys(
        [
            "1" + "0" * 18,
            "9223372036854775807",
            "5.0",
            "1e3",
            "1,234",
            "1_000",
            "١٢",
            "0x1F",
            "NaN",
            "",
            "--5",
            "5-",
        ]
    ),
}
NUMBERS: Final = {
    "5.": 5.0,
    ".5": 0.5,
    "+.5e+3": 500.0,
    "-0": -0.0,
    "-0.0": -0.0,
    "0e999": 0.0,
    "0.000e-400": 0.0,
    " 1.5 ": 1.5,
    "007.50": 7.5,
    "1.7976931348623157e308": 1.7976931348623157e308,
    "9" * 308: 1e308,
    "1e-320": 1e-320,
    "5e-324": 5e-324,
    "2.5e-324": 5e-324,
    **dict.fromkeys(NOT_A_NUMBER, NAN),
    **dict.fromkeys(INFINITE, math.inf),
    **dict.fromkeys(INFINITE_BELOW, -math.inf),
    **dict.fromkeys(
        [
            "1e400",
            "-1e400",
            "1.8e308",
            "-1.8e308",
            "9" * 310,
            "1e309",
            "1e-400",
            "-1e-400",
            "2.4e-324",
            "." + "0" * 400 + "1",
        ]
    ),
    **dict.fromkeys(
        [
            "nan",
            "NAN",
            "Inf",
            "INF",
            "infinity",
            "-INFINITY",
            "+NaN",
            "1e0400",
            "1d",
            "0x1p3",
            "1,5",
            ".",
            "e5",
            "1 2",
        ]
    ),
}
BOOLEANS: Final = {
    **dict.fromkeys(TRUE, True),
    **dict.fromkeys(FALSE, False),
    **dict.fromkeys(["tRuE", "yes", "no", "Y", "on", "2", "01", ""]),
}
DATES: Final = {
    **{text: date.fromisoformat(text) for text in ("0001-01-01", "1582-10-10", "2000-02-29", "9999-12-31")},
    **dict.fromkeys(
        [
            "0000-01-01",
            "0000-12-31",
            "1900-02-29",
            "2024-13-01",
            "2024-1-1",
            "20240101",
            "10000-01-01",
            "2024-01-01T00:00:00",
        ]
    ),
}
TIMES: Final = {
    "0000-12-31T23:00:00-02:00": datetime(1, 1, 1, 1, tzinfo=UTC),
    **{
        text: datetime.fromisoformat(text if text[-1] == "Z" or text[-6] in "+-" else f"{text}Z").astimezone(
            UTC
        )
        for text in (
            *(
                "2024-01-01T10:00:00Z",
                "2024-01-01 10:00:00",
                "2024-01-01T10:00:00+01:00",
                "2024-01-01T10:00:00.1Z",
                "1883-11-18T12:00:00Z",
            ),
            *(
                "1969-12-31T23:59:59.999999Z",
                "0001-01-01T00:00:00Z",
                "0001-01-01T00:00:00",
                "0001-01-01T00:00:00-18:00",
            ),
            *(
                "0001-01-01T02:00:00+02:00",
                "9999-12-31T23:59:59Z",
                "9999-12-31T23:59:59.999999Z",
                "9999-12-31T21:59:59-02:00",
            ),
        )
    },
    **dict.fromkeys(
        [
            *(
                "0000-06-01T00:00:00Z",
                "0000-12-31T23:59:59.999999Z",
                "0000-12-31T22:00:00-01:59",
                "0001-01-01T00:00:00+02:00",
            ),
            *(
                "0001-01-01T01:59:59+02:00",
                "9999-12-31T23:59:59-02:00",
                "9999-12-31T23:59:59.999999-00:01",
                "2024-01-01T24:00:00Z",
            ),
            *(
                "2024-01-01T10:00:60Z",
                "2024-01-01T10:00:00+19:00",
                "2024-01-01T10:00:00.1234567Z",
                "2024-01-01T10:00",
                "1704103200",
            ),
            *(
                "2024-02-30T00:00:00Z",
                "2024-01-01t10:00:00z",
                "2024-01-01T10:00:00+0100",
                "2024-01-01T10:00:00 Europe/Berlin",
            ),
        ]
    ),
}
BY_DAY: Final = {
    "01/02/2024": date(2024, 2, 1),
    "01/01/0001": date.min,
    "31/12/9999": date.max,
} | dict.fromkeys(["01/01/0000", "31/12/0000", "32/01/2024", "2024-01-01"])
BY_MOMENT: Final = {"01/02/2024 10:11:12": datetime(2024, 2, 1, 10, 11, 12, tzinfo=UTC)} | dict.fromkeys(
    ["01/01/0000 00:00:00", "x"]
)
BY_OFFSET: Final = {
    "01/02/2024 10:00:00 +02:00": datetime(2024, 2, 1, 8, tzinfo=UTC),
    "01/01/0001 02:00:00 +02:00": datetime(1, 1, 1, tzinfo=UTC),
} | dict.fromkeys(["01/01/0001 01:59:59 +02:00", "31/12/9999 23:00:00 -02:00"])
Texts = dict[str, Any]
KINDS: Final[list[tuple[ColumnType, str | None, Texts]]] = [
    ("integer", None, INTEGERS),
    ("double", None, NUMBERS),
    ("boolean", None, BOOLEANS),
    ("date", None, DATES),
    ("timestamp", None, TIMES),
    ("date", "dd/MM/yyyy", BY_DAY),
    ("timestamp", "dd/MM/yyyy HH:mm:ss", BY_MOMENT),
    ("timestamp", "dd/MM/yyyy HH:mm:ss XXX", BY_OFFSET),
]


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
