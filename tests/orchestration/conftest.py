"""What the tests of this folder share."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", autouse=True)
def instances_open_fast(migrations_are_kept: None) -> None:
    """These tests open Dagster's instance in their own process, again and again."""
