"""Fixtures that several files of unit tests share."""

import pytest

from tests.support.reader.snapshot_lake import Lake


@pytest.fixture
def no_settings(monkeypatch):
    for name in ("HOME", "TENANT", "LAKEFS_URL", "LAKEFS_KEY_ID", "LAKEFS_SECRET", "LAKEFS_NAMESPACE"):
        monkeypatch.delenv(f"LAKEGATE_{name}", raising=False)


@pytest.fixture
def lake(no_settings, tmp_path):
    return Lake(tmp_path / "home")
