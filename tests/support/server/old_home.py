"""A home of format 1 with a ledger in memory, to be migrated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lake.migrations.migrate import migrate
from lakegate.home import Home

DROP, OTHER = "a1" * 32, "b2" * 32
AT = "20261101T000000.000000Z"


class KilledError(BaseException):
    """As a kill: no Exception."""


class Ledger:
    """The ledger's branch, in memory; its process is killed at change `dies_at`, before it or `after`."""

    name = "lakegate-default"

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects, self.changes, self.dies_at, self.after = dict(objects), 0, -1, False

    def listing(self, _: str, prefix: str) -> list[Any]:
        return [SimpleNamespace(path=path) for path in sorted(self.objects) if path.startswith(prefix)]

    def get(self, _: str, path: str) -> bytes | None:
        return self.objects.get(path)

    def get_json(self, ref: str, path: str) -> Any:
        found = self.get(ref, path)
        return None if found is None else json.loads(found)

    def put(self, _: str, path: str, content: bytes) -> None:
        self.change(lambda: self.objects.update({path: content}))

    def delete(self, _: str, path: str) -> None:
        self.change(lambda: self.objects.pop(path, None))

    def commit(self, _: str, told: str, metadata: dict[str, str]) -> None:
        assert (told, metadata) == ("ledger format 3", {})

    def change(self, what: Callable[[], Any]) -> None:
        self.changes += 1
        dies = self.changes == self.dies_at
        if dies and not self.after:
            raise KilledError
        what()
        if dies:
            raise KilledError


def record(state: str, *, drop: str = DROP, at: str = AT, table: str = "rides_raw") -> tuple[str, bytes]:
    """A record as the release before wrote it."""
    body = {
        "format": 1,
        "at": at,
        "table": table,
        "state": state,
        "key": "k",
        "run": "r1",
        "by": "anna",
        "reason": "of another system",
    }
    return f"rides/{drop}/{at}~{table}~{state}~k~r1-{state[:4]}.json", json.dumps(
        body, sort_keys=True
    ).encode()


BLOCKED, DISCARDED, SPOOLED = (
    record("blocked"),
    record("discarded", at="20261102T000000.000000Z"),
    record("discarded", drop=OTHER),
)
MARKERS = {
    f"_lakegate/refused/rides/{DROP}/0123/{BLOCKED[0].rsplit('/', 1)[1].replace('~', '+')}": b"{}",
    f"_lakegate/refused/rides/{DROP}/0123/{DISCARDED[0].rsplit('/', 1)[1].replace('~', '+')}": b"{}",
    f"_lakegate/refused/trips/{DROP}/0123/{BLOCKED[0].rsplit('/', 1)[1].replace('~', '+')}": b"{}",
}
BEFORE = {**dict([BLOCKED, DISCARDED]), **MARKERS, "_lakegate/heads/rides.json": b"{}"}


def old_home(root: Path) -> Home:
    """A home of format 1 with a record in the spool of another tenant, and one that needs nothing."""
    home = Home(root).prepare()
    home.format_file.write_text('{"format": 1}\n')
    folder = home.spool / "other"
    folder.mkdir()
    for path, content in (SPOOLED, record("failed", drop=OTHER)):
        (folder / path.replace("/", "~~")).write_bytes(content)
    return home


def state(home: Home, ledger: Ledger) -> dict[str, Any]:
    """All that a migration may change, and the file that says the format."""
    spool = {path.name: path.read_bytes() for path in sorted((home.spool / "other").glob("*.json"))}
    return {"ledger": ledger.objects, "spool": spool, "format": json.loads(home.format_file.read_text())}


def opened(home: Home, ledger: Any, said: list[str] | None = None) -> None:
    migrate(home, ledger, lease=1, say=(said if said is not None else []).append)


def renamed(item: tuple[str, bytes]) -> tuple[str, bytes]:
    return item[0].replace("discarded", "rejected"), item[1].replace(b'"discarded"', b'"rejected"')
