"""A home of format 1 is brought to this release's, wherever that is cut off, and nothing of its ledger is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lake.migrations.migrate import migrate
from lake.paths import LEDGER_FORMAT
from lakegate.errors import IntegrityError
from lakegate.home import FORMAT, Home

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


@pytest.fixture
def migrated(tmp_path: Path) -> dict[str, Any]:
    """What an undisturbed migration makes of it."""
    home, ledger, said = old_home(tmp_path / "undisturbed"), Ledger(BEFORE), list[str]()
    opened(home, ledger, said)
    assert said == [
        "from format 1 to 3: drops that a person rejected are `rejected`, no longer `discarded` (2 records)"
    ]
    return state(home, ledger)


def test_records_are_renamed_in_ledger_and_spool_with_all_that_they_say(migrated: dict[str, Any]) -> None:
    path, content = renamed(DISCARDED)
    assert json.loads(content)["reason"] == "of another system"
    rest = {
        key: value for key, value in BEFORE.items() if "discarded" not in key and "refused/rides" not in key
    }
    assert migrated["ledger"] == {**rest, path: content, LEDGER_FORMAT: b'{"format": 3}'}
    waiting = dict([renamed(SPOOLED), record("failed", drop=OTHER)])
    assert migrated["spool"] == {name.replace("/", "~~"): body for name, body in waiting.items()}
    assert migrated["format"] == {"format": FORMAT}


def test_second_open_changes_nothing(tmp_path: Path) -> None:
    home, ledger, said = old_home(tmp_path), Ledger(BEFORE), list[str]()
    opened(home, ledger)
    changes, written = ledger.changes, home.format_file.stat().st_mtime_ns
    opened(home, ledger, said)
    assert (ledger.changes, home.format_file.stat().st_mtime_ns, said) == (changes, written, [])


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_change_of_the_lake_the_next_open_completes_it(
    tmp_path: Path, migrated: dict[str, Any], *, after: bool
) -> None:
    for change in range(1, 20):
        home, ledger = old_home(tmp_path / f"home{change}"), Ledger(BEFORE)
        ledger.dies_at, ledger.after = change, after
        try:
            opened(home, ledger)
        except KilledError:
            kept = [body for path, body in ledger.objects.items() if path.startswith(f"rides/{DROP}/")]
            assert {json.loads(body)["at"] for body in kept} == {AT, "20261102T000000.000000Z"}, (
                "no record is ever away"
            )
            assert json.loads(home.format_file.read_text()) == {"format": 3, "from": 1}, (
                "an earlier release refuses it from then on"
            )
            opened(home, ledger)
        assert state(home, ledger) == migrated
        if ledger.changes < change:
            assert change > 5, "two markers, a record twice, and the format"
            return
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("method", ["write_bytes", "replace", "unlink"])
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_change_of_the_spool_the_next_open_completes_it(
    tmp_path: Path, migrated: dict[str, Any], method: str, *, after: bool
) -> None:
    home, ledger, real = old_home(tmp_path / "home"), Ledger(BEFORE), getattr(Path, method)

    def dies(path: Path, *given: Any, **named: Any) -> Any:
        if path.parent != home.spool / "other":
            return real(path, *given, **named)
        if after:
            real(path, *given, **named)
        raise KilledError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Path, method, dies)
        with pytest.raises(KilledError):
            opened(home, ledger)
    opened(home, ledger)
    assert state(home, ledger) == migrated


def test_killed_before_it_says_so_the_next_open_says_it(tmp_path: Path, migrated: dict[str, Any]) -> None:
    home, ledger = old_home(tmp_path / "home"), Ledger(BEFORE)
    written = Home.write_format

    def dies(self: Home, *, migrating: int | None = None) -> None:
        if migrating is None:
            raise KilledError
        written(self, migrating=migrating)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Home, "write_format", dies)
        with pytest.raises(KilledError):
            opened(home, ledger)
    opened(home, ledger)
    assert state(home, ledger) == migrated


def test_several_that_open_it_at_once_all_get_it_and_one_migrates(
    tmp_path: Path, migrated: dict[str, Any]
) -> None:
    home, ledger, said = old_home(tmp_path / "home"), Ledger(BEFORE), list[str]()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: opened(home, ledger, said), range(4)))
    assert len(said) == 1
    assert state(home, ledger) == migrated


def test_shared_repository_that_another_home_migrated_is_looked_through_again(
    tmp_path: Path, migrated: dict[str, Any]
) -> None:
    first, second, ledger = old_home(tmp_path / "first"), old_home(tmp_path / "second"), Ledger(BEFORE)
    opened(first, ledger)
    assert state(second, ledger)["format"] == {"format": 1}
    late = record(
        "discarded", at="20261103T000000.000000Z"
    )  # by the second, whose release is the one before still
    ledger.objects[late[0]] = late[1]
    opened(second, ledger)
    path, content = renamed(late)
    assert state(second, ledger) == {**migrated, "ledger": {**migrated["ledger"], path: content}}


def test_each_tenant_of_a_migrated_home_is_migrated_when_it_is_opened(tmp_path: Path) -> None:
    home, one, two = old_home(tmp_path), Ledger({}), Ledger(BEFORE)
    opened(home, one)
    opened(home, two)
    assert renamed(DISCARDED)[0] in two.objects
    assert DISCARDED[0] not in two.objects
    assert one.objects == {LEDGER_FORMAT: b'{"format": 3}'}


def test_record_whose_block_is_lost_keeps_nobody_from_opening_the_lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, ledger = old_home(tmp_path), Ledger(BEFORE)

    def lost(_: str, path: str) -> bytes | None:
        if path == DISCARDED[0]:
            raise IntegrityError("its block is lost", fix="restore it")
        return ledger.objects.get(path)

    monkeypatch.setattr(ledger, "get", lost)
    opened(home, ledger)
    assert DISCARDED[0] in ledger.objects
    assert json.loads(home.format_file.read_text()) == {"format": 3}


@pytest.mark.parametrize("kind", ["home", "ledger"])
def test_a_later_format_is_refused_by_name_and_left_alone(tmp_path: Path, kind: str) -> None:
    home, ledger = old_home(tmp_path), Ledger(BEFORE)
    if kind == "home":
        home.format_file.write_text('{"format": 4}')
    else:
        ledger.objects[LEDGER_FORMAT] = b'{"format": 4}'
    before = (home.format_file.read_text(), dict(ledger.objects))
    with pytest.raises(IntegrityError, match=f"{kind} format 4, this release reads up to 3") as refused:
        opened(home, ledger)
    assert "a later one" in refused.value.fix
    assert (home.format_file.read_text(), ledger.objects) == before
