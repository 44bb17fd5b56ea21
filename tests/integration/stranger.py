"""What another account of the machine tries. Started as root, it gives that up for good before it tries anything.

Arguments: the action, its arguments, and the number of the account (0: stay who one is, only another process). It prints a line `ready`
when it begins and one of JSON with what it got.
"""

from __future__ import annotations

import encodings.idna
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from pyspark.sql.connect.session import SparkSession

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
"""How an HTTP/2 client begins; a server that talks to it answers at once."""


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
                    connection.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
                    kept[-1] += connection.recv(65536).decode("latin-1")
                except OSError:
                    continue
    return kept


ACTIONS: dict[str, Callable[..., Any]] = {"query": query, "hurry": hurry, "sit": sit}

if __name__ == "__main__":
    action, *arguments, account = sys.argv[1:]
    assert grpc
    assert encodings.idna
    if action == "query":
        query("9", "select 1")  # imports what an account without a home of its own may not read
    become(int(account))
    print("ready", flush=True)
    print(json.dumps(ACTIONS[action](*arguments)), flush=True)
