"""A contract of some columns, for tests that need no file of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.contract import Column, Contract


def things(*columns: Column, **more: Any) -> Contract:
    """A dataset `things`: appended to, its first column the key, unless `more` says otherwise."""
    said = {"key": (columns[0].name,), "write_mode": "append"} | more
    return Contract("things", "dataset", Path("things.odcs.yaml"), "", columns, **said)
