"""Whether a lakeFS is up: the embedded one on loopback, as cheaply as can be; or an external one."""

from __future__ import annotations

import json
import socket
from typing import Any, Final

from lakegate.errors import LakegateError, Transient
from lakegate.home import Endpoint

HEALTH: Final = "/api/v1/healthcheck"
HEALTH_TIMEOUT: Final = 2.0
"""Seconds; a server that runs responds in a few milliseconds, also under load."""
EXTERNAL_TIMEOUT: Final = 10.0
"""Seconds, over a network."""
API_TIMEOUT: Final = 10.0
"""Seconds; the first request after a start opens the metadata."""


def is_healthy(port: int) -> bool:
    """Whether a lakeFS passes its health check on that port of loopback, within two seconds.

    A bare socket: importing http.client would take longer than all the rest.
    """
    request = f"GET {HEALTH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=HEALTH_TIMEOUT) as connection:
            connection.sendall(request.encode())
            return connection.recv(64).startswith(b"HTTP/1.1 204 ")
    except OSError:
        return False


def check_external(endpoint: Endpoint) -> Endpoint:
    """The external lakeFS that the settings name, if it passes its health check.

    Raises:
        LakegateError: Its address is none.
        Transient: It doesn't.
    """
    from urllib.error import HTTPError
    from urllib.request import urlopen

    if not endpoint.url.startswith(("http://", "https://")):
        what, fix = "LAKEGATE_LAKEFS_URL is no http(s) address", "write it as https://lakefs.example.org"
        raise LakegateError(what, where=endpoint.url, fix=fix)
    try:
        # The scheme is checked above.
        with urlopen(endpoint.url + HEALTH, timeout=EXTERNAL_TIMEOUT):  # noqa: S310
            return endpoint
    except HTTPError as error:
        why = f"HTTP {error.code}"
    except OSError as error:
        why = str(getattr(error, "reason", error))
    what = f"the external lakeFS doesn't answer its health check ({why})"
    fix = "see that it runs and is reachable from here, or correct LAKEGATE_LAKEFS_URL; then try again"
    raise Transient(what, where=endpoint.url, fix=fix)


def api(endpoint: Endpoint, path: str) -> dict[str, Any] | None:
    """The result of GET /api/v1/<path> with the endpoint's keys; None where there is none."""
    from base64 import b64encode
    from http import HTTPStatus
    from http.client import HTTPConnection, HTTPException

    basic = b64encode(f"{endpoint.key_id}:{endpoint.secret}".encode()).decode()
    # Straight to loopback: urllib would ask the environment for a proxy first.
    connection = HTTPConnection(endpoint.url.removeprefix("http://"), timeout=API_TIMEOUT)
    try:
        connection.request("GET", f"/api/v1/{path}", headers={"Authorization": f"Basic {basic}"})
        response = connection.getresponse()
        body = json.loads(response.read()) if response.status == HTTPStatus.OK else None
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return body if isinstance(body, dict) else None


def free_port(*, preferred: int | None = None) -> int:
    """A port of loopback that no process listens on: the preferred one if it is such, else any."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
            # As lakeFS binds: connections of a server that was killed linger and don't hold the port.
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(candidate.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")
