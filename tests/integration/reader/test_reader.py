"""What a publish notes of its files' bytes, and the reader makes of it: through the gateway, from blocks,
and without the lake's key.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lake.decisions.rollback import roll_back
from lake.maintenance.manifest_copies import rebuild_manifests
from lake.maintenance.retention import clean_up
from lake.maintenance.verify import audit, audit_all
from lake.pipeline.ingest import ingest
from lake.server.lifecycle import ensure_server
from lake.session import open_session
from lakegate import Snapshot, open_snapshot
from lakegate.errors import IntegrityError
from lakegate.files.ranges import SMALL
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.lakes.trips import CONTRACT, READ, Trips

pytestmark = pytest.mark.server

ROWS = 30_000
FLIPS = 25


@pytest.fixture(scope="module")
def trips(lakefs_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Trips:
    project = tmp_path_factory.mktemp("project")
    (project / "catalog" / "contracts").mkdir(parents=True)
    (project / "catalog" / "contracts" / "trips.odcs.yaml").write_text(CONTRACT)
    session = open_session(replace(lakefs_home, project=project), say=print)
    pick = random.Random(20261130)
    for number in range(2):
        lines = (
            f"{trip if trip % 10 else 'none'},{pick.random()},"
            f"{pick.choice(['Oslo', 'Bergen'])},{pick.getrandbits(64):x}\n"
            for trip in range(number * ROWS, (number + 1) * ROWS)
        )
        (project / f"{number}.csv").write_text("trip,fare,city,note\n" + "".join(lines))
        ingest(session, "trips", [project / f"{number}.csv"])
    roll_back(session, VersionName("trips", 1), reason="a test")
    endpoint = ensure_server(lakefs_home, say=print)
    keys = {
        "URL": endpoint.url,
        "KEY_ID": endpoint.key_id,
        "SECRET": endpoint.secret,
        "NAMESPACE": "local://",
    }
    return Trips(session, {f"LAKEGATE_LAKEFS_{key}": value for key, value in keys.items()})


@pytest.fixture(params=["blocks", "gateway"])
def way(request: pytest.FixtureRequest, trips: Trips, monkeypatch: pytest.MonkeyPatch) -> str:
    for key, value in trips.far.items() if request.param == "gateway" else ():
        monkeypatch.setenv(key, value)
    return str(request.param)


def test_version_names_proofs_of_the_large_files_it_has(trips: Trips) -> None:
    first, second, third = (trips.manifest(f"trips@v{number}") for number in (1, 2, 3))
    for manifest in (first, second, third):
        covered = sorted(path for item in manifest.proofs for path in item.covers)
        assert covered == sorted(
            item.path for item in [*manifest.files, *manifest.quarantine] if item.size > SMALL
        )
        assert covered
    assert [item.path for item in second.proofs] == [
        "_lakegate/proofs/trips/v1.json",
        "_lakegate/proofs/trips/v2.json",
    ]
    assert third.proofs == first.proofs
    raw = trips.manifest("trips_raw@v1")
    assert [item.covers for item in raw.proofs] == [[raw.files[0].path]]
    assert audit_all(trips.session) == {
        name: [] for name in ("trips@v1", "trips@v2", "trips@v3", "trips_raw@v1", "trips_raw@v2")
    }


def flipped(block: Path, pick: random.Random) -> Iterator[int]:
    """Bits of a block, each another while it is looked at."""
    sound = block.read_bytes()
    for _ in range(FLIPS):
        bit = pick.randrange(8 * len(sound))
        try:
            with block.open("r+b") as file:
                file.seek(bit // 8)
                file.write(bytes([sound[bit // 8] ^ 1 << bit % 8]))
            yield bit
        finally:
            block.write_bytes(sound)


@pytest.mark.parametrize("name", ["trips@v2", "trips_raw@v2"])
@pytest.mark.parametrize("whole", [True, False])
def test_flipped_bit_never_comes_back_as_another_value(
    trips: Trips, way: str, name: str, *, whole: bool
) -> None:
    def read(snapshot: Snapshot) -> Any:
        if name.startswith("trips_raw"):
            with snapshot.open() as stream:
                stream.seek(0 if whole else 100_000)
                return stream.read(-1 if whole else 1000)
        return snapshot.arrow(None if whole else ["city"])

    expected = read(trips.open(name))
    file = max(trips.manifest(name).files, key=lambda item: item.size)
    told = []
    for bit in flipped(trips.block(file), random.Random(f"{way} {name} {whole}")):
        try:
            assert read(trips.open(name)) == expected, bit
        except IntegrityError as error:
            told.append(str(error))
    assert all(text.startswith(f"{name}, {file.path}: ") for text in told)
    assert len(told) == FLIPS if whole else len(told) < FLIPS


def test_damaged_proofs_are_named_and_nothing_is_read_by_them(trips: Trips, way: str) -> None:
    manifest = trips.manifest("trips@v2")
    last = manifest.proofs[-1]
    for bit in flipped(trips.block(last.file), random.Random(way)):
        with pytest.raises(IntegrityError, match=r"^trips@v2, _lakegate/proofs/trips/v2\.json: SHA-256"):
            trips.open("trips@v2").arrow(["city"])
        assert trips.open("trips@v1").arrow(["city"]).num_rows == trips.manifest("trips@v1").counts.after
        if bit % 5 == 0:
            (gap,) = audit(trips.session, VersionName("trips", 2))
            assert (gap.path, gap.problem) == (last.path, "sha256")


def test_version_without_proofs_is_hashed_whole(trips: Trips, way: str) -> None:
    """As an earlier release wrote it."""
    snapshot = trips.open("trips@v2")
    before = replace(snapshot.manifest, proofs=[])
    old = replace(snapshot, manifest=before, _prover=replace(snapshot._prover, manifest=before, _known={}))
    assert old.arrow().equals(snapshot.arrow())
    file = max(before.files, key=lambda item: item.size)
    for _ in flipped(trips.block(file), random.Random(way)):
        with pytest.raises(IntegrityError, match=f"trips@v2, {file.path}: SHA-256"):
            old.arrow(["city"])


def test_clean_up_and_rebuilt_copies_leave_the_proofs(trips: Trips) -> None:
    clean_up(trips.session, grace=timedelta(0))
    shutil.rmtree(trips.session.settings.home.root / "manifests")
    rebuild_manifests(trips.session)
    for number in (1, 2, 3):
        manifest = trips.manifest(f"trips@v{number}")
        assert trips.open(f"trips@v{number}").manifest == manifest
        assert all(trips.block(item.file).is_file() for item in manifest.proofs)


@pytest.fixture
def readable(trips: Trips) -> Iterator[Path]:
    """A copy of the home, with the record of the server that runs, which anyone may read but for the key."""
    folder = Path(tempfile.mkdtemp())
    home = trips.session.settings.home
    try:
        for name in ("lakegate.json", "manifests", "lakefs/blocks", "lakefs/server.json", "lakefs/keys.json"):
            source, target = home.root / name, folder / "home" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        (folder / "home" / "lakefs" / "keys.json").chmod(0o600)
        yield folder / "home"
    finally:
        shutil.rmtree(folder)


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"),
    reason="A SECOND ACCOUNT CAN'T BE TAKEN HERE: run it as root",
)
def test_another_account_reads_while_lakefs_runs_without_the_key(trips: Trips, readable: Path) -> None:
    command = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        sys.executable,
        "-c",
        READ,
        readable,
        "trips@v2",
    ]
    done = subprocess.run(
        [*map(str, command)],
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"]},
        check=False,
    )
    if "Permission denied" in done.stderr and "lakegate" not in done.stderr:
        pytest.skip(f"A SECOND ACCOUNT CAN'T RUN THIS PYTHON: {done.stderr.splitlines()[-1]}")
    raw = trips.manifest("trips_raw@v1").files[0].size
    assert done.stdout.split("\n") == ["no key", f"{trips.manifest('trips@v2').counts.after} {raw}", ""], (
        done.stderr
    )


def test_home_without_its_key_is_read_while_lakefs_runs(trips: Trips, readable: Path) -> None:
    (readable / "lakefs" / "keys.json").unlink()
    assert json.loads((readable / "lakefs" / "server.json").read_text())["port"]
    assert (
        open_snapshot("trips@v2", home=readable).arrow().num_rows == trips.manifest("trips@v2").counts.after
    )
