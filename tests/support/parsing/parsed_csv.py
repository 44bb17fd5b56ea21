"""Parse bytes as delimited text, and check that every record of them is staged or listed."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from catalog.contract import FileFormat
from lake.parsing.csv.parse import MAX_LISTED, parse
from lake.parsing.parsed import Parsed


def parsed(data: bytes, **choices: Any) -> tuple[Parsed, list[dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        path, into = Path(folder, "drop.csv"), Path(folder, "staging.parquet")
        path.write_bytes(data)
        found = parse(path, FileFormat(**choices), into=into)
        assert (found.staging is None) != into.exists()
        rows = pq.read_table(into).to_pylist() if into.exists() else []
        if found.originals is not None:
            records = found.originals.cut(np.array([row["_row"] for row in rows], np.int64))
            rows = [row | {"_record": record} for row, record in zip(rows, records.to_pylist(), strict=True)]
    check(found, rows, data, exact="null_values" in choices and not choices["null_values"])
    return found, rows


def check(found: Parsed, rows: list[dict[str, Any]], data: bytes, *, exact: bool) -> None:
    assert sum(found.account.values()) == len(data)
    assert found.records == found.readable + found.unreadable_count
    assert found.unreadable_count == sum(found.reasons.values())
    if found.staging is None or found.unreadable_count > MAX_LISTED:
        return
    assert len(rows) == found.readable
    assert sorted([row["_row"] for row in rows] + [bad.row for bad in found.unreadable]) == list(
        range(1, found.records + 1)
    )
    if exact:
        for row in rows:
            read = next(csv.reader(io.StringIO(row["_record"], newline="")))
            assert [row[name] for name in found.columns] == read


def reasons(found: Parsed) -> dict[int, str]:
    return {bad.row: bad.reason for bad in found.unreadable}
