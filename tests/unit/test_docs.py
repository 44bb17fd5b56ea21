"""Where Data Docs are written to, and of which versions."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from catalog.contract import Contract
from catalog.files import Catalog
from expectations import data_docs
from expectations.histogram import Histograms
from lake import layout
from lake.docs import write_docs
from lakegate.errors import UsageError
from lakegate.names import VersionName
from tests.unit.kept_lake import KeptLake

CONTRACT = Contract(name="things", kind="dataset", path=Path("things.odcs.yaml"), hash="", columns=(), key=(), write_mode="append")
NAMES = [VersionName("things", 1)]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Any:
    """One version with evidence, whose page takes no time."""
    lake = KeptLake(CONTRACT)
    lake.add(Histograms())
    lake.objects[layout.evidence("things", 1)] = json.dumps({"report": {}}).encode()
    monkeypatch.setattr(data_docs, "page", lambda *_, **__: "a page")
    return SimpleNamespace(repository=lake, catalog=Catalog({"things": CONTRACT}, {}))


def test_pages_are_written_over_those_that_lakegate_wrote(session: Any, tmp_path: Path) -> None:
    index = write_docs(session, NAMES, tmp_path / "new")
    assert index.read_text(encoding="utf-8").count("things.v1.html") == 1
    index.write_text(index.read_text(encoding="utf-8") + "old", encoding="utf-8")
    assert "old" not in write_docs(session, NAMES, tmp_path / "new").read_text(encoding="utf-8")
    index.write_text("<title>Data documentation compiled by Great Expectations</title>", encoding="utf-8")
    assert "things.v1.html" in write_docs(session, NAMES, tmp_path / "new").read_text(encoding="utf-8")


@pytest.mark.parametrize("mine", [b"<h1>My site</h1>", b"", b"\xff\xfe"])
def test_another_page_is_never_written_over(session: Any, tmp_path: Path, mine: bytes) -> None:
    (tmp_path / "index.html").write_bytes(mine)
    with pytest.raises(UsageError) as caught:
        write_docs(session, NAMES, tmp_path)
    assert str(tmp_path) in caught.value.what
    assert "--into" in caught.value.fix
    assert [item.name for item in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_bytes() == mine


@pytest.mark.parametrize(
    ("name", "what", "fix"),
    [
        ("things@v9", "things@v9 doesn't exist: its newest is v1", "`lakegate versions things` lists"),
        ("others@v1", "others@v1 doesn't exist: there is no table others", "tables here: things, things_raw"),
        ("things_raw@v1", "nothing of things_raw is published yet", "`lakegate ingest`"),
    ],
)
def test_a_version_that_is_not_there_is_told_with_what_is(session: Any, tmp_path: Path, name: str, what: str, fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        write_docs(session, [VersionName.parse(name)], tmp_path)
    assert what in caught.value.what
    assert fix in caught.value.fix
