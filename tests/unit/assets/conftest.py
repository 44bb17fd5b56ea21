"""The demo's definitions, loaded once."""

from __future__ import annotations

import pytest
from dagster import Definitions

from assets.definitions import define
from lakegate.settings import Settings
from tests.support.places import ROOT


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    return define(Settings.load(home=tmp_path_factory.mktemp("assets"), project=ROOT, environ={}))
