"""Spellings of values, and which of them an engine reads as the plain typing does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.contract import Column, ColumnType, Contract
from expectations.typed_frame import ROW, text_column, typed
from lake.parsing.fast_typing import part_plain
from tests.support.planted.gate import Gate

KINDS: tuple[ColumnType, ...] = ("integer", "double", "date", "timestamp")

SPELLED = {
    "integer": ["7", "007", "-7", "+7", " 7", "7.0", "1-2", "-", "9" * 18, "9" * 19, "0x1F", "1e3", "٣"],
    "double": [
        "1.5",
        "1.",
        ".5",
        ".",
        "-",
        "-.5",
        "1.2.3",
        "1e5",
        "inf",
        "NaN",
        "nan",
        "0x1p3",
        "-0.0",
        "1,5",
        "9" * 41,
        "0." + "3" * 38,
        "1e400",
        "1e-400",
        "9" * 310,
    ],
    "date": [
        "2024-02-29",
        "0000-01-01",
        "2023-02-29",
        "2024-2-9",
        "0001-01-01",
        "9999-12-31",
        "20240229",
        "2024-02-29 ",
        "2024/02/29",
    ],
    "timestamp": [
        "2024-02-29T23:59:59Z",
        "2023-02-29T00:00:00Z",
        "2024-02-29 23:59:59Z",
        "2024-02-29T23:59:59z",
        "2024-02-29T24:00:00Z",
        "2024-02-29T23:59:60Z",
        "2024-02-29T23:59:59",
        "2024-02-29T23:59:59.5Z",
        "2024-02-29T23:59-01:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "1883-11-18T12:00:00Z",
        "0001-01-01T00:00:00+02:00",
        "9999-12-31T23:59:59-02:00",
    ],
}

TEXTS = {
    "integer": st.from_regex(r"[+-]?[0-9]{0,19}", fullmatch=True),
    "double": st.from_regex(r"-?[0-9]{0,20}[.]?[0-9]{0,20}", fullmatch=True),
    "date": st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True),
    "timestamp": st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z?", fullmatch=True
    ),
}


def column(kind: ColumnType) -> st.SearchStrategy[list[str | None]]:
    """Texts as they are delivered, plain ones and others, NULL among them."""
    return st.lists(st.none() | TEXTS[kind] | st.sampled_from(SPELLED[kind]), max_size=12)


def read_alike(gate: Gate) -> None:
    """Hold plain values against what an engine reads: all kinds in one frame,
    since each question costs more than its rows.
    """
    drawn: dict[str, list[str | None]] = {}

    @settings(max_examples=25)
    @given(columns=st.fixed_dictionaries({kind: column(kind) for kind in KINDS}))
    @example(columns=dict(SPELLED))
    def collect(columns: dict[str, list[str | None]]) -> None:
        for kind, texts in columns.items():
            drawn.setdefault(kind, []).extend(texts)

    collect()
    rows = max(map(len, drawn.values()))
    table = pa.table(
        {
            kind: pa.array([*texts, *[None] * (rows - len(texts))], pa.string())
            for kind, texts in drawn.items()
        }
    )
    table = table.append_column(ROW, pa.array(range(rows), pa.int64()))
    contract = Contract(
        name="spelled",
        kind="dataset",
        path=Path("spelled.odcs.yaml"),
        hash="",
        key=(),
        write_mode="append",
        columns=tuple(Column(kind, kind) for kind in KINDS),
    )
    parted = pa.concat_tables(
        part_plain(table.slice(row, 1), [(kind, kind) for kind in KINDS]) for row in range(rows)
    )
    by_engine, by_both = (
        gate.engine.arrow(typed(gate.frame(item), contract)).sort_by(ROW) for item in (table, parted)
    )
    for kind in KINDS:
        for text, found, expected in zip(
            *(numbers(item[kind]) for item in (table, by_both, by_engine)), strict=True
        ):
            assert repr(found) == repr(expected), (kind, text)
        assert by_both[text_column(kind)].null_count > by_engine[text_column(kind)].null_count


def numbers(values: pa.ChunkedArray) -> list[Any]:
    """Values of any year, which Python's own have not."""
    at = {pa.date32(): pa.int32(), pa.timestamp("us", "UTC"): pa.int64()}.get(values.type)
    return (values.cast(at) if at else values).to_pylist()
