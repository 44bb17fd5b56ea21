"""The gate on Sail that all files of this folder share."""

from __future__ import annotations

import pytest

from tests.support.planted.gate import Gate


@pytest.fixture(scope="session")
def sail(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """One Sail for all files of this folder: to start it takes longer than most tests."""
    return Gate.on("sail", tmp_path_factory.mktemp("sail"))
