"""Where a version's bytes are fetched from, deliveries opened as bytes, and the proof of every file."""

import ast
import io
import json
import socket
import subprocess
import sys
import zipfile

import pytest

from lakegate import open_snapshot
from lakegate.errors import IntegrityError, UsageError
from lakegate.files.store import BlockStore
from lakegate.files.verify import verify_files
from lakegate.manifest import DataFile
from tests.support.reader.snapshot_lake import damage, rows

pytestmark = pytest.mark.usefixtures("no_settings")


def test_raw_version_opens_as_the_delivered_bytes(lake):
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


def test_damaged_delivery_is_not_opened(lake):
    file = lake.put("flights.csv", b"dest\nBQN\n", 1)
    lake.publish([file], table="flights_raw", hop="raw")
    damage(lake.block(file), at=0)
    with pytest.raises(IntegrityError, match="SHA-256"):
        lake.open("flights_raw@v1").open()


def test_table_does_not_open_as_bytes(lake):
    lake.publish([lake.table("a.parquet", rows(0, 1))])
    with pytest.raises(UsageError, match=r"\.arrow\(\)"):
        lake.open().open()


def test_verify_finds_nothing_in_a_sound_version(lake):
    manifest = lake.publish(
        [lake.table("a.parquet", rows(0, 5))], quarantine=[lake.table("q.parquet", rows(5, 1))]
    )
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
    assert sorted(
        (gap.path.removeprefix("flights/").removesuffix(".parquet"), gap.problem) for gap in gaps
    ) == [
        ("bad", "sha256"),
        ("cut", "size"),
        ("gone", "missing"),
        ("outside", "unexpected"),
        ("q", "sha256"),
        ("twice", "unexpected"),
    ]
    by_path = {gap.path: gap for gap in gaps}
    assert (by_path["flights/cut.parquet"].expected, by_path["flights/cut.parquet"].found) == (
        str(files["cut"].size),
        "4",
    )
    assert {gap.version for gap in gaps} == {"flights@v1"}


CLOSED_BOOK = """
import sys, lakegate
from pathlib import Path

touched = []
def hear(event, args):
    if event in ("open", "socket.connect"):
        touched.append((event, str(args[:2])))
sys.addaudithook(hear)
home, names = Path(sys.argv[1]), sys.argv[2:]
told = []
for name in names:
    try:
        snapshot = lakegate.open_snapshot(name, home=home)
        raw = name.startswith("flights_raw")
        told.append(snapshot.open().read().decode() if raw else snapshot.arrow().num_rows)
    except lakegate.errors.LakegateError as error:
        told.append(f"{type(error).__name__}: {error}".splitlines()[0])
assert not [item for item in touched if item[0] == "socket.connect"], touched
assert not [item for item in touched if "keys.json" in item[1] or "server.json" in item[1]], touched
print(told)
"""


def test_reader_on_the_lakes_machine_opens_no_key_and_asks_no_server(lake):
    """Whatever stands on record as the lake's server: one that is gone, one that hangs, somebody else's."""
    lake.publish([lake.table("a.parquet", rows(0, 5))])
    lake.publish([lake.table("b.parquet", rows(0, 6))], version=2)
    lake.publish([lake.table("c.parquet", rows(0, 7))], tenant="acme")
    lake.publish([lake.put("flights.csv", b"dest", 1)], table="flights_raw", hop="raw")
    ended = {"at": "2026-11-29T00:00:00+00:00", "by": "me", "why": "its contract keeps it no longer"}
    lake.home.expiry_copy("default", "flights", 2).write_text(json.dumps(ended))
    lake.home.keys_file.write_text(
        json.dumps({"format": 1, "key_id": "k", "secret": "s", "encrypt_secret": "e"})
    )
    names = ["flights@v1", "flights_raw@v1", "flights@v2", "flights@v3", "flights@latest"]
    with socket.create_server(("127.0.0.1", 0)) as hung:
        lake.home.server_file.write_text(
            json.dumps({"format": 1, "pid": 1, "started": 0.0, "port": hung.getsockname()[1]})
        )
        for _ in range(2):
            told = subprocess.run(
                [sys.executable, "-c", CLOSED_BOOK, lake.home.root, *names],
                capture_output=True,
                text=True,
                check=False,
            )
            assert told.returncode == 0, told.stderr
            five, raw, expired, unknown, latest = ast.literal_eval(told.stdout)
            assert (five, raw) == (5, "dest")
            assert expired.endswith("flights@v2 expired on 2026-11-29 (its contract keeps it no longer; me)")
            assert unknown == f"VersionNotFound: flights@v3 is not known in {lake.home.root} (tenant default)"
            assert latest == "UsageError: 'flights@latest' is not the name of a version"
            lake.home.keys_file.unlink(missing_ok=True)  # and once more without any
    assert open_snapshot("flights@v1", home=lake.home.root, tenant="acme").arrow().num_rows == 7


def test_namespace_of_ones_own_lies_below_the_blocks(lake, monkeypatch):
    file = lake.table("a.parquet", rows(0, 5))
    lake.publish([file])
    (lake.home.blocks / "elsewhere").mkdir()
    (lake.home.blocks / "lakegate").rename(lake.home.blocks / "elsewhere" / "lakegate")
    monkeypatch.setenv("LAKEGATE_LAKEFS_NAMESPACE", "local://elsewhere")
    assert lake.open().arrow().num_rows == 5
