"""A law: what a table is after `reprocess` is what it would be had its drops come under the present rules at
first.
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.decisions.reprocess import reprocess
from lake.maintenance.verify import audit_all
from lake.pipeline.ingest import ingest
from lakegate import open_snapshot
from lakegate.settings import Settings
from tests.crash.conftest import Tried
from tests.support.lakes.rides_reprocessed import aside, latest, opened, project

pytestmark = pytest.mark.server

RUNS = int(os.environ.get("LAKEGATE_REDO_RUNS", "2"))
"""Histories of each kind of table; 15 by hand."""
MOST = st.sampled_from([10, 20, 40])
"""Greatest fare that the rules let pass."""
ROWS = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from(["1.5", "12", "25", "99", "free", ""]), st.integers(1, 4)),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
def test_table_made_again_is_what_it_would_have_been(
    mode: str, lakefs_home: Settings, tmp_path: Path, tried: Tried
) -> None:
    numbers = count(1)

    @given(drops=st.lists(ROWS, min_size=1, max_size=4, unique_by=str), before=MOST, now=MOST)
    @hypothesis.settings(max_examples=RUNS, phases=set(hypothesis.Phase) - {hypothesis.Phase.explain})
    def redone(drops: list[list[tuple[int, str, int]]], before: int, now: int) -> None:
        folder = tmp_path / str(number := next(numbers))
        files = [folder / f"{index}.csv" for index in range(len(drops))]
        project(folder, mode=mode, most=before)
        for index, (file, rows) in enumerate(zip(files, drops, strict=True)):
            lines = [f"{ride},{fare},{at}" for ride, fare, at in rows]
            file.write_text(
                "\n".join(["ride,fare,at", *lines, f"{100 + index},1.5,1"]) + "\n"
            )  # a full delivery without any row is refused
        ingest(opened(lakefs_home, folder, f"redone_{mode}{number}"), "rides", files)
        project(folder, mode=mode, most=now)
        again, first = (opened(lakefs_home, folder, f"{name}_{mode}{number}") for name in ("redone", "first"))
        ingest(first, "rides", files)
        made = latest(again, reprocess(again, again.catalog.get("rides")).version)
        wanted = latest(first, f"rides@v{len(drops)}")
        assert (made.content_hash, made.counts.after, made.balance) == (
            wanted.content_hash,
            wanted.counts.after,
            wanted.balance,
        )
        assert sorted(aside(again)) == sorted(aside(first))
        rows = [
            open_snapshot(str(item.name), home=lakefs_home.home.root, tenant=item.tenant)
            .arrow()
            .sort_by("ride")
            for item in (made, wanted)
        ]
        assert rows[0] == rows[1]
        assert not any(audit_all(again).values())

    redone()
    tried(
        "P2 conservation",
        f"a table is reprocessed under other rules, as if they had been there at first: {mode}",
        RUNS,
    )
