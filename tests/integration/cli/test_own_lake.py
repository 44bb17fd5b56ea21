"""A lake of the user's own: its home, its pages, its verbs, and discretion about personal values."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lakegate import open_snapshot

pytestmark = pytest.mark.server

NEEDLE = "Quintessa"
"""Stands in every personal field that is delivered here, and may stand nowhere but in data files."""

PEOPLE = """\
apiVersion: v3.2.0
kind: DataContract
id: people
name: people
version: 1.0.0
status: active
schema:
  - name: people
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1, \
classification: public}
      - {name: name, logicalType: string, required: true, classification: personal}
      - {name: born, logicalType: date, classification: personal}
      - {name: city, logicalType: string, classification: public}
      - {name: age, logicalType: integer, classification: public}
    quality:
      - id: age-range
        type: custom
        engine: greatExpectations
        severity: quarantine
        implementation: {type: expect_column_values_to_be_between, kwargs: {column: age, min_value: 0, \
max_value: 150}}
      - id: name-shape
        type: custom
        engine: greatExpectations
        severity: quarantine
        implementation: {type: expect_column_values_to_match_regex, kwargs: {column: name, \
regex: "^[A-Z][a-z]+$"}}
customProperties:
  - {property: writeMode, value: append}
  - {property: file, value: {format: csv, delimiter: ",", nullValues: [NA], maxUnreadable: 0.5}}
"""

ROWS = [
    f"1,{NEEDLE},1990-01-31,Oslo,33",
    f"2,{NEEDLE}a,1991-02-28,Oslo,200",
    f"3,{NEEDLE} the second,1992-03-31,Bergen,31",
    f"4,{NEEDLE}b,{NEEDLE},Bergen,30",
    f'5,"{NEEDLE}, quoted",NA,Bergen,x',
    f"6,{NEEDLE}c,1990-01-31,Oslo,29,ragged",
    f'7,"{NEEDLE}d,1990-01-31,Oslo,28',
    "8,Anna,NA,Tromso,27",
    "8,Berta,NA,Tromso,26",
]
HEADER = "id,name,born,city,age"


@pytest.fixture(scope="module")
def own(open_lake: Any, empty_home: Path, command_line: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A lake of the user's own with one contract, and an empty home that is called so that a shell, or a URL,
    would take it for another.
    """
    project = tmp_path_factory.mktemp("own") / "project"
    done = command_line("init", project)
    assert done.code == 0, done
    (project / "catalog/contracts/people.odcs.yaml").write_text(PEOPLE)
    return open_lake(empty_home, project=project, name="~home%20of?one #é'")


@pytest.fixture(scope="module")
def people(own: Any) -> dict[str, Any]:
    """Everything that was printed while a file with personal fields, and one without its header,
    were carried and looked at.
    """
    content = ("\n".join([HEADER, *ROWS]) + "\n").encode()
    path, headless = own.file("people.csv", content), own.file("headless.csv", "\n".join(ROWS).encode())
    said = {
        "dry": own.run("ingest", "people", path, "--dry-run", "--json"),
        "json": own.run("ingest", "people", path, "--json"),
        "again": own.run("ingest", "people", path, "--force"),
        "headless": own.run("ingest", "people", headless, "--json"),
        "headless, for a person": own.run("ingest", "people", headless),
        "headless, dry": own.run("ingest", "people", headless, "--dry-run"),
        "a value as header": own.run(
            "ingest", "people", own.file("value.csv", f"{NEEDLE}\n{NEEDLE}\n".encode())
        ),
        "a value twice": own.run(
            "ingest", "people", own.file("twice.csv", f"1,{NEEDLE},{NEEDLE}\n".encode())
        ),
        "versions": own.run("versions", "people", "--json"),
        "versions, for a person": own.run("versions", "people_raw"),
        "quarantine": own.run("quarantine", "people", "--json"),
        "quarantine, for a person": own.run("quarantine", "people"),
        "verify": own.run("verify", "--all", "--json"),
        "status": own.run("status"),
        "docs": own.run("data-docs"),
    }
    return {"said": said, "content": content, "path": path}


def test_whatever_a_home_is_called_all_of_it_lies_there_and_dagster_is_told(
    own: Any, people: dict[str, Any]
) -> None:
    assert (people["said"]["json"].code, people["said"]["verify"].code) == (0, 0)
    assert not [name for name, done in people["said"].items() if "not notified" in done.err]
    assert (own.home / "dagster/history/runs/index.db").exists()
    assert {path.name for path in own.home.parent.iterdir()} == {own.home.name, "files"}


def test_data_docs_are_pages_of_what_was_judged(own: Any, people: dict[str, Any]) -> None:
    assert people["said"]["docs"].code == 0, people["said"]["docs"]
    index = Path(people["said"]["docs"].out.strip())
    assert index == own.home / "docs" / "index.html"
    assert all(f'href="{name}"' in index.read_text() for name in ("people.v1.html", "people_raw.v1.html"))
    page = (index.parent / "people.v1.html").read_text()
    assert "people@v1" in page
    assert "Failed" in page
    unknown = own.run("data-docs", "people@v9")
    assert unknown.code == 2
    assert "people@v9 doesn't exist: its newest is v1" in unknown.err


def test_contract_alone_adds_a_dataset_to_a_lake_of_ones_own(
    own: Any, people: dict[str, Any], command_line: Any
) -> None:
    assert not list(own.settings.project.rglob("*.py"))
    assert people["said"]["json"].code == 0, people["said"]["json"]
    raw, processed = people["said"]["json"].one["hops"]
    assert (raw["rows_in"], raw["rows_valid"], raw["rows_unreadable"]) == (9, 7, 2)
    assert (processed["rows_valid"], processed["rows_quarantined"]) == (1, 6)
    (row,) = open_snapshot("people@v1", home=own.home).arrow(["id", "name", "age"]).to_pylist()
    assert row == {"id": 1, "name": NEEDLE, "age": 33}
    inside = command_line("versions", "people", "--json", "--home", own.home, folder=own.settings.project)
    assert inside.code == 0, inside
    assert inside.json == people["said"]["versions"].json, "run inside the project it uses it"
    elsewhere = command_line("versions", "people", "--json", "--home", own.home, folder=own.home)
    assert elsewhere.code == 2 or elsewhere.json == inside.json


def test_project_without_contracts_says_what_to_do(own: Any, tmp_path: Path) -> None:
    done = replace(own, settings=replace(own.settings, project=tmp_path)).run(
        "ingest", "people", own.file("a.csv", b"a\n1\n")
    )
    assert done.code == 2, done
    assert f"{tmp_path} has no folder catalog/contracts" in done.err
    assert "lakegate init" in done.err


def test_no_personal_value_is_printed(people: dict[str, Any]) -> None:
    for what, done in people["said"].items():
        assert NEEDLE not in done.out + done.err, what
        assert "Anna" not in done.out + done.err, what
        assert "1990-01-31" not in done.out + done.err, what
    assert [
        people["said"][name].code
        for name in ("headless", "headless, for a person", "headless, dry", "a value as header")
    ] == [3] * 4


def test_quarantined_rows_are_masked_unless_revealed_and_a_look_is_on_record(
    own: Any, people: dict[str, Any]
) -> None:
    masked = people["said"]["quarantine"].json
    assert [(row["row"], row["rules"]) for row in masked] == [
        (2, ["age-range"]),
        (3, ["name-shape"]),
        (4, ["type:born"]),
        (5, ["name-shape", "type:age"]),
        (8, ["key"]),
        (9, ["key"]),
    ]
    assert masked[0]["record"] == "2,***,***,Oslo,200"
    assert [record["state"] for record in own.ledger("people", "quarantine")] == []
    shown = own.run("quarantine", "people", "--json", "--reveal").json
    assert [row["record"] for row in shown] == [ROWS[row["row"] - 1] for row in shown]
    (look,) = own.ledger("people", "quarantine")
    assert (look["state"], look["table"]) == ("revealed", "people")


def is_data(path: str) -> bool:
    """Whether a path is that of a delivered file or of a table's or quarantine's data file."""
    return bool(re.fullmatch(r"raw/\w+/[0-9a-f]{64}/data|(processed|quarantine)/\w+/[^/]*\.parquet", path))


def test_no_personal_value_lies_in_the_lake_outside_data_files(own: Any, people: dict[str, Any]) -> None:
    repository = own.repository
    looked_at, data, statistics = 0, 0, False
    for ref in ("main", "ledger", *repository.tags("")):
        for item in repository.listing(ref, ""):
            content = repository.get(ref, item.path)
            assert NEEDLE not in item.path
            if is_data(item.path):
                data += NEEDLE.encode() in content
                continue
            looked_at += 1
            assert NEEDLE.encode() not in content, f"{ref}: {item.path}"
            assert b"1991-02-28" not in content, f"{ref}: {item.path}"
            statistics |= "_delta_log/" in item.path and b"minValues" in content and b'\\"id\\":1' in content
        metadata = repository.commit_and_metadata(ref)[1]
        assert NEEDLE not in str(metadata)
    assert looked_at > 20
    assert data >= 3, "the test looks for something that is nowhere"
    assert statistics, (
        "the statistics of columns that aren't personal are where this test looks for the others"
    )


def test_no_personal_value_lies_in_the_home_outside_the_blocks(own: Any, people: dict[str, Any]) -> None:
    files = [
        path
        for path in own.home.rglob("*")
        if path.is_file() and own.settings.home.blocks not in path.parents
    ]
    assert any("manifests" in path.parts for path in files)
    assert any(path.name == "lakefs.log" for path in files)
    for path in files:
        assert NEEDLE.encode() not in path.read_bytes(), path


def test_init_changes_nothing_that_is_there(own: Any, command_line: Any) -> None:
    before = {path: path.read_bytes() for path in own.settings.project.rglob("*") if path.is_file()}
    done = command_line("init", own.settings.project)
    assert done.code == 2
    assert "is there already" in done.err
    assert {path: path.read_bytes() for path in own.settings.project.rglob("*") if path.is_file()} == before
