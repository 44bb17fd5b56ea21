"""A home's files about its embedded lakeFS: keys, configuration, and the record of the running process."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakegate.atomic import write_atomically
from lakegate.errors import IntegrityError, LakegateError
from lakegate.home import Home

FORMAT = 1
"""Of keys.json, server.json, port.json and config.yaml."""
MEMORY_LIMIT = "340MiB"
"""Go collects harder near it; without a limit the server grew to 1 GB over two thousand publishes. Some
200 MiB are always in use: nearer to that it collects all the time, and a publish waits."""
SSTABLE_CACHE = 8_000_000
"""Bytes in memory for committed metadata, beside the system's cache of its files; lakeFS's default, 400 MB,
is meant for repositories of a billion objects."""
DISK_CACHE = 2 * 1024**3
"""Bytes on disk for the same, at most. It lies on the very disk that it caches, but once it is full a commit
takes twice as long: 256 MiB were full after some five hundred publishes."""
RANGE = 100
"""Entries, on average, of one file of committed metadata; a commit writes those anew whose paths it touches.
lakeFS's default, 50,000, made that all entries of the repository."""
BATCH_DELAY = "0.1ms"
"""For which lakeFS collects reads of refs to do them at once; its default, 3 ms, is meant for a remote
database."""
COMMIT_CACHE = 5_000
"""Commits in memory."""
LOG_LINES = 20
"""Last lines of its log that an error quotes."""
LOG_LIMIT = 5_000_000
"""Bytes after which the next start renames the log to lakefs.log.1; it logs warnings and errors only."""


@dataclass(frozen=True)
class ServerRecord:
    """server.json: the process that was last healthy, and the home it was started for; a copy is another."""

    pid: int
    started: float
    port: int
    home: str


def read_server(home: Home) -> ServerRecord | None:
    """The record of the running server; None where there is none.

    Raises:
        IntegrityError: It is of another format.
    """
    found = _read(home.server_file)
    if found is None:
        return None
    try:
        return ServerRecord(
            pid=int(found["pid"]),
            started=float(found["started"]),
            port=int(found["port"]),
            home=str(found["home"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        fix = "delete it: it is written anew"
        raise IntegrityError("this file is incomplete", where=str(home.server_file), fix=fix) from error


def write_server(home: Home, *, pid: int, started: float, port: int) -> None:
    """Record the running server, and its port for the next one."""
    where = str(home.root.resolve())
    _write(home.server_file, {"pid": pid, "started": started, "port": port, "home": where})
    if last_port(home) != port:
        _write(_port_file(home), {"port": port, "home": where})


def last_port(home: Home) -> int | None:
    """The port that this home's server had last, also after it was stopped; None where that isn't known.

    It is a wish, so a file that can't be read is as good as none. A copy of the home has no such port:
    sessions that are open on the original would find the copy's server there, and its keys fit.
    """
    try:
        found = json.loads(_port_file(home).read_text())
        is_this_homes = found["format"] == FORMAT and found["home"] == str(home.root.resolve())
        return int(found["port"]) if is_this_homes else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _port_file(home: Home) -> Path:
    return home.lakefs / "port.json"


def write_keys(home: Home) -> dict[str, str]:
    """The home's keys, made at its first start.

    Raises:
        IntegrityError: They are of another format, incomplete, or lost while the server's state is there.
    """
    names = ("key_id", "secret", "encrypt_secret")
    found = _read(home.keys_file)
    if found is not None:
        if not all(isinstance(found.get(name), str) and found[name] for name in names):
            fix = "restore it from a copy of the home"
            raise IntegrityError("this file is incomplete", where=str(home.keys_file), fix=fix)
        return {name: str(found[name]) for name in names}
    if (home.lakefs / "kv").exists():
        what = "the keys of this home are gone, and its lakeFS can't be opened without them"
        fix = "restore keys.json from a copy of the home, or start with another home"
        raise IntegrityError(what, where=str(home.keys_file), fix=fix)
    alphabet = string.ascii_uppercase + string.digits
    keys = {
        "key_id": "LAKEGATE" + "".join(secrets.choice(alphabet) for _ in range(12)),
        "secret": secrets.token_hex(20),
        "encrypt_secret": secrets.token_hex(32),
    }
    _write(home.keys_file, keys)
    return keys


def write_config(home: Home, keys: Mapping[str, str], *, port: int) -> int:
    """Write config.yaml for one start and return the length of the log so far.

    Paths are relative to the folder it runs in, so that addresses in the lake hold wherever the home is moved
    to. All three connections that lakeFS opens by itself are off (docs.lakefs.io,
    admin/outbound-connections).
    """
    config = {
        "listen_address": f"127.0.0.1:{port}",
        "logging": {"level": "WARN", "format": "text", "output": "-", "audit_log_level": "NONE"},
        "database": {"type": "local", "local": {"path": "kv", "sync_writes": True}},
        "blockstore": {
            "type": "local",
            "local": {"path": "blocks"},
            "signing": {"secret_key": keys["encrypt_secret"]},
        },
        "auth": {"encrypt": {"secret_key": keys["encrypt_secret"]}},
        "committed": {
            "permanent": {"range_raggedness_entries": RANGE},
            "sstable": {"memory": {"cache_size_bytes": SSTABLE_CACHE}},
            "local_cache": {"dir": "cache", "size_bytes": DISK_CACHE},
        },
        "graveler": {"commit_cache": {"size": COMMIT_CACHE}, "max_batch_delay": BATCH_DELAY},
        "installation": {
            "user_name": "lakegate",
            "access_key_id": keys["key_id"],
            "secret_access_key": keys["secret"],
        },
        "stats": {"enabled": False},
        "security": {"check_latest_version": False, "audit_check_url": ""},
    }
    # JSON is YAML, and quotes every text as both do.
    comment = f"# format: {FORMAT}. Lakegate writes this file anew at each start of its lakeFS."
    text = f"{comment}\n{json.dumps(config, indent=2)}\n"
    write_atomically(home.lakefs / "config.yaml", text, durable=True)
    log = home.lakefs / "lakefs.log"
    size = log.stat().st_size if log.exists() else 0
    if size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
        return 0
    return size


def tail(home: Home, start: int) -> str:
    """The last lines that the server wrote from byte `start` of its log on, indented."""
    with (home.lakefs / "lakefs.log").open("rb") as log:
        log.seek(start)
        lines = log.read().decode(errors="replace").splitlines()
    return "\n".join(f"  | {line}" for line in lines[-LOG_LINES:]) or "  | (it is empty)"


def _write(path: Path, fields: Mapping[str, Any]) -> None:
    write_atomically(path, json.dumps({"format": FORMAT, **fields}) + "\n", durable=True)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        what = f"this file can't be read ({error.strerror})"
        fix = "make it readable, or name another home with --home or LAKEGATE_HOME"
        raise LakegateError(what, where=str(path), fix=fix) from error
    except ValueError:
        found = None
    written = found.get("format") if isinstance(found, dict) else None
    if not isinstance(found, dict) or written != FORMAT:
        what = f"format {written!r}, this release reads {FORMAT}"
        raise IntegrityError(what, where=str(path), fix="use the release that wrote it, or another home")
    return found
