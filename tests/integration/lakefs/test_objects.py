"""Files go into the lake and come out of it, through the gateway and past it."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from lake.lakefs import repository
from lake.server.lifecycle import ensure_server, stop_server
from lake.session import Session, open_session
from lakegate.errors import IntegrityError, LakegateError
from lakegate.settings import Settings

pytestmark = pytest.mark.server

CONTENT = bytes(range(256)) * 40_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def session(lakefs_home: Settings) -> Session:
    return open_session(lakefs_home, say=print)


@pytest.fixture
def branch(session: Session, request: pytest.FixtureRequest) -> str:
    name = "work-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    session.repository.branch(name, "main")
    return name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(params=["linked", "copied", "sent"])
def way(request: pytest.FixtureRequest, session: Session, monkeypatch: pytest.MonkeyPatch) -> str:
    """How files go in: onto the blockstore's disk, from another disk, or through the gateway."""

    def no_links(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    if request.param == "sent":
        session.repository.blocks = None
    if request.param == "copied":
        monkeypatch.setattr(os, "link", no_links)
    return str(request.param)


def test_file_comes_out_as_it_went_in_whichever_way_it_took(
    session: Session, branch: str, file: Path, way: str
) -> None:
    repository, path = session.repository, f"files/{way}, with a comma"
    repository.upload(branch, path, file, etag=DIGEST)
    file.unlink()
    assert repository.get(branch, path) == CONTENT
    assert repository.download(branch, path, file) == repository.sha256(branch, path) == DIGEST
    (listed,) = repository.listing(branch, path)
    assert listed.size_bytes == len(CONTENT)
    block = session.settings.home.blocks / repository.physical(listed.physical_address)
    assert block.read_bytes() == CONTENT
    assert stat.S_IMODE(block.stat().st_mode) == 0o600


def test_hash_is_of_the_bytes_that_lie_there(session: Session, branch: str, file: Path) -> None:
    session.repository.upload(branch, "soiled", file, etag=DIGEST)
    (listed,) = session.repository.listing(branch, "soiled")
    block = session.repository.local(session.repository.physical(listed.physical_address))
    assert block is not None
    block.write_bytes(CONTENT[:-1])
    assert session.repository.sha256(branch, "soiled") == hashlib.sha256(CONTENT[:-1]).hexdigest()


def test_files_laid_into_the_store_move_with_its_home(settings: Settings, file: Path, tmp_path: Path) -> None:
    repository = open_session(settings, say=print).repository
    repository.branch("work", "main")
    repository.upload("work", "files/one", file, etag=DIGEST)
    repository.commit("work", "one file", {})
    stop_server(settings.home)
    moved = settings.with_home(tmp_path / "moved")
    settings.home.root.rename(moved.home.root)
    try:
        there = open_session(moved, say=print).repository
        assert there.get("work", "files/one") == CONTENT
        assert there.sha256("work", "files/one") == DIGEST
    finally:
        stop_server(moved.home)


def test_store_that_cant_be_written_is_told_as_such(
    session: Session, branch: str, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "blocks").write_text("no folder")
    repository = session.repository
    repository.blocks = tmp_path / "blocks"
    with pytest.raises(LakegateError, match="blockstore can't be written") as caught:
        repository.upload(branch, "files/none", file, etag=DIGEST)
    assert str(tmp_path / "blocks") in str(caught.value.where)
    assert repository.get(branch, "files/none") is None


def test_external_lakefs_keeps_its_blocks_to_itself(lakefs_home: Settings, file: Path) -> None:
    external = replace(lakefs_home, lakefs=ensure_server(lakefs_home, say=print))
    repository = open_session(external, say=print).repository
    assert repository.blocks is None
    repository.branch("external", "main")
    repository.upload("external", "files/one", file, etag=DIGEST)
    assert repository.sha256("external", "files/one") == DIGEST


@pytest.mark.parametrize("number", range(5))
def test_several_that_ready_a_fresh_lake_at_once_all_do(lakefs_home: Settings, number: int) -> None:
    settings, together = replace(lakefs_home, tenant=f"fresh{number}"), threading.Barrier(4)
    shared = open_session(settings, say=print, ready=False)
    sessions = [shared, shared, *(open_session(settings, say=print, ready=False) for _ in range(2))]

    def ready(session: Session) -> str:
        together.wait()
        return session.repository.commit_of("main")

    with ThreadPoolExecutor(len(sessions)) as pool:
        assert len(set(pool.map(ready, sessions))) == 1
    assert shared.repository.branches("ledger") == ["ledger"]


@pytest.mark.parametrize("holds", [False, True])
def test_repository_whose_maker_died_is_made_and_one_that_holds_data_is_not(
    lakefs_home: Settings,
    holds: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repository, "MADE_ELSEWHERE", 0.1)
    settings = replace(lakefs_home, tenant=f"abandoned{holds}".lower())
    namespace = settings.home.blocks / settings.repository
    (namespace / "_lakefs").mkdir(parents=True)
    (namespace / "_lakefs" / "dummy").write_text("this is dummy data")
    if holds:
        (namespace / "data").write_text("somebody's")
        with pytest.raises(IntegrityError, match="already in use"):
            open_session(settings, say=print)
        assert (namespace / "data").exists()
    else:
        assert open_session(settings, say=print).repository.branches("main") == ["main"]
