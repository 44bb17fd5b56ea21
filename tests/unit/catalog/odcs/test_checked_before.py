"""A contract that keeps to the standard is judged once: the home remembers its hash,
and nothing that could be wrong.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.documents.document import Document, Steps, parse_yaml
from catalog.odcs import checked_before, standard
from lakegate.errors import ContractError

RIGHT = "apiVersion: v3.2.0\nkind: DataContract\nid: a\nname: a\nversion: 1.0.0\nstatus: draft\n"
HERE = Path("a.odcs.yaml")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the documents that are judged."""
    told: list[str] = []

    def judge(document: Document) -> Iterator[tuple[Steps, ContractError]]:
        told.append(document.data["name"])
        return standard.standard_mistakes(document)

    monkeypatch.setattr(checked_before, "standard_mistakes", judge)
    checked_before._known.clear()
    return told


def check(text: str) -> list[str]:
    return [error.what for _, error in checked_before.mistakes_once(parse_yaml(HERE, text), text)]


def again(folder: Path) -> None:
    """As another process would begin."""
    checked_before._known.clear()
    checked_before.recall(folder)


def test_right_one_is_judged_once_and_by_no_later_process(tmp_path: Path, judged: list[str]) -> None:
    check(RIGHT)
    check(RIGHT)
    checked_before.remember(tmp_path)
    again(tmp_path)
    check(RIGHT)
    assert judged == ["a"]
    check(RIGHT.replace("name: a", "name: b"))
    assert judged == ["a", "b"]
    assert (tmp_path / checked_before.FILE).stat().st_mode & 0o777 == 0o600
    assert RIGHT not in (tmp_path / checked_before.FILE).read_text()


def test_wrong_one_is_judged_each_time(tmp_path: Path, judged: list[str]) -> None:
    for _ in range(2):
        assert any("statu" in what for what in check(RIGHT.replace("status", "statu")))
        checked_before.remember(tmp_path)
        again(tmp_path)
    assert judged == ["a", "a"]


def damage(file: Path, how: str) -> None:
    told = json.loads(file.read_text())
    if how == "others may write it":
        file.chmod(0o666)
    elif how == "another release's":
        file.write_text(json.dumps(told | {"code": "0"}))
    else:
        file.write_text(file.read_text()[:-20])


@pytest.mark.parametrize("how", ["others may write it", "another release's", "cut off"])
def test_record_that_cannot_be_trusted_is_judged_again(tmp_path: Path, judged: list[str], how: str) -> None:
    check(RIGHT)
    checked_before.remember(tmp_path)
    damage(tmp_path / checked_before.FILE, how)
    again(tmp_path)
    check(RIGHT)
    assert judged == ["a", "a"]
    checked_before.remember(tmp_path)
    again(tmp_path)
    check(RIGHT)
    assert judged == ["a", "a"]


def test_home_that_is_not_made_is_not_made_for_this(tmp_path: Path, judged: list[str]) -> None:
    check(RIGHT)
    checked_before.remember(tmp_path / "home" / "cache")
    assert judged
    assert not (tmp_path / "home").exists()


def test_catalog_is_read_in_a_second_process_without_a_schema(tmp_path: Path) -> None:
    contracts = tmp_path / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    from benchmarks.rides import contract_text

    (contracts / "rides.odcs.yaml").write_text(contract_text(writeMode="append"))
    (tmp_path / "cache").mkdir()
    program = (
        "import sys; from pathlib import Path; from catalog.files import load_catalog; from "
        "catalog.odcs.standard import validator;"
        "load_catalog(Path(sys.argv[1]), cache=Path(sys.argv[1]) / 'cache').get('rides'); "
        "print(validator.cache_info().currsize)"
    )
    read = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert read == ["1\n", "0\n"]


def test_another_release_is_any_change_of_what_checks_a_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever package of the catalog it is in."""
    package = Path(str(checked_before.files("catalog")))
    copy = Path(shutil.copytree(package, tmp_path / "catalog"))
    found = checked_before.files
    monkeypatch.setattr(checked_before, "files", lambda name: copy if name == "catalog" else found(name))
    hashes = {checked_before._code.__wrapped__()}
    changed = [copy / "contract.py", copy / "odcs" / "standard.py", copy / "documents" / "document.py"]
    for source in changed:
        source.write_text(source.read_text() + "\n")
        hashes.add(checked_before._code.__wrapped__())
    assert len(hashes) == 1 + len(changed)
