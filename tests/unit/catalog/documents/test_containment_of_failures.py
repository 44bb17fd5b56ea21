"""Whatever a library raises, or a place that is no file does, is the mistake of one contract."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from assets.factory import make_assets
from benchmarks.rides import contract_text
from catalog import files
from catalog.contract import Contract
from lakegate.errors import LakegateError, unforeseen
from tests.support.catalog.hostile_contracts import APPENDED, check_good, write


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to nothing", "name that is not UTF-8"])
def test_places_that_are_no_files_stop_nobody(project: Path, kind: str) -> None:
    path = project / "catalog" / "contracts" / "bad.odcs.yaml"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "link to nothing":
            path.symlink_to(project / "nowhere")
        case _:
            Path(os.fsdecode(os.fsencode(path.parent) + b"/b\xff.odcs.yaml")).write_text("a: 1")
    (error,) = check_good(project).broken.values()
    assert str(error).encode()


@pytest.mark.parametrize(
    "raised",
    [
        RecursionError(),
        MemoryError(),
        ValueError("secret"),
        KeyError("secret"),
        UnicodeDecodeError("utf-8", b"", 0, 1, ""),
    ],
)
def test_whatever_a_library_raises_is_the_mistake_of_the_file_that_it_read(
    project: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    honest = files.read_contract
    write(project, "bad", contract_text("bad", APPENDED))

    def fails(path: Path) -> object:
        if path.name == "bad.odcs.yaml":
            raise raised
        return honest(path)

    monkeypatch.setattr(files, "read_contract", fails)
    error = check_good(project).broken["bad"]
    assert "bad.odcs.yaml" in error.where
    assert "secret" not in str(error)


def test_failure_while_contracts_are_compared_is_the_mistake_of_one(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, "bad", contract_text("bad", APPENDED))

    def fails(contract: Contract, _: object) -> None:
        if contract.name == "bad":
            raise RecursionError

    monkeypatch.setattr(files, "wrong_reference", fails)
    assert "nested" in check_good(project).broken["bad"].what


@pytest.mark.parametrize("owner", ["Data Team, Ops!", "a b@c d", "é" * 300, "-", "team:x"])
def test_dagster_takes_a_contract_whoever_owns_it(project: Path, owner: str) -> None:
    write(project, "bad", contract_text("bad", f"{APPENDED}team: {{name: {json.dumps(owner)}}}\n"))
    assert "bad" in make_assets(check_good(project), project).jobs


def test_error_that_nobody_foresaw_tells_its_kind_and_place_and_no_value() -> None:
    def fails() -> None:
        raise ValueError("a value")

    try:
        fails()
    except ValueError as error:
        told: LakegateError = unforeseen(error)
    assert "ValueError" in told.what
    assert told.where.startswith("test_containment_of_failures.py:")
    assert "a value" not in str(told)
