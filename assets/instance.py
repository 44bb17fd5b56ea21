"""The Dagster instance in the home: the runs of the command line and those of the UI are kept in one place."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef

from lakegate.settings import Settings

_QUIET = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
"""In process nothing is captured: it would take two processes a step, and the terminal from the progress display."""


def prepare_instance(settings: Settings) -> Path:
    """Write `<home>/dagster/dagster.yaml` where there is none; returns the folder, which is DAGSTER_HOME."""
    folder = settings.home.prepare().dagster
    target = folder / "dagster.yaml"
    if not target.exists():
        fresh = target.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(files("assets").joinpath("dagster.yaml").read_text(encoding="utf-8"), encoding="utf-8")
        fresh.replace(target)
    return folder


def open_instance(settings: Settings) -> DagsterInstance:
    """The home's instance, for use in this process. Close it after use (it is a context manager)."""
    folder = prepare_instance(settings)
    return DagsterInstance.from_ref(InstanceRef.from_dir(str(folder), overrides={"compute_logs": _QUIET}))
