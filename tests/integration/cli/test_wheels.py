"""Two wheels: `lakegate` is the reader alone, `lakegate-service` is everything else with the command."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.places import ROOT

PROJECT = ROOT


def build(source: Path, folder: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(PROJECT / "lakegate", tmp_path_factory.mktemp("reader"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(PROJECT, tmp_path_factory.mktemp("service"))


def test_reader_is_one_import_name_and_needs_arrow_and_a_hash_alone(reader: Path) -> None:
    with zipfile.ZipFile(reader) as opened:
        names = opened.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        needs = [
            line
            for line in opened.read(metadata).decode().splitlines()
            if line.startswith("Requires-Dist") and "extra ==" not in line
        ]
    assert {name.split("/", 1)[0].split("-", 1)[0] for name in names} == {"lakegate"}
    assert "lakegate/py.typed" in names
    assert [need.split()[1].split("<")[0].split(">")[0] for need in needs] == ["blake3", "pyarrow"]


def test_reader_works_without_the_service(reader: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(reader) as opened:
        opened.extractall(tmp_path)
    probe = (
        "import sys; sys.path.insert(0, sys.argv[1]); from lakegate import open_snapshot; import lakegate; "
        "print(lakegate.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "lakegate" / "__init__.py")


def test_service_ships_what_a_lake_needs_and_no_tests(service: Path) -> None:
    with zipfile.ZipFile(service) as opened:
        names = set(opened.namelist())
        (entry,) = (name for name in names if name.endswith("entry_points.txt"))
        assert "lakegate = cli.main:main" in opened.read(entry).decode()
    wanted = {
        "catalog/contracts/flights.odcs.yaml",
        "catalog/sql/flight_features.sql",
        "assets/definitions.py",
        "assets/dagster.yaml",
        "lake/tools/lakefs/go.mod",
        "lake/tools/lakefs/go.sum",
    }
    assert wanted <= names
    assert not [name for name in names if name.startswith(("tests/", "lakegate/"))]
