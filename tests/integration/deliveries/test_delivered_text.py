"""What a delivery's text tells beyond its values: a header that comes again, a file that was cut,
the order of drops.
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from cli.progress import Progress
from lake.decisions.replay import replay
from lake.pipeline.dry_run import dry_run
from lake.pipeline.ingest import DropResult, ingest
from lake.reports.versions import list_quarantine, list_versions
from lake.session import Session, open_session
from lakegate import open_snapshot
from lakegate.settings import Settings

pytestmark = pytest.mark.server

NOTES = """
apiVersion: v3.2.0
kind: DataContract
id: notes
name: notes
version: 1.0.0
status: draft
schema:
  - name: notes
    properties:
      - {name: name, logicalType: string, required: true}
      - {name: note, logicalType: TYPE}
customProperties:
  - {property: writeMode, value: append}
  - {property: file, value: {FILE}}
"""
DAYS = """
apiVersion: v3.2.0
kind: DataContract
id: days
name: days
version: 1.0.0
status: draft
schema:
  - name: days
    properties:
      - {name: day, logicalType: date, required: true, logicalTypeOptions: {format: dd/MM/yyyy}}
      - {name: x, logicalType: integer}
customProperties:
  - {property: writeMode, value: append}
  - {property: orderBy, value: day}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "catalog" / "contracts").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def settings(lakefs_home: Settings, project: Path, request: pytest.FixtureRequest) -> Settings:
    return replace(lakefs_home, project=project, tenant=f"t{abs(hash(request.node.name)) % 10**8}")


def notes(settings: Settings, *, kind: str = "string", file: str = 'delimiter: ","') -> Session:
    text = NOTES.replace("TYPE", kind).replace("{FILE}", f"{{{file}}}")
    (settings.project / "catalog" / "contracts" / "notes.odcs.yaml").write_text(text)
    return open_session(settings, say=print)


def take(session: Session, dataset: str, name: str, content: bytes) -> DropResult:
    (session.settings.project / name).write_bytes(content)
    (result,) = ingest(session, dataset, [session.settings.project / name])
    return result


def names(session: Session, version: str) -> list[str]:
    snapshot = open_snapshot(version, home=session.settings.home.root, tenant=session.settings.tenant)
    return sorted(snapshot.arrow(["name"])["name"].to_pylist())


@pytest.mark.parametrize("kind", ["string", "integer"])
def test_header_that_comes_again_is_set_aside_whatever_the_types(settings: Settings, kind: str) -> None:
    """shared/cases/42: two exports in one gzip, each with its header."""
    session = notes(settings, kind=kind)
    result = take(
        session,
        "notes",
        "two.csv.gz",
        gzip.compress(b"name,note\na,1\n") + gzip.compress(b"name,note\nb,2\n"),
    )
    assert [hop.verdict.value for hop in result.hops] == ["passed", "quarantined"]
    assert names(session, "notes@v1") == ["a", "b"]
    (aside,) = list_quarantine(session, session.catalog.get("notes"))
    assert aside["record"] == "name,note"
    assert aside["rules"] == ["repeated-header", *(["type:note"] if kind == "integer" else [])]
    assert replay(session, session.catalog.get("notes")).passing == 0


def test_value_that_is_a_columns_name_is_data(settings: Settings) -> None:
    session = notes(settings)
    result = take(session, "notes", "1.csv", b"name,note\nname,\nname,x\n,note\nx,note\n")
    assert names(session, "notes@v1") == ["name", "name", "x"]
    assert "repeated-header" not in [rule["rule"] for rule in result.hops[1].rules if rule["failed"]]


def test_file_without_a_final_line_end_is_told_of_or_refused(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """shared/cases/64: `value number 53` was cut to `value number 5`."""
    session, cut = notes(settings), b"name,note\na,value number 52\nb,value number 5"
    (session.settings.project / "cut.csv").write_bytes(cut)
    (told_dry,) = dry_run(session, "notes", [session.settings.project / "cut.csv"])
    result = take(session, "notes", "cut.csv", cut)
    for found in (told_dry, result):
        assert "the last record has no line end" in found.hops[0].reason
    Progress(quiet=False).drop(result)
    assert "the last record has no line end" in capsys.readouterr().err
    assert [hop.verdict.value for hop in result.hops] == ["passed", "passed"]
    whole = take(session, "notes", "whole.csv", b"name,note\nc,value number 53\n")
    assert [hop.reason for hop in whole.hops] == ["", ""]
    asks = notes(settings, file="finalLineEnd: required")
    refused = take(asks, "notes", "cut2.csv", cut + b"1")
    assert refused.hops[0].verdict.value == "blocked"
    assert (
        "final-line-end (the last record has no line end, so the file may have been cut in it)"
        in refused.hops[0].reason
    )
    assert take(asks, "notes", "whole2.csv", cut + b"3\n").hops[1].verdict.value == "passed"


def test_drops_are_ordered_by_the_day_and_not_by_its_text(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """02/01 comes after 31/01 as text, and 01/02 before both."""
    (settings.project / "catalog" / "contracts" / "days.odcs.yaml").write_text(DAYS)
    session, files = open_session(settings, say=print), []
    for name, day in (("feb", "01/02/2024"), ("jan", "31/01/2024"), ("new", "02/01/2024")):
        files.append(settings.project / f"{name}.csv")
        files[-1].write_text(f"day,x\n{day},1\n{day},late\n")
    results = list(ingest(session, "days", files))
    versions = {result.file: result.hops[1].version for result in results}
    assert versions == {"new.csv": "days@v1", "jan.csv": "days@v2", "feb.csv": "days@v3"}
    assert len(list_versions(session, "days")) == len(files)
    none = take(session, "days", "none.csv", b"day,x\n2024-02-01,1\n")
    assert "no record has a value of day, which orders the drops, that can be read" in none.hops[0].reason
    Progress(quiet=False).drop(none)
    assert "waits for no other" in capsys.readouterr().err
