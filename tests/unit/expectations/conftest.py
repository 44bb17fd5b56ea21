"""Fixtures that several files of this folder share."""

from __future__ import annotations

import pytest

from tests.support.drift.compared_lake import CONTRACT, USUAL, part
from tests.support.drift.histogram_lake import KeptLake


@pytest.fixture
def lake() -> KeptLake:
    """Four versions: like each other but for the last, whose sizes moved."""
    made = KeptLake(CONTRACT)
    for _ in range(3):
        made.add(part())
    made.add(part(size={code + 20: rows for code, rows in USUAL.items()}))
    return made
