"""Contracts beside a good one, and the check that the good one still loads."""

from __future__ import annotations

from pathlib import Path

from assets.factory import make_assets
from catalog.files import Catalog, load_catalog
from expectations.building.build import build_suite
from lakegate.errors import ContractError

APPENDED = """
customProperties:
  - {property: writeMode, value: append}
"""


def write(project: Path, name: str, text: str) -> Path:
    path = project / "catalog" / "contracts" / f"{name}.odcs.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def check_good(project: Path, *, dagster: bool = True) -> Catalog:
    """The good one goes on: in the catalog, in its suites, in Dagster.
    Whatever became of the other one is told as its own.
    """
    catalog = load_catalog(project)
    assert "good" in catalog.contracts
    assert all(
        isinstance(error, ContractError) and error.where and error.fix for error in catalog.broken.values()
    )
    good = catalog.get("good")
    assert [build_suite(good, hop, project).hash for hop in ("raw", "processed")]
    if not dagster:
        return catalog
    made = make_assets(catalog, project)
    assert "good" in made.jobs
    return catalog
