"""How Dagster's UI is started on a home: one command runs the UI, the daemon and the code location."""

from __future__ import annotations

import secrets
import sys
from typing import Final

from assets.instance import prepare_instance
from lake.server.health import free_port
from lakegate.atomic import write_atomically
from lakegate.settings import Settings

HOST: Final = "127.0.0.1"
PORT: Final = 3000
"""Dagster's usual port; another one is taken where it is in use."""

LOOK_SECONDS: Final = 300
"""How long a sensor may look: taking in one large file can take longer than Dagster's 60 seconds."""

WORKSPACE: Final = "workspace.yaml"

TOKEN: Final = "ui-token"  # noqa: S105  (a file's name)
"""In the home's Dagster folder, for its owner only: what this start's link and cookies hold. Each start makes
its own, because browsers go on asking on the port of one that ended, whoever sits there then."""


def dev_command(settings: Settings, *, port: int | None = None) -> tuple[list[str], dict[str, str]]:
    """The command that starts Dagster on this home, and what it needs besides the caller's environment.

    It runs the UI, the daemon (sensors, queue) and the code location until it is interrupted. Whoever opens
    the UI needs the token that is written into the home now (see `assets.web.door`). With no port given a
    free one is taken. Run it from the project's folder, which is where `workspace.yaml` is read from when it
    names one.
    """
    folder = prepare_instance(settings)
    write_atomically(folder / TOKEN, secrets.token_urlsafe(32) + "\n", durable=True)
    workspace = settings.project / WORKSPACE
    target = ["-w", str(workspace)] if workspace.is_file() else ["-m", "assets.definitions"]
    command = [
        sys.executable,
        "-m",
        "assets.web.services",
        *target,
        "--host",
        HOST,
        "--port",
        str(port or free_port(preferred=PORT)),
        "--log-level",
        "warning",
    ]
    environment = {
        "DAGSTER_HOME": str(folder),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS": str(LOOK_SECONDS),
        "LAKEGATE_HOME": str(settings.home.root),
        "LAKEGATE_PROJECT": str(settings.project),
        "LAKEGATE_TENANT": settings.tenant,
        "LAKEGATE_ENGINE": settings.engine,
    }
    if settings.lakefs_binary is not None:
        environment["LAKEGATE_LAKEFS"] = str(settings.lakefs_binary)
    return command, environment


def link(settings: Settings, command: list[str]) -> str:
    """The address of the UI that this command opens, with its token."""
    token = (settings.home.dagster / TOKEN).read_text(encoding="ascii").strip()
    return f"http://{HOST}:{command[command.index('--port') + 1]}/?token={token}"
