"""A table in scratch: what was added is what is read, in few files,
of which none is left that nobody reads.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lake.engine import scratch_table
from lake.engine.scratch_table import ScratchTable

FOLDERS = itertools.count()


class Frames:
    """An engine whose frames are Arrow tables; like Sail it writes no file of no rows."""

    opened = 0

    def write_scratch(self, frame: pa.Table, folder: Path) -> pa.Table:
        folder.mkdir(parents=True)
        if frame.num_rows:
            pq.write_table(frame, folder / "part-0.parquet")
        return frame

    def read_parquet(self, uris: list[str]) -> pa.Table:
        self.opened = max(self.opened, len(uris))
        return pa.concat_tables([pq.read_table(unquote(urlsplit(uri).path)) for uri in uris])

    def no_rows(self, schema: pa.Schema) -> pa.Table:
        return schema.empty_table()


def rows(numbers: list[int]) -> Any:
    return pa.table({"n": pa.array(numbers, pa.int64())})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(["add", "add", "add", "replace"]), st.lists(st.integers(0, 9), max_size=3)),
        max_size=40,
    )
)
def test_scratch_table_holds_what_was_added_since_it_was_replaced(
    changes: list[tuple[str, list[int]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch_table, "MANY", 3)
    engine, meant = Frames(), list[int]()
    table = ScratchTable(engine, folder := tmp_path / str(next(FOLDERS)))  # type: ignore[arg-type]
    assert table.frame() is None
    for how, numbers in changes:
        meant = [*meant, *numbers] if how == "add" else numbers
        getattr(table, how)(rows(numbers))
        found: Any = table.frame()
        assert sorted(found.column("n").to_pylist()) == sorted(meant)
    lying = list(folder.rglob("*.parquet"))
    assert sum(pq.read_metadata(file).num_rows for file in lying) == len(meant)


def test_query_opens_few_files_however_many_parts_there_were(tmp_path: Path) -> None:
    engine = Frames()
    table = ScratchTable(engine, tmp_path / "rows")  # type: ignore[arg-type]
    for number in range(600):
        table.add(rows([number]))
        assert table.frame() is not None
    assert engine.opened <= 3 * scratch_table.MANY
