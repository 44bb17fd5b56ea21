"""Every format that a contract can name is there, and does what is asked of one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import lake.parsing.formats
from catalog.contract import FileFormat, FileKind
from catalog.odcs.loader import load_contract
from lake.parsing.formats import Format, format_of
from lakegate.errors import ContractError
from tests.support.places import ROOT

KINDS = get_args(FileKind)
ASKED = sorted(name for name in vars(Format) if not name.startswith("_"))


def test_words_of_contracts_and_the_modules_of_formats_are_the_same() -> None:
    folder = Path(lake.parsing.formats.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_format_does_all_that_is_asked_of_one(kind: FileKind) -> None:
    assert ASKED == ["fields", "header_hint", "mask", "no_column", "parse", "restage"]
    found = format_of(FileFormat(kind=kind))
    assert [name for name in ASKED if not hasattr(found, name)] == []
    assert found.no_column


def test_format_is_imported_when_it_is_asked_for() -> None:
    code = (
        "import sys, json, lake.parsing.formats as door; from catalog.contract import FileFormat;"
        "ones = ('lake.parsing.formats.', 'lake.parsing.csv');"
        "seen = lambda: [name for name in sys.modules if name.startswith(ones)];"
        "before = seen(); door.format_of(FileFormat()); print(json.dumps([before, len(seen()) > 1]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[], True]


def test_a_format_imports_no_other_format() -> None:
    folder = ROOT / "lake/parsing"
    for kind in KINDS:
        for file in (folder / "formats" / f"{kind}.py", *folder.joinpath(kind).rglob("*.py")):
            imported = set(re.findall(r"(?:from|import) lake\.parsing\.(\w+)", file.read_text()))
            packages = {name for name in imported if (folder / name / "__init__.py").is_file()}
            assert packages <= {kind, "formats"}, file


def contract(folder: Path, word: str) -> FileFormat:
    text = (ROOT / "catalog/contracts/airlines.odcs.yaml").read_text()
    assert text.count("      format: csv") == 1
    path = folder / "airlines.odcs.yaml"
    path.write_text(text.replace("      format: csv", f"      format: {word}"))
    return load_contract(path).file


def test_contract_names_a_format_that_exists(tmp_path: Path) -> None:
    assert contract(tmp_path, "csv").kind == "csv"
    for word in ("csw", "'CSV '", "[csv]", "__init__", "7"):
        with pytest.raises(ContractError, match="format is") as caught:
            contract(tmp_path, word)
        assert "csv" in caught.value.fix
