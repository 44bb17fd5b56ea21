"""`init` writes a lake that loads, and changes nothing that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from catalog.files import load_catalog
from catalog.odcs.loader import load_contract
from catalog.project import init_project
from lakegate.errors import UsageError
from tests.support.places import ROOT


def test_init_writes_a_lake_that_loads_and_holds_no_python(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    written = init_project(folder)
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == written
    assert not list(folder.rglob("*.py"))
    assert load_catalog(folder).contracts == {}
    assert (folder / "expectations" / "suites").is_dir()
    assert "assets.definitions" in (folder / "workspace.yaml").read_text()
    assert "/.lakegate/" in (folder / ".gitignore").read_text().splitlines()


def test_init_leaves_a_gitignore_that_is_there(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    assert tmp_path / ".gitignore" not in init_project(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_example_of_init_is_a_valid_contract_once_renamed(tmp_path: Path) -> None:
    init_project(tmp_path)
    example = tmp_path / "catalog" / "contracts" / "sensor_readings.odcs.yaml.txt"
    contract = load_contract(example.rename(example.with_suffix("")))
    assert (contract.name, contract.key, contract.write_mode) == (
        "sensor_readings",
        ("sensor", "measured_at"),
        "append",
    )
    assert (contract.owner, contract.support) == ("", ""), "no refusal may show a placeholder"
    assert set(load_catalog(tmp_path).contracts) == {"sensor_readings"}


def test_comments_in_the_example_of_init_can_be_used_as_they_stand(tmp_path: Path) -> None:
    init_project(tmp_path)
    example = tmp_path / "catalog" / "contracts" / "sensor_readings.odcs.yaml.txt"
    begun, used = (
        re.compile(rf"(?m)^( *)# ({words}.*)$")
        for words in ("(relationships|logicalTypeOptions|team|support):", " +")
    )
    text = begun.sub(r"\1\2", example.read_text().replace("#   lakegate ingest", "# lakegate ingest"))
    example.with_suffix("").write_text(used.sub(r"\1\2", text))
    contract = load_contract(example.with_suffix(""))
    assert (contract.owner, contract.support) == ("NAME", "NAME: WHAT TO DO")
    assert [(item.columns, item.to, item.severity) for item in contract.relationships] == [
        (("sensor",), "sensors", "quarantine")
    ]
    assert contract.column("measured_at").format == "dd.MM.yyyy HH:mm"


@pytest.mark.parametrize("place", ["catalog/templates/sensor_readings.odcs.yaml.txt", "assets/factory.py"])
def test_quarantine_is_never_told_of_as_a_table_to_be_read(place: str) -> None:
    assert "_quarantine" not in (ROOT / place).read_text()


def test_init_refuses_a_folder_that_is_a_lake_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        init_project(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["catalog"]
