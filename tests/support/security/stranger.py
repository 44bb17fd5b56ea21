"""What another account of the machine tries; started as root, it gives that up for good before it tries.

Arguments: action, arguments, account's number (0: stay). Prints `ready`, then JSON: what it got.
"""

from __future__ import annotations

import encodings.idna
import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.security.spark_protocol import spark

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
"""How an HTTP/2 client begins; a server that talks to it answers at once."""
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\x00\x00\x00\x04\x01\x00\x00\x00\x00"
"""How an HTTP/2 server begins, after which the client says all that it has to say."""
NO_CONTENT = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


def become(account: int) -> None:
    if account:
        os.setgroups([])
        os.setgid(account)
        os.setuid(account)
        assert os.getuid() == account
        try:
            os.setuid(0)
        except PermissionError:
            return
        raise AssertionError("still root")


def heard(port: int, wait: float = 0.5) -> tuple[bool, bytes]:
    """Whether a connection came about, and the first bytes that were said to it."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
            try:
                connection.sendall(PREFACE)
                return True, connection.recv(64)
            except OSError:
                return True, b""
    except OSError:
        return False, b""


def query(port: str, statement: str, *more: str) -> Any:
    """What a SQL statement says, asked of an engine on that port."""
    token = f"/;token={more[0]}" if more else ""
    from pyspark.sql.connect.session import SparkSession

    try:
        session = SparkSession.Builder().remote(f"sc://localhost:{port}{token}").create()
        session.client.set_retry_policies([])
        return [list(row) for row in session.sql(statement).collect()]
    except Exception as error:  # noqa: BLE001  (whatever it is, it is told)
        return f"{type(error).__name__}: {str(error)[:300]}"


def hurry(seconds: str) -> Any:
    """Speak to each port that begins to listen, the moment it does."""
    end, known, met = time.monotonic() + float(seconds), set(listening()), {}
    print("watching", flush=True)
    while time.monotonic() < end:
        for port in listening() - known:
            connected, said = heard(port, 0.3)
            known.add(port)
            met[port] = [connected, said.hex()]
    return met


def set_up(seconds: str) -> Any:
    """Make oneself the administrator of each lakeFS that begins to listen, as often as it answers."""
    end, known, met = time.monotonic() + float(seconds), set(listening()), []
    print("watching", flush=True)
    while time.monotonic() < end:
        for port in listening() - known:
            status, _ = http(
                f"http://127.0.0.1:{port}/api/v1/setup_lakefs", "POST", '{"username": "stranger"}'
            )
            met.append([port, status])
    return met


def http(url: str, method: str = "GET", body: str = "", *headers: str) -> Any:
    """Status and text of an answer; 0 where there is none."""
    given = {"Content-Type": "application/json", **dict(header.split(": ", 1) for header in headers)}
    asked = urllib.request.Request(url, body.encode() or None, given, method=method)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=30) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def several(*urls: str) -> Any:
    return {url: http(url) for url in urls}


def read(path: str) -> Any:
    """The bytes of a file, or why they can't be had."""
    try:
        return Path(path).read_bytes().decode("latin-1")
    except OSError as error:
        return type(error).__name__


def unix(*paths: str) -> Any:
    """What connecting to each of these sockets ends with."""
    found = {}
    for path in paths:
        with socket.socket(socket.AF_UNIX) as one:
            try:
                one.connect(path)
                found[path] = "connected"
            except OSError as error:
                found[path] = type(error).__name__
    return found


def down(root: str) -> Any:
    """What `lakegate down` says of somebody's home."""
    import filelock  # noqa: F401

    import lake.server.process  # noqa: F401
    from lake.server.lifecycle import stop_server
    from lakegate.errors import LakegateError
    from lakegate.home import Home

    try:
        return stop_server(Home(Path(root)))
    except LakegateError as error:
        return str(error)


def listening() -> set[int]:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {int(line.split()[1].partition(":")[2], 16) for line in lines if line.split()[3] == "0A"}


def sit(port: str, seconds: str) -> Any:
    """Take a port, say that all is well to whatever comes, and keep what was said."""
    kept = []
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(port)))
        listener.listen()
        listener.settimeout(0.2)
        print("sitting", flush=True)
        end = time.monotonic() + float(seconds)
        while time.monotonic() < end and not Path(f"/tmp/enough-{port}").exists():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(1)
                try:
                    kept.append(connection.recv(65536).decode("latin-1"))
                    connection.sendall(SETTINGS if kept[-1].startswith("PRI") else NO_CONTENT)
                    while more := connection.recv(65536):
                        kept[-1] += more.decode("latin-1")
                except OSError:
                    continue
    return kept


ACTIONS: dict[str, Callable[..., Any]] = {
    "query": query,
    "hurry": hurry,
    "sit": sit,
    "set_up": set_up,
    "http": http,
    "several": several,
    "spark": spark,
    "down": down,
    "unix": unix,
    "read": read,
}

if __name__ == "__main__":
    action, *arguments, account = sys.argv[1:]
    assert encodings.idna
    # What is imported now an account without a home of its own may not read.
    if action == "query":
        query("9", "select 1")
    if action == "down":
        down("/nowhere")
    become(int(account))
    print("ready", flush=True)
    print(json.dumps(ACTIONS[action](*arguments)), flush=True)
