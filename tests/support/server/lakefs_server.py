"""Start a home's lakeFS, and write and read by its API."""

from __future__ import annotations

from lake.server.lifecycle import ensure_server
from lake.server.state_files import read_server
from lakegate.home import Endpoint
from lakegate.settings import Settings


def start(settings: Settings) -> Endpoint:
    return ensure_server(settings, say=print)


def pid_of(settings: Settings) -> int:
    recorded = read_server(settings.home)
    assert recorded is not None
    return recorded.pid
