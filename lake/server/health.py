"""Ask a lakeFS on loopback whether it answers, with as little as that takes."""

from __future__ import annotations

import json
import socket
from typing import Any

from lakegate.home import Endpoint

HEALTH = "/api/v1/healthcheck"
HEALTH_TIMEOUT = 2.0
"""Seconds; a server that runs answers in a few milliseconds, also under load."""
EXTERNAL_TIMEOUT = 10.0
"""Seconds, over a network."""
API_TIMEOUT = 10.0
"""Seconds; the first request after a start opens the metadata."""


def answers(port: int) -> bool:
    """Whether a lakeFS answers its health check on that port of loopback, within two seconds.

    A bare socket: importing http.client would take longer than all the rest.
    """
    request = f"GET {HEALTH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=HEALTH_TIMEOUT) as connection:
            connection.sendall(request.encode())
            return connection.recv(64).startswith(b"HTTP/1.1 204 ")
    except OSError:
        return False


def api(endpoint: Endpoint, path: str) -> dict[str, Any] | None:
    """The answer to GET /api/v1/<path> with the endpoint's keys; None where it refuses or doesn't answer."""
    from base64 import b64encode
    from http.client import HTTPConnection, HTTPException

    basic = b64encode(f"{endpoint.key_id}:{endpoint.secret}".encode()).decode()
    # Straight to loopback: urllib would ask the environment for a proxy first.
    connection = HTTPConnection(endpoint.url.removeprefix("http://"), timeout=API_TIMEOUT)
    try:
        connection.request("GET", f"/api/v1/{path}", headers={"Authorization": f"Basic {basic}"})
        answer = connection.getresponse()
        body = json.loads(answer.read()) if answer.status == 200 else None  # noqa: PLR2004  (HTTP's own number)
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return body if isinstance(body, dict) else None


def free_port(*, preferred: int | None = None) -> int:
    """A port of loopback that nobody listens on: the preferred one if it is such, else one that the system picks."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
            # As lakeFS binds: connections of a server that was killed linger and don't hold the port.
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port or 0))
            except OSError:
                continue
            return int(candidate.getsockname()[1])
    msg = "no free port on 127.0.0.1"
    raise OSError(msg)
