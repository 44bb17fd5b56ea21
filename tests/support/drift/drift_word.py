"""The demo's flights with a drift of the test's own."""

from __future__ import annotations

from pathlib import Path

from catalog.contract import Contract
from catalog.odcs.loader import load_contract
from tests.support.places import ROOT


def drift_in(folder: Path, text: str) -> Contract:
    path = folder / "flights.odcs.yaml"
    written = (
        (ROOT / "catalog/contracts/flights.odcs.yaml")
        .read_text(encoding="utf-8")
        .partition("  - property: drift\n")[0]
    )
    path.write_text(
        f"{written.rstrip()}\n  - property: drift\n    vendor: lakegate\n    value: {text}\n",
        encoding="utf-8",
    )
    return load_contract(path)
