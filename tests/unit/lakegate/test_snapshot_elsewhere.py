"""A snapshot of a lakeFS elsewhere: what it asks, what it shows, and how its failures are told apart."""

import base64
import json
import pickle
import socket
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
from pyarrow.fs import FileSystem

from lakegate.errors import IntegrityError, LakegateError, Transient
from lakegate.files.store import FileGone, GatewayStore, choose_store
from lakegate.home import Endpoint
from lakegate.manifest import DataFile, sha256
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.reader.snapshot_lake import rows

pytestmark = pytest.mark.usefixtures("no_settings")


class Elsewhere(BaseHTTPRequestHandler):
    """The commits of a lakeFS elsewhere: their metadata by tag, for whoever has the keys."""

    commits: ClassVar[dict] = {}

    def do_GET(self):
        tag = self.path.rsplit("/", 1)[-1]
        known = self.headers["Authorization"] == "Basic " + base64.b64encode(b"k:hush").decode()
        body = json.dumps({"id": "c0ffee", "metadata": self.commits.get(tag)}).encode()
        self.send_response(401 if not known else 200 if tag in self.commits else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def elsewhere(monkeypatch):
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        for key, value in {"URL": url, "KEY_ID": "k", "SECRET": "hush", "NAMESPACE": "s3://bucket"}.items():
            monkeypatch.setenv(f"LAKEGATE_LAKEFS_{key}", value)
        yield url
        server.shutdown()


def test_lakefs_elsewhere_has_to_name_the_version_and_its_manifest(lake, elsewhere, monkeypatch):
    manifest = lake.publish([])
    right = {"lakegate_version": "flights@v1", "lakegate_manifest_sha256": sha256(manifest.to_bytes())}
    Elsewhere.commits = {"flights.v1": right}
    assert lake.open().arrow().num_rows == 0
    for wrong in ({"lakegate_version": "flights@v2"}, {"lakegate_manifest_sha256": "f" * 64}):
        Elsewhere.commits = {"flights.v1": right | wrong}
        with pytest.raises(
            IntegrityError, match=rf"flights@v1, tag flights\.v1 .* its commit says {next(iter(wrong))}"
        ):
            lake.open()
    for missing in (None, {}):
        Elsewhere.commits = {"flights.v1": missing}
        with pytest.raises(IntegrityError, match="lakegate_version nothing"):
            lake.open()
    Elsewhere.commits = {}
    with pytest.raises(IntegrityError, match="no such tag"):
        lake.open()
    monkeypatch.setenv("LAKEGATE_LAKEFS_SECRET", "wrong")
    with pytest.raises(LakegateError, match="refuses these keys") as refused:
        lake.open()
    assert "wrong" not in str(refused.value)
    monkeypatch.setenv("LAKEGATE_LAKEFS_URL", "http://127.0.0.1:1")
    with pytest.raises(Transient, match="does not answer"):
        lake.open()


def reached_from(thing, seen=None, depth=6):
    """Everything that public attributes, a pickle or a repr of a thing show."""
    seen = {} if seen is None else seen
    if depth and id(thing) not in seen and not isinstance(thing, str | int | type(None)):
        seen[id(thing)] = thing
        names = [
            name
            for name in dir(thing)
            if not name.startswith("_") and not isinstance(getattr(type(thing), name, None), property)
        ]
        for name in names:
            reached_from(getattr(thing, name, None), seen, depth - 1)
    return seen.values()


def test_snapshot_shows_no_key_and_nothing_that_writes(lake, elsewhere):
    manifest = lake.publish([lake.table("a.parquet", rows(0, 5))])
    Elsewhere.commits = {
        "flights.v1": {
            "lakegate_version": "flights@v1",
            "lakegate_manifest_sha256": sha256(manifest.to_bytes()),
        }
    }
    snapshot = lake.open()
    assert not [thing for thing in reached_from(snapshot) if isinstance(thing, FileSystem | Endpoint)]
    store = choose_store(Settings.load(home=lake.home.root), manifest)
    assert not [thing for thing in reached_from(store) if isinstance(thing, FileSystem | Endpoint)]
    for thing in (snapshot, store, snapshot._prover, snapshot._prover.store):
        assert "hush" not in repr(thing)
    pickled = pickle.dumps(snapshot)
    assert b"hush" not in pickled
    assert len(pickled) < 500 + len(str(lake.home.root))
    assert pickle.loads(pickled).manifest == manifest
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(store)


def test_pickled_snapshot_is_the_same_version_where_it_is_opened(lake):
    lake.publish([lake.table("a.parquet", rows(0, 5))])
    pickled = pickle.dumps(lake.open())
    assert pickle.loads(pickled).arrow().num_rows == 5
    lake.publish([lake.table("b.parquet", rows(0, 6))])  # as no version ever changes
    with pytest.raises(IntegrityError, match="another manifest"):
        pickle.loads(pickled)


def test_external_lakefs_is_taken_where_one_is_set(lake):
    manifest = lake.publish([])
    settings = replace(
        Settings.load(home=lake.home.root), lakefs=Endpoint("https://lakefs.example.org", "k", "hush")
    )
    store = choose_store(settings, manifest)
    assert isinstance(store, GatewayStore)


def test_lakefs_that_does_not_answer_is_transient_and_comes_to_an_end():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    file, start = DataFile("flights/a.parquet", "x", 1, "0", 1), time.monotonic()
    with pytest.raises(Transient, match=r"flights@v1, flights/a\.parquet"):
        GatewayStore(Endpoint(url, "k", "s"), "lakegate-default", VersionName("flights", 1)).open_unproved(
            file
        )
    assert time.monotonic() - start < 15


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FileNotFoundError("Path does not exist"), FileGone),
        (OSError("AWS Error UNKNOWN (HTTP status 404) during GetObject operation"), FileGone),
        (OSError("AWS Error UNKNOWN (HTTP status 410) during GetObject operation"), FileGone),
        (OSError("AWS Error ACCESS_DENIED during HeadObject operation"), LakegateError),
        (OSError("AWS Error UNKNOWN (HTTP status 400) during HeadObject operation"), LakegateError),
        (OSError("AWS Error UNKNOWN (HTTP status 503) during GetObject operation"), Transient),
        (OSError("AWS Error NETWORK_CONNECTION during HeadObject operation: curlCode: 7"), Transient),
        (OSError("Couldn't say what"), LakegateError),
    ],
)
def test_gateways_errors_tell_lost_from_refused_from_busy(error, kind):
    store = GatewayStore(
        Endpoint("http://127.0.0.1:1", "k", "s"), "lakegate-default", VersionName("flights", 1)
    )
    assert type(store.fault(DataFile("flights/a.parquet", "x", 1, "0", 1), error)) is kind
