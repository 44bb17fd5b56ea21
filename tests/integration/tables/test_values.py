"""Values that no reader could hold stay out of every version;
a version of an older release that has some is judged and shown.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from expectations import typed_frame
from expectations.spellings import ENDS
from lake import paths
from lake.parsing import fast_typing
from lake.pipeline.ingest import DropResult, ingest
from lake.reports.versions import list_quarantine
from lake.session import Session, open_session
from lakegate import open_snapshot
from lakegate.settings import Settings

pytestmark = pytest.mark.server

MOMENTS = """
apiVersion: v3.2.0
kind: DataContract
id: moments
name: moments
version: 1.0.0
status: draft
schema:
  - name: moments
    properties:
      - {name: id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: d, logicalType: date}
      - {name: t, logicalType: timestamp}
      - {name: n, logicalType: number}
    quality:
      - {id: least-d, type: custom, engine: greatExpectations, severity: warn,
         implementation: {type: expect_column_min_to_be_between, kwargs: {column: d, \
min_value: "2000-01-01"}}}
      - {id: most-t, type: custom, engine: greatExpectations, severity: warn,
         implementation: {type: expect_column_max_to_be_between, kwargs: {column: t, \
max_value: "2030-01-01T00:00:00Z"}}}
      - {id: common-d, type: custom, engine: greatExpectations, severity: warn,
         implementation: {type: expect_column_most_common_value_to_be_in_set, kwargs: {column: d, \
value_set: ["2024-01-01"]}}}
customProperties:
  - {property: writeMode, value: append}
"""
LATER = """
apiVersion: v3.2.0
kind: DataContract
id: later
name: later
version: 1.0.0
status: draft
schema:
  - name: later
    properties:
      - {name: id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: d, logicalType: date}
      - {name: t, logicalType: timestamp}
customProperties:
  - {property: kind, value: feature}
  - {property: sql, value: later.sql}
  - {property: inputs, value: [moments]}
  - {property: driver, value: moments}
"""
SQL = "select id, date_add(d, 366) as d, t, _drop, _row from moments"


@pytest.fixture
def session(lakefs_home: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    for name, text in (
        ("contracts/moments.odcs.yaml", MOMENTS),
        ("contracts/later.odcs.yaml", LATER),
        ("sql/later.sql", SQL),
    ):
        path = tmp_path / "catalog" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    tenant = f"t{abs(hash(request.node.name)) % 10**8}"
    return open_session(replace(lakefs_home, project=tmp_path, tenant=tenant), say=print)


def take(session: Session, name: str, *rows: str) -> DropResult:
    path = session.settings.project / name
    path.write_text("id,d,t,n\n" + "".join(f"{row}\n" for row in rows))
    (result,) = ingest(session, "moments", [path])
    return result


def told(session: Session, version: int) -> dict[str, str]:
    """What a version's evidence tells of each table rule."""
    evidence = session.repository.get_json("main", paths.evidence("moments", version)) or {}
    results = evidence["report"]["results"]
    return {
        item["expectation_config"]["meta"]["lakegate"]["rule"]: str(item["result"].get("told"))
        for item in results
    }


def test_value_that_no_reader_could_hold_is_set_aside_and_every_reader_reads_the_version(
    session: Session,
) -> None:
    take(
        session,
        "1.csv",
        "a,2024-01-01,2024-01-01T00:00:00Z,1e308",
        "b,0000-01-01,2024-01-01T00:00:00Z,1",
        "c,2024-01-01,0001-01-01T00:00:00+02:00,1",
        "d,2024-01-01,9999-12-31T23:59:59-02:00,1",
        "e,2024-01-01,2024-01-01T00:00:00Z,1e400",
        "f,2024-01-01,2024-01-01T00:00:00Z,-1e-400",
        "g,0001-01-01,9999-12-31T23:59:59.999999Z,inf",
    )
    aside = {
        row["record"].partition(",")[0]: row["rules"]
        for row in list_quarantine(session, session.catalog.get("moments"))
    }
    assert aside == {"b": ["type:d"], "c": ["type:t"], "d": ["type:t"], "e": ["type:n"], "f": ["type:n"]}
    snapshot = open_snapshot("moments@v1", home=session.settings.home.root, tenant=session.settings.tenant)
    rows = {row["id"]: row for row in snapshot.arrow().to_pylist()}
    assert rows["g"]["d"].isoformat() == "0001-01-01"
    assert rows["g"]["t"].isoformat() == "9999-12-31T23:59:59.999999+00:00"
    assert (rows["a"]["n"], rows["g"]["n"]) == (1e308, math.inf)
    assert [str(item) for item in sorted(snapshot.pandas()["d"])] == ["0001-01-01", "2024-01-01"]
    assert sorted(snapshot.polars()["d"].to_list()) == sorted(row["d"] for row in rows.values())


def test_feature_table_with_such_a_date_is_no_version(session: Session) -> None:
    result = take(session, "1.csv", "a,9999-01-01,2024-01-01T00:00:00Z,1")
    assert [hop.verdict.value for hop in result.hops] == ["passed", "passed", "blocked"]
    assert "type:d (1 of 1)" in result.hops[2].reason


def test_version_of_an_older_release_with_such_values_is_judged_and_shown(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(typed_frame, "ENDS", {})
        older.setattr(
            fast_typing,
            "PLAIN",
            {kind: replace(item, least=None) for kind, item in fast_typing.PLAIN.items()},
        )
        take(
            session,
            "1.csv",
            "a,0000-01-01,9999-12-31T23:59:59-02:00,1",
            "b,0000-01-01,0000-01-01T00:00:00Z,1",
        )
    assert told(session, 1)["least-d"] == "the least value is before 0001-01-01"
    assert told(session, 1)["most-t"] == "the greatest value is after 9999-12-31T23:59:59.999999+00:00"
    assert told(session, 1)["common-d"] == "1 values stand most often, 0 of them in the set"
    second = take(session, "2.csv", "c,2024-01-01,2024-01-01T00:00:00Z,1")
    assert told(session, 2)["common-d"] == "1 values stand most often, 1 of them in the set"
    assert [hop.verdict.value for hop in second.hops[:2]] == ["passed", "passed"]
    table = open_snapshot(
        "moments@v2", home=session.settings.home.root, tenant=session.settings.tenant
    ).arrow()
    assert table.num_rows == 3
    assert ENDS["date"][0] == "0001-01-01"
