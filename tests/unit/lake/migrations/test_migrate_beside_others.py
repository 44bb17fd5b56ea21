"""Homes and tenants that share a repository are migrated once each; a later format is refused."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lake.paths import LEDGER_FORMAT
from lakegate.errors import IntegrityError
from tests.support.server.old_home import BEFORE, DISCARDED, Ledger, old_home, opened, record, renamed, state


def test_openers_at_once_all_get_the_home_and_one_migrates(tmp_path: Path, migrated: dict[str, Any]) -> None:
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


def test_tenants_of_a_migrated_home_are_migrated_when_they_are_opened(tmp_path: Path) -> None:
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
def test_later_format_is_refused_by_name_and_left_alone(tmp_path: Path, kind: str) -> None:
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
