"""Whatever is delivered, killed, taken back or corrected, in whichever order: versions never change,
main is never half written.
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from benchmarks.rides import contract_text
from lakegate.settings import Settings
from tests.crash.conftest import Tried
from tests.support.lakes.rides_machine import Lake
from tests.support.lakes.scene import Scene

pytestmark = pytest.mark.server

RUNS = int(os.environ.get("LAKEGATE_MACHINE_RUNS", "4"))
"""100 by hand."""
LENGTH = int(os.environ.get("LAKEGATE_MACHINE_STEPS", "8"))
"""30 by hand."""


def test_no_sequence_of_events_breaks_a_promise(lakefs_home: Settings, tmp_path: Path, tried: Tried) -> None:
    scene = Scene.made(tmp_path / "scene", home=lakefs_home.home.root)
    text = contract_text("fares", writeMode="upsert", maxQuarantined=1.0).replace(
        "name: fare,", "name: fare, required: true,"
    )
    path = scene.folder / "project" / "catalog" / "contracts" / "fares.odcs.yaml"
    path.write_text(text + "  - {property: upsert, value: {orderBy: fare}}\n")
    lake = type("OneLake", (Lake,), {"scene": scene, "tenants": count()})
    health = list(HealthCheck)
    chosen = settings(
        max_examples=RUNS,
        stateful_step_count=LENGTH,
        deadline=None,
        suppress_health_check=health,
        print_blob=True,
    )
    run_state_machine_as_test(lake, settings=chosen)
    tried(
        "P1 to P4",
        f"random histories of up to {LENGTH} deliveries, deaths of runs and of lakeFS, corrections, "
        f"rollbacks (Hypothesis)",
        RUNS,
    )
