"""A migrated home, for all files of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.server.old_home import BEFORE, Ledger, old_home, opened, state


@pytest.fixture
def migrated(tmp_path: Path) -> dict[str, Any]:
    """What an undisturbed migration makes of it."""
    home, ledger, said = old_home(tmp_path / "undisturbed"), Ledger(BEFORE), list[str]()
    opened(home, ledger, said)
    assert said == [
        "from format 1 to 3: drops that a person rejected are `rejected`, no longer `discarded` (2 records)"
    ]
    return state(home, ledger)
