"""A home of format 1 is brought to this release's, wherever that is cut off,
and nothing of its ledger is lost.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lake.paths import LEDGER_FORMAT
from lakegate.home import FORMAT, Home
from tests.support.server.old_home import (
    AT,
    BEFORE,
    DISCARDED,
    DROP,
    OTHER,
    SPOOLED,
    KilledError,
    Ledger,
    old_home,
    opened,
    record,
    renamed,
    state,
)


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
