"""A session that stays open while its lakeFS is stopped and started again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from assets.resource import LakegateResource
from lake.server.lifecycle import ensure_server, stop_server
from lake.server.state_files import last_port
from lake.session import Session, open_session
from lake.tables.data_files import table_files
from lakegate.errors import LakegateError, Transient
from lakegate.settings import Settings
from tests.support.places import ROOT

pytestmark = pytest.mark.server

DIGEST = hashlib.sha256(b"bytes").hexdigest()
ENGINE = """
import sys
from lake.tables.data_files import table_files
from lake.server.lifecycle import ensure_server, stop_server
from lake.session import open_session
from lake.tables.writer import write_table
from lakegate.settings import Settings

session = open_session(Settings.load(home=sys.argv[1]))

def write(branch, rows):
    session.repository.branch(branch, "main")
    frame = session.engine.spark.range(rows)
    write_table(session, frame, ref=branch, path="tables/t", mode="overwrite", statistics=["id"])

write("before", 3)
stop_server(session.settings.home)
print(ensure_server(session.settings, say=lambda _: None) == session.endpoint)
write("after", 5)
for branch in ("before", "after"):
    print(sum(file.rows for file in table_files(session, branch, "tables/t", known=[])))
"""


@pytest.fixture
def session(settings: Settings) -> Session:
    return open_session(settings, say=print)


@pytest.fixture
def squatter() -> Iterator[socket.socket]:
    """Someone who takes the port of a server that was stopped, and refuses whoever calls there."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        yield taken
        with contextlib.suppress(OSError):
            taken.shutdown(socket.SHUT_RDWR)


def hang_up(squatter: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            squatter.accept()[0].close()


def port_of(session: Session) -> int:
    return int(session.endpoint.url.rpartition(":")[2])


def started_elsewhere(session: Session, squatter: socket.socket) -> str:
    """Stop the session's lakeFS and have it started again while its port is taken; where it is now."""
    before = port_of(session)
    stop_server(session.settings.home)
    squatter.bind(("127.0.0.1", before))
    squatter.listen()
    Thread(target=hang_up, args=[squatter], daemon=True).start()
    command = [sys.executable, "-m", "cli.main", "up", "--home", str(session.settings.home.root)]
    subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True
    )
    return f"http://127.0.0.1:{last_port(session.settings.home)}"


def write_rows(session: Session, branch: str, rows: int) -> None:
    session.repository.branch(branch, "main")
    keys = {
        "AWS_ACCESS_KEY_ID": session.endpoint.key_id,
        "AWS_SECRET_ACCESS_KEY": session.endpoint.secret,
        "AWS_REGION": "us-east-1",
    }
    options = {
        **keys,
        "AWS_ENDPOINT_URL": session.endpoint.url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_S3_ALLOW_UNSAFE_RENAME": "true",
    }
    table = pa.table({"id": range(rows)})
    write_deltalake(f"s3://{session.repository.name}/{branch}/tables/t", table, storage_options=options)


def rows_in(session: Session, branch: str) -> int:
    return sum(file.rows for file in table_files(session, branch, "tables/t", known=[]))


def test_engine_goes_on_with_a_server_that_was_stopped_and_came_back_on_its_port(
    settings: Settings,
) -> None:
    command = [
        sys.executable,
        "-c",
        ENGINE,
        str(settings.home.root),
    ]  # a process of its own: it binds object-store keys
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "3", "5"]


def test_session_finds_its_lakefs_at_another_port(
    session: Session, squatter: socket.socket, tmp_path: Path
) -> None:
    repository, before = session.repository, session.endpoint
    (tmp_path / "file").write_bytes(b"bytes")
    repository.branch("work", "main")
    repository.upload("work", "one", tmp_path / "file", etag=DIGEST)
    main = repository.commit_of("main")
    url = started_elsewhere(session, squatter)
    assert url != before.url
    assert repository.commit_of("main") == main
    repository.upload("work", "two", tmp_path / "file", etag=DIGEST)
    assert repository.sha256("work", "one") == repository.sha256("work", "two")
    assert session.endpoint.url == repository.endpoint.url == url


def test_delta_log_is_found_at_another_port(session: Session, squatter: socket.socket) -> None:
    write_rows(session, "work", 3)
    started_elsewhere(session, squatter)
    began = time.monotonic()
    assert rows_in(session, "work") == 3
    assert time.monotonic() - began < 120


def test_session_starts_the_lakefs_that_nobody_started_again(session: Session) -> None:
    main, endpoint = session.repository.commit_of("main"), session.endpoint
    stop_server(session.settings.home)
    assert session.repository.commit_of("main") == main
    assert session.endpoint == endpoint


def test_lake_of_a_dagster_process_is_opened_anew_where_lakefs_moved(
    settings: Settings, squatter: socket.socket
) -> None:
    lake = LakegateResource(settings)
    session = lake.session
    url = started_elsewhere(session, squatter)
    main = session.repository.commit_of("main")
    assert lake.session is not session
    assert lake.session is lake.session
    assert lake.session.endpoint.url == lake.session.engine.endpoint.url == url
    assert lake.session.repository.commit_of("main") == main


def test_dagster_process_opens_its_lake_anew_after_what_another_try_may_change(
    settings: Settings, session: Session
) -> None:
    lake = LakegateResource(settings)
    first = lake.session
    lake.fail(LakegateError("no"))
    assert lake.session is first
    lake.fail(Transient("away"))
    assert lake.session is not first
    given = LakegateResource(settings, session=session)
    given.fail(Transient("away"))
    assert given.session is session


def test_copy_of_a_home_does_not_take_the_originals_port(session: Session, tmp_path: Path) -> None:
    stop_server(session.settings.home)
    copied = session.settings.with_home(tmp_path / "copy")
    shutil.copytree(session.settings.home.root, copied.home.root)
    try:
        assert ensure_server(copied, say=print).url != session.endpoint.url
    finally:
        stop_server(copied.home)


def test_ingest_behind_a_proxy_that_is_away_does_not_hang(settings: Settings) -> None:
    from lake.pipeline.demo_data import deliver_sample

    folder = settings.home.root.parent / "sample"
    airlines = next(path for dataset, path in deliver_sample(folder) if dataset == "airlines")
    for proxy in (
        {},
        dict.fromkeys(
            ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:9"
        ),
    ):
        home = replace(
            settings, home=settings.with_home(settings.home.root.parent / f"proxy{len(proxy)}").home
        )
        command = [
            sys.executable,
            "-m",
            "cli.main",
            "ingest",
            "airlines",
            str(airlines),
            "--home",
            str(home.home.root),
        ]
        environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env={**environment, **proxy, "PYTHONPATH": str(ROOT)},
                timeout=240,
                check=False,
                capture_output=True,
            )
        finally:
            stop_server(home.home)
        assert done.returncode == 0, done.stderr.decode()
