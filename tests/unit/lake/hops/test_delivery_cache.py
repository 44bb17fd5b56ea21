"""Drops at hand: what is parsed ahead is what is parsed later, and goes with its drop."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.contract import FileFormat
from lake.hops import delivery_cache as module
from lake.hops.delivery_cache import DeliveryCache
from lakegate.errors import DataRejected
from lakegate.settings import Settings

TEXT = b"a,b\n1,x\n2,y\n"


@pytest.fixture
def drops(tmp_path: Path) -> Iterator[DeliveryCache]:
    settings = Settings.load(home=tmp_path / "home", project=tmp_path)
    settings.home.prepare()
    found = DeliveryCache(settings)
    with found.caching():
        yield found


def given(drops: DeliveryCache, folder: Path, text: bytes) -> str:
    """A drop at hand with this content; its digest."""
    copied = folder / "copied"
    copied.write_bytes(text)
    digest = hashlib.sha256(text).hexdigest()
    kept = drops.keep(digest, copied, "a.csv")
    assert kept.read_bytes() == text
    return digest


def test_drop_that_was_parsed_ahead_is_not_parsed_again(
    drops: DeliveryCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse, asked = module.parse_file, []

    def counted(path: Path, *rest: object, **more: object) -> object:
        asked.append(path)
        return parse(path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "parse_file", counted)
    digest = given(drops, tmp_path, TEXT)
    drops.parse_ahead(digest, FileFormat())
    first, again = drops.parsed(digest, FileFormat()), drops.parsed(digest, FileFormat())
    assert (first.columns, first.readable) == (("a", "b"), 2)
    assert again is first
    assert len(asked) == 1


def test_drops_are_parsed_one_ahead_and_others_when_their_turn_comes(
    drops: DeliveryCache, tmp_path: Path
) -> None:
    digests = [given(drops, tmp_path, TEXT + bytes([48 + number]) + b",z\n") for number in range(3)]
    for digest in digests:
        drops.parse_ahead(digest, FileFormat())
    assert [digest for digest, held in drops._deliveries.items() if held.parsed] == digests[:1]
    parsed = [drops.parsed(digest, FileFormat()) for digest in digests]
    assert [item.readable for item in parsed] == [3, 3, 3]
    assert len({item.staging for item in parsed}) == 3


def test_failure_ahead_is_told_to_whoever_asks(drops: DeliveryCache, tmp_path: Path) -> None:
    digest = given(drops, tmp_path, b"\x00\x01\x02\xff" * 100)
    drops.parse_ahead(digest, FileFormat())
    for _ in range(2):
        with pytest.raises(DataRejected):
            drops.parsed(digest, FileFormat())


def test_drop_that_is_given_up_while_it_is_parsed_leaves_nothing(
    drops: DeliveryCache, tmp_path: Path
) -> None:
    digest = given(drops, tmp_path, b"a,b\n" + b"1,x\n" * 200_000)
    folder = drops.delivered(digest)
    assert folder is not None
    drops.parse_ahead(digest, FileFormat())
    drops.release(digest)
    assert not folder.parent.parent.exists()
    assert drops.delivered(digest) is None


def test_outside_of_caching_nothing_is_kept(tmp_path: Path) -> None:
    drops, copied = (
        DeliveryCache(Settings.load(home=tmp_path / "home", project=tmp_path)),
        tmp_path / "copied",
    )
    copied.write_bytes(TEXT)
    assert drops.keep("d" * 64, copied, "a.csv") == copied
    assert drops.delivered("d" * 64) is None
    drops.parse_ahead("d" * 64, FileFormat())


def test_failure_in_passing_is_tried_again(
    drops: DeliveryCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse, full = module.parse_file, [OSError(errno.ENOSPC, "the disk is full")]

    def fails_once(*asked: object, **more: object) -> object:
        if full:
            raise full.pop()
        return parse(*asked, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "parse_file", fails_once)
    digest = given(drops, tmp_path, TEXT)
    drops.parse_ahead(digest, FileFormat())
    with pytest.raises(OSError, match="full"):
        drops.parsed(digest, FileFormat())
    assert drops.parsed(digest, FileFormat()).readable == 2


def test_many_drops_hold_few_files_open_and_the_newest_are_at_hand(
    drops: DeliveryCache, tmp_path: Path
) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    digests = [given(drops, tmp_path, TEXT + f"{number},z\n".encode()) for number in range(3 * module.MOST)]
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= module.MOST
    assert [digest for digest in digests if drops.delivered(digest) is not None] == digests[-module.MOST :]
    assert drops.parsed(digests[-module.MOST], FileFormat()).readable == 3


def test_to_keep_one_more_drop_looks_into_no_other_drops_folder(
    drops: DeliveryCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[str] = []
    honest = module._Delivery.measure

    def measure(kept: module._Delivery) -> None:
        measured.append(kept.folder.name)
        honest(kept)

    monkeypatch.setattr(module._Delivery, "measure", measure)
    for number in range(20):
        given(drops, tmp_path, TEXT + f"{number},z\n".encode())
    assert len(measured) == len(set(measured)) == 20


def test_drops_used_longest_ago_are_given_up_where_all_take_too_much_room(
    drops: DeliveryCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIMIT", 3 * len(TEXT + b"0,z\n"))
    digests = [given(drops, tmp_path, TEXT + f"{number},z\n".encode()) for number in range(6)]
    assert [digest for digest in digests if drops.delivered(digest) is not None] == digests[-3:]
