"""Rows that change while files are merged stop the publish, and no value can change unseen."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

import lake.tables.compaction
from catalog.odcs.loader import load_contract
from lake.engine.engine import Engine
from lake.tables.compaction import quarantine_fingerprint, table_fingerprint
from lakegate.errors import IntegrityError
from lakegate.home import Endpoint
from lakegate.settings import Settings
from tests.support.lakes.rides_compacted import CONTRACT, MANY, deliver, opened

pytestmark = pytest.mark.server


@pytest.mark.parametrize(("hashed", "before"), [("content_by", MANY), ("hash_of", MANY + 1)])
def test_rows_that_changed_while_files_were_merged_stop_the_publish(
    hashed: str, before: int, shared_lakefs: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake.tables.compaction, "MANY", MANY)
    session = opened(shared_lakefs, tmp_path, f"damaged_{hashed}", "append")
    for number in range(before):
        deliver(session, tmp_path, number)
    honest = getattr(lake.tables.compaction, hashed)
    asked = count()

    def other(*args: Any, **kwargs: Any) -> list[Any]:
        return [honest(*args, **kwargs), next(asked)]

    monkeypatch.setattr(lake.tables.compaction, hashed, other)
    with pytest.raises(IntegrityError, match="files were merged, and their rows are not those"):
        deliver(session, tmp_path, before)
    monkeypatch.setattr(lake.tables.compaction, hashed, honest)
    assert session.repository.branches("attempt-") == []
    assert deliver(session, tmp_path, before).version == before + 1


def test_no_value_of_a_row_set_aside_can_change_unseen(tmp_path: Path) -> None:
    engine = Engine(Settings.load(home=tmp_path / "home"), Endpoint("http://127.0.0.1:9", "none", "none"))
    row: dict[str, Any] = {
        "_drop": "d",
        "_row": 7,
        "_file": "1.csv",
        "_reasons": ["type", "key"],
        "_suite": "s",
        "_record": "1,none",
    }
    others = [
        {**row, name: value}
        for name, value in (
            ("_drop", "e"),
            ("_row", 8),
            ("_file", None),
            ("_suite", ""),
            ("_record", "1,nine"),
        )
    ]
    others += [{**row, "_reasons": reasons} for reasons in (["type"], ["key", "type"], [], None)]
    schema = pa.schema(
        [
            (name, {"_row": pa.int64(), "_reasons": pa.list_(pa.string())}.get(name, pa.string()))
            for name in row
        ]
    )

    def told(*rows: dict[str, Any]) -> list[Any]:
        path = tmp_path / "rows.parquet"
        parquet.write_table(pa.Table.from_pylist([*rows], schema=schema), path)
        return quarantine_fingerprint(engine, engine.read_parquet([path.as_uri()]))

    assert told(row, others[0]) == told(others[0], row)
    assert len({str(told(other)) for other in (row, *others)}) == 1 + len(others)
    assert told(row) != told(row, row)


def test_no_value_of_a_published_row_can_change_unseen_nor_be_another_rows(tmp_path: Path) -> None:
    engine = Engine(Settings.load(home=tmp_path / "home"), Endpoint("http://127.0.0.1:9", "none", "none"))
    path = tmp_path / "rides.odcs.yaml"
    path.write_text(CONTRACT.replace("MODE", "append"))
    contract = load_contract(path)
    at = datetime(2026, 11, 1, tzinfo=UTC)
    row: dict[str, Any] = {"ride": 1, "fare": 2.5, "rider": "Ada", "at": at, "_drop": "d", "_row": 7}
    others = [
        {**row, name: value}
        for name, value in (("ride", 2), ("fare", None), ("rider", ""), ("_drop", "e"), ("_row", 8))
    ]
    schema = pa.schema(
        [
            ("ride", pa.int64()),
            ("fare", pa.float64()),
            ("rider", pa.string()),
            ("at", pa.timestamp("us", "UTC")),
            ("_drop", pa.string()),
        ]
    ).append(pa.field("_row", pa.int64()))

    def told(*rows: dict[str, Any]) -> list[Any]:
        path = tmp_path / "rows.parquet"
        parquet.write_table(pa.Table.from_pylist([*rows], schema=schema), path)
        return table_fingerprint(engine, contract, engine.read_parquet([path.as_uri()]))

    assert told(row, others[0], others[3]) == told(others[3], others[0], row)
    assert len({str(told(other)) for other in (row, *others)}) == 1 + len(others)
    assert told(row) != told(row, row)
    same_drop, other_drop = {**row, "ride": 9, "_row": 8}, {**row, "ride": 9, "_drop": "e"}
    assert told(row, same_drop) != told({**row, "_row": 8}, {**same_drop, "_row": 7})
    assert told(row, other_drop) != told({**row, "_drop": "e"}, {**other_drop, "_drop": "d"})
