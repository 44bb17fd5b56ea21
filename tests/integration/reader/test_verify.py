"""`verify` names damage: flipped bytes, missing blocks, and tags that moved or went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakegate import open_snapshot
from tests.support.deliveries.hashes import sha

pytestmark = pytest.mark.server


def verified(lake: Any, name: str, code: int) -> Any:
    done = lake.run("verify", name, "--json")
    assert done.code == code, done
    assert done.out, done
    assert done.one["ok"] is (code == 0)
    return done.one["gaps"]


def block(lake: Any, name: str) -> tuple[str, Path]:
    file = open_snapshot(name, home=lake.home).manifest.files[0]
    return file.path, lake.settings.home.blocks / file.physical


def test_verify_names_a_flipped_byte(lake: Any) -> None:
    path, stored = block(lake, "airports@v1")
    right = stored.read_bytes()
    assert verified(lake, "airports@v1", 0) == []
    try:
        stored.write_bytes(right[:100] + bytes([right[100] ^ 1]) + right[101:])
        (gap,) = verified(lake, "airports@v1", 1)
    finally:
        stored.write_bytes(right)
    assert (gap["path"], gap["problem"], gap["expected"]) == (path, "sha256", sha(right))
    assert verified(lake, "airports@v1", 0) == []


def test_verify_names_a_flipped_byte_in_what_was_set_aside_and_in_a_delivery(lake: Any) -> None:
    aside = open_snapshot("flights@v1", home=lake.home).manifest.quarantine[0]
    (delivery,) = open_snapshot("flights_raw@v1", home=lake.home).manifest.files
    for name, file in (("flights@v1", aside), ("flights_raw@v1", delivery)):
        stored = lake.settings.home.blocks / file.physical
        right = stored.read_bytes()
        try:
            stored.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
            assert [(gap["path"], gap["problem"]) for gap in verified(lake, name, 1)] == [
                (file.path, "sha256")
            ]
        finally:
            stored.write_bytes(right)


def test_verify_names_a_missing_block(lake: Any) -> None:
    path, stored = block(lake, "airports@v1")
    away = stored.with_name("away")
    stored.rename(away)
    try:
        (gap,) = verified(lake, "airports@v1", 1)
    finally:
        away.rename(stored)
    assert (gap["path"], gap["problem"]) == (path, "missing")
    assert lake.run("verify", "airports@v1").code == 0


def test_verify_names_a_moved_tag_and_a_missing_one(lake: Any) -> None:
    repository = lake.repository
    tags, right = repository._api.tags_api, repository.commit_of("airports.v1")
    wrong = repository.commit_of("airlines.v1")
    tags.delete_tag(repository.name, "airports.v1")
    try:
        (gap,) = verified(lake, "airports@v1", 1)
        assert (gap["path"], gap["problem"]) == ("tag airports.v1", "missing")
        repository.tag("airports.v1", wrong)
        gaps = {gap["path"]: gap for gap in verified(lake, "airports@v1", 1)}
        assert gaps["tag airports.v1"]["problem"] == "unexpected"
        assert gaps["tag airports.v1"]["found"] == "airlines@v1"
        assert "branch keep-airports-v1" in gaps
        tags.delete_tag(repository.name, "airports.v1")
    finally:
        repository.tag("airports.v1", right)
    assert verified(lake, "airports@v1", 0) == []
