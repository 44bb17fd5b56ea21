"""Where a version's bytes are fetched from, deliveries opened as bytes, and the proof of every file."""

import io
import json
import pickle
import socket
import threading
import time
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lakegate.errors import IntegrityError, LakegateError, Transient, UsageError
from lakegate.home import Endpoint
from lakegate.manifest import DataFile
from lakegate.names import VersionName
from lakegate.settings import Settings
from lakegate.store import BlockStore, FileGone, GatewayStore, choose_store
from lakegate.verify import verify_files
from tests.unit.snapshot_lake import damage, rows

pytestmark = pytest.mark.usefixtures("no_settings")


def test_a_raw_version_opens_as_the_delivered_bytes(lake):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("flights.csv", "dest\nBQN\n")
    raw = packed.getvalue()
    lake.publish([lake.put("flights.zip", raw, 1)], table="flights_raw", hop="raw")
    snapshot = lake.open("flights_raw@v1")
    with snapshot.open() as stream:
        assert stream.read() == raw
    with snapshot.open() as stream, zipfile.ZipFile(stream) as archive:
        assert archive.read("flights.csv") == b"dest\nBQN\n"
    for read in (snapshot.arrow, snapshot.batches, snapshot.polars, snapshot.pandas):
        with pytest.raises(UsageError, match=r"\.open\(\)"):
            read()


def test_a_damaged_delivery_is_not_opened(lake):
    file = lake.put("flights.csv", b"dest\nBQN\n", 1)
    lake.publish([file], table="flights_raw", hop="raw")
    damage(lake.block(file), at=0)
    with pytest.raises(IntegrityError, match="SHA-256"):
        lake.open("flights_raw@v1").open()


def test_a_table_does_not_open_as_bytes(lake):
    lake.publish([lake.table("a.parquet", rows(0, 1))])
    with pytest.raises(UsageError, match=r"\.arrow\(\)"):
        lake.open().open()


def test_verify_finds_nothing_in_a_sound_version(lake):
    manifest = lake.publish([lake.table("a.parquet", rows(0, 5))], quarantine=[lake.table("q.parquet", rows(5, 1))])
    assert verify_files(manifest, BlockStore(lake.home.blocks, manifest.name)) == []


def test_verify_names_every_gap_of_files_and_quarantine(lake):
    names = ("gone", "cut", "bad", "twice", "q")
    files = {name: lake.table(f"{name}.parquet", rows(0, 5)) for name in names}
    outside = DataFile("flights/outside.parquet", "../outside", 1, "0", 1)
    kept = [files["gone"], files["cut"], files["bad"], files["twice"], files["twice"], outside]
    manifest = lake.publish(kept, quarantine=[files["q"]])
    lake.block(files["gone"]).unlink()
    lake.block(files["cut"]).write_bytes(b"PAR1")
    damage(lake.block(files["bad"]))
    damage(lake.block(files["q"]))
    gaps = verify_files(manifest, BlockStore(lake.home.blocks, manifest.name))
    assert sorted((gap.path.removeprefix("flights/").removesuffix(".parquet"), gap.problem) for gap in gaps) == [
        ("bad", "sha256"),
        ("cut", "size"),
        ("gone", "missing"),
        ("outside", "unexpected"),
        ("q", "sha256"),
        ("twice", "unexpected"),
    ]
    by_path = {gap.path: gap for gap in gaps}
    assert (by_path["flights/cut.parquet"].expected, by_path["flights/cut.parquet"].found) == (str(files["cut"].size), "4")
    assert {gap.version for gap in gaps} == {"flights@v1"}


class Stranger(BaseHTTPRequestHandler):
    """Answers the health check like a lakeFS, and knows nothing else: another home's server on a port once ours."""

    def do_GET(self):
        self.send_response(204 if self.path == "/api/v1/healthcheck" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self):
        self.send_response(403)
        self.end_headers()

    def log_message(self, *args):
        pass


def record_server(home, port):
    home.keys_file.write_text(json.dumps({"format": 1, "key_id": "k", "secret": "s", "encrypt_secret": "e"}))
    home.server_file.write_text(json.dumps({"format": 1, "pid": 1, "started": 0.0, "port": port}))


def test_a_dead_server_on_record_means_the_blockstore(lake):
    lake.publish([lake.table("a.parquet", rows(0, 5))])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        record_server(lake.home, free.getsockname()[1])
    assert isinstance(lake.open().store, BlockStore)


def test_a_hung_server_on_record_costs_little_more_than_a_second(lake):
    lake.publish([lake.table("a.parquet", rows(0, 5))])
    with socket.create_server(("127.0.0.1", 0)) as hung:
        record_server(lake.home, hung.getsockname()[1])
        start = time.monotonic()
        assert lake.open().arrow().num_rows == 5
        assert time.monotonic() - start < 4


def test_a_stranger_on_the_recorded_port_means_the_blockstore(lake):
    manifest = lake.publish([lake.table("a.parquet", rows(0, 5))])
    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        record_server(lake.home, server.server_port)
        assert lake.open().arrow().num_rows == 5
        stranger = GatewayStore(Endpoint(f"http://127.0.0.1:{server.server_port}", "k", "s"), "lakegate-default", manifest.name)
        with pytest.raises(LakegateError, match="refuses these keys"):
            stranger.open(manifest.files[0])
        server.shutdown()


def test_an_external_lakefs_is_taken_where_one_is_set(lake):
    manifest = lake.publish([])
    settings = replace(Settings.load(home=lake.home.root), lakefs=Endpoint("https://lakefs.example.org", "k", "hush"))
    store = choose_store(settings, manifest)
    assert isinstance(store, GatewayStore)
    assert "hush" not in repr(store)
    assert pickle.loads(pickle.dumps(store)) == store


def test_a_lakefs_that_does_not_answer_is_transient_and_comes_to_an_end():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    file, start = DataFile("flights/a.parquet", "x", 1, "0", 1), time.monotonic()
    with pytest.raises(Transient, match=r"flights@v1, flights/a\.parquet"):
        GatewayStore(Endpoint(url, "k", "s"), "lakegate-default", VersionName("flights", 1)).open(file)
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
        (OSError("Couldn't deserialize thrift"), IntegrityError),
    ],
)
def test_what_a_gateway_answers_tells_lost_from_refused_from_busy(error, kind):
    store = GatewayStore(Endpoint("http://127.0.0.1:1", "k", "s"), "lakegate-default", VersionName("flights", 1))
    assert type(store.fault(DataFile("flights/a.parquet", "x", 1, "0", 1), error)) is kind
