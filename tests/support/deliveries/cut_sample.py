"""The demo's deliveries, each month of flights cut down to a few hundred records."""

from __future__ import annotations

from pathlib import Path

from lake.pipeline.demo_data import deliver_sample

CUT = 240
"""Records of a month that these tests deliver."""


def deliver_cut(files: Path) -> None:
    """Write the references, and the first records of each month."""
    deliver_sample(files)
    for month in range(1, 13):
        path = files / f"flights-2013-{month:02}.csv"
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[: CUT + 1]))
