"""Projects that several files of this folder share: one good contract, and a copy of the demo's catalog."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.rides import contract_text
from tests.support.catalog.hostile_contracts import APPENDED, write
from tests.support.places import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("catalog/contracts", "catalog/sql", "expectations/suites"):
        (tmp_path / name).mkdir(parents=True)
    write(tmp_path, "good", contract_text("good", APPENDED))
    return tmp_path


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    for folder in ("contracts", "sql"):
        shutil.copytree(ROOT / "catalog" / folder, tmp_path / "catalog" / folder)
    return tmp_path
