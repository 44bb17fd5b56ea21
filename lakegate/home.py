"""The home folder, which holds one Lakegate's state, and the paths in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from lakegate.atomic import write_atomically
from lakegate.errors import IntegrityError, LakegateError
from lakegate.media import message
from lakegate.modes import tighten, tighten_folder, tighten_keys

FORMAT: Final = 3
"""Format of the home folder, and of the ledger of its lake; a home of a later one is refused by name."""
READABLE: Final = (1, FORMAT)
"""Formats that can be read. A session migrates an earlier one to `FORMAT` (see `lake.migrations`)."""


def to_stderr(text: str) -> None:
    """Print a message for the person who runs this; stdout belongs to results."""
    print(message(text), file=sys.stderr, flush=True)  # noqa: T201


@dataclass(frozen=True)
class Endpoint:
    """A lakeFS's address and keys; `url` has no trailing slash and no path."""

    url: str
    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"Endpoint(url={self.url!r})"


def _below(*parts: str) -> cached_property[Path]:
    """A path below the home's root."""
    return cached_property(lambda home: home.root.joinpath(*parts))


@dataclass(frozen=True)
class Home:
    """Paths below the home folder. Everything in it can be copied or moved while nothing runs."""

    root: Path

    format_file = _below("lakegate.json")
    """JSON `{"format"}`, and `from` while the content is migrated from that format."""
    lakefs = _below("lakefs")
    """The embedded lakeFS: config.yaml, keys.json (0600), server.json, kv/, blocks/, lakefs.log."""
    blocks = _below("lakefs", "blocks")
    """The local blockstore's root, to which physical addresses in manifests are relative."""
    keys_file = _below("lakefs", "keys.json")
    """JSON `{"format", "key_id", "secret", "encrypt_secret"}`, owner-readable only."""
    server_file = _below("lakefs", "server.json")
    """JSON `{"format", "pid", "started", "port"}` of the embedded server while it runs."""
    landing = _below("landing")
    """`landing/<dataset>/` is watched for new files."""
    spool = _below("spool")
    """Ledger records that wait for lakeFS."""
    scratch = _below("scratch")
    """Runs' intermediate files; safe to delete while nothing runs."""
    cache = _below("cache")
    """Values that can be computed again; safe to delete."""
    dagster = _below("dagster")
    """DAGSTER_HOME."""
    manifests = _below("manifests")
    """Copies of manifests, from which a reader starts without lakeFS."""
    locks = _below("locks")
    """Leases and locks."""

    def manifest_copy(self, tenant: str, table: str, number: int) -> Path:
        """The home's copy of a manifest: a cache that `lakegate up` rebuilds from the lake."""
        return self.manifests / tenant / table / f"v{number}.json"

    def expiry_copy(self, tenant: str, table: str, number: int) -> Path:
        """The home's copy of the record that a version expired."""
        return self.manifest_copy(tenant, table, number).with_suffix(".expired.json")

    def prepare(self, *, say: Callable[[str], None] | None = None) -> Home:
        """Create the folder where it is missing, check its format, and take write access from others.

        Args:
            say: Called with what others could write, or read of the keys; `to_stderr` by default.

        Raises:
            LakegateError: It can't be written, or others may write what belongs to another user.
            IntegrityError: It was written in another format.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.format_file.exists():
                self.write_format()
            self.check_format()
            for folder in (self.lakefs, self.landing, self.spool, self.scratch, self.cache, self.dagster):
                folder.mkdir(exist_ok=True, mode=0o700)
            self._tighten(say or to_stderr)
        except OSError as error:
            what = f"the home folder can't be written ({error.strerror})"
            fix = "make it writable, or name another with --home or LAKEGATE_HOME"
            raise LakegateError(what, where=str(self.root), fix=fix) from error
        return self

    def _tighten(self, say: Callable[[str], None]) -> None:
        """Take write access from others, except to the landing folder: its owner decides who may deliver."""
        # Of these folders, which may hold much, the folder alone: others can't reach what lies in it.
        private = (self.lakefs, self.spool, self.scratch)
        tighten(
            (path for path in sorted(self.root.iterdir()) if path not in (self.landing, *private)), say=say
        )
        for folder in (*private, self.root):
            tighten_folder(folder, say=say)
        tighten_keys(self.keys_file, say=say)
        tighten_keys(self.lakefs / "config.yaml", say=say)

    def check_format(self) -> None:
        """Raise IntegrityError where the home was written in a format that this release doesn't know."""
        self.content_format()

    def content_format(self) -> int:
        """The format of the home's content: that which a migration comes from, or else the home's own.

        Raises:
            IntegrityError: This release doesn't know it.
        """
        try:
            record: dict[str, Any] = json.loads(self.format_file.read_text())
            formats: list[Any] = [record.get("format"), record.get("from", record.get("format"))]
        except (OSError, ValueError, AttributeError):
            formats = [None]
        for found in formats:
            if found not in READABLE:
                what = f"home format {found!r}, this release reads up to {FORMAT}"
                fix = "use the release that wrote it, or a later one"
                fix += "; or another home, with --home or LAKEGATE_HOME"
                raise IntegrityError(what, where=str(self.format_file), fix=fix)
        return int(formats[-1])

    def write_format(self, *, migrating: int | None = None) -> None:
        """Record that the home is of this release's format; `migrating`: its content is still of that one."""
        record = {"format": FORMAT} | ({} if migrating is None else {"from": migrating})
        write_atomically(self.format_file, json.dumps(record) + "\n", durable=True)

    def running_endpoint(self) -> Endpoint | None:
        """The embedded server's address as it was last recorded; it may be down."""
        try:
            server, keys = json.loads(self.server_file.read_text()), json.loads(self.keys_file.read_text())
            return Endpoint(f"http://127.0.0.1:{int(server['port'])}", keys["key_id"], keys["secret"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
