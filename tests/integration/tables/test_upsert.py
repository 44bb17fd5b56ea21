"""An upsert table: rows of one key follow each other, and every valid row is accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from cli.progress import Progress
from expectations.verdict import Verdict
from lake.decisions.replay import replay
from lake.maintenance.verify import audit
from lake.pipeline.ingest import ingest
from lake.reports.versions import list_quarantine
from lake.session import Session, open_session
from lake.versions.publish import manifest_at
from lakegate import open_snapshot
from lakegate.manifest import Manifest
from lakegate.names import VersionName
from lakegate.settings import Settings

pytestmark = pytest.mark.server

RIDERS = """
apiVersion: v3.2.0
kind: DataContract
id: riders
name: riders
version: 1.0.0
status: draft
schema:
  - name: riders
    properties:
      - {name: rider, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: city, logicalType: string}
      - {name: changed, logicalType: timestamp, required: true}
      - {name: left, logicalType: boolean}
customProperties:
  - {property: writeMode, value: upsert}
  - property: upsert
    value: {orderBy: changed, tombstone: {left: true}}
"""


CITIES = """    quality:
      - id: known-city
        type: custom
        engine: greatExpectations
        severity: quarantine
        implementation:
          type: expect_column_values_to_be_in_set
          kwargs: {column: city, value_set: [Oslo, Bergen]}
"""


@pytest.fixture
def session(lakefs_home: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Session]:
    contracts = tmp_path / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    (contracts / "riders.odcs.yaml").write_text(RIDERS)
    tenant = f"t{abs(hash(request.node.name)) % 10**8}"
    return open_session(replace(lakefs_home, project=tmp_path, tenant=tenant), say=print)


def take(session: Session, folder: Path, name: str, *rows: str) -> Manifest:
    """Ingest a delivery of `rider,city,day,left`; what the manifest of its version says."""
    listed = [row.split(",") for row in rows]
    body = "".join(
        f"{rider},{city},2024-01-{day:0>2}T00:00:00Z,{left}\n" for rider, city, day, left in listed
    )
    (folder / name).write_text(f"rider,city,changed,left\n{body}")
    (result,) = ingest(session, "riders", [folder / name])
    version = result.hops[1].version
    assert version is not None, result
    return manifest_at(session.repository, "main", VersionName.parse(version))


def riders(session: Session, version: str) -> dict[int, str | None]:
    table = open_snapshot(version, home=session.settings.home.root, tenant=session.settings.tenant).arrow(
        ["rider", "city"]
    )
    return dict(zip(table["rider"].to_pylist(), table["city"].to_pylist(), strict=True))


def fates(manifest: Manifest) -> dict[str, int]:
    counts = manifest.counts
    found = {
        name: getattr(counts, name)
        for name in ("inserted", "updated", "unchanged", "tombstones", "outdated", "deleted")
    }
    return {name: count for name, count in found.items() if count}


def test_key_is_inserted_updated_deleted_and_comes_again(session: Session, tmp_path: Path) -> None:
    first = take(session, tmp_path, "1.csv", "1,Oslo,1,", "2,Bergen,1,", "3,Bodø,2,")
    second = take(session, tmp_path, "2.csv", "1,Tromsø,2,", "2,Bergen,1,", "4,Oslo,2,", "3,Bodø,1,")
    third = take(session, tmp_path, "3.csv", "1,,3,true", "2,Molde,3,", "1,Late,2,")
    late = take(session, tmp_path, "4.csv", "1,Early,1,", "4,Hamar,4,")
    again = take(session, tmp_path, "5.csv", "1,Skien,5,")
    told = [fates(item) for item in (first, second, third, late, again)]
    assert told[0] == {"inserted": 3}
    assert told[1] == {"inserted": 1, "updated": 1, "unchanged": 1, "outdated": 1}
    assert told[2] == {"updated": 1, "tombstones": 1, "deleted": 1, "outdated": 1}
    assert told[3] == {"updated": 1, "outdated": 1}
    assert told[4] == {"inserted": 1}
    assert riders(session, "riders@v1") == {1: "Oslo", 2: "Bergen", 3: "Bodø"}
    assert riders(session, "riders@v3") == {2: "Molde", 3: "Bodø", 4: "Oslo"}
    assert riders(session, "riders@v5") == {1: "Skien", 2: "Molde", 3: "Bodø", 4: "Hamar"}
    assert [
        sum(item.rows for item in manifest.tombstones) for manifest in (first, second, third, late, again)
    ] == [0, 0, 1, 1, 0]
    assert not any(audit(session, manifest.name) for manifest in (first, second, third, late, again))


def test_rows_that_newer_ones_keep_out_are_told(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take(session, tmp_path, "1.csv", "1,Oslo,3,", "2,Oslo,3,")
    (tmp_path / "2.csv").write_text(
        "rider,city,changed,left\n1,Bergen,2024-01-02T00:00:00Z,\n2,Bergen,2024-01-02T00:00:00Z,\n"
    )
    (result,) = ingest(session, "riders", [tmp_path / "2.csv"])
    Progress(quiet=False).drop(result)
    assert "2 rows, 2 outdated   table 2" in capsys.readouterr().err


def test_content_is_the_same_whatever_order_drops_come_in(session: Session, tmp_path: Path) -> None:
    drops = [
        ("a.csv", "1,Oslo,1,", "2,Bergen,4,"),
        ("b.csv", "1,Tromsø,3,", "3,Bodø,3,"),
        ("c.csv", "2,,2,true", "3,,5,true", "1,Hamar,2,"),
    ]
    other = open_session(replace(session.settings, tenant=f"{session.settings.tenant}b"), say=print)
    for name, *rows in drops:
        forth = take(session, tmp_path, name, *rows)
    for name, *rows in reversed(drops):
        back = take(other, tmp_path, name, *rows)
    assert forth.content_hash == back.content_hash
    assert riders(session, "riders@v3") == {1: "Tromsø", 2: "Bergen"}


def test_rows_that_tie_are_decided_the_same_way_whatever_order_drops_come_in(
    session: Session, tmp_path: Path
) -> None:
    """Of rows, of a row and a tombstone, and of repeats: an unchanged row of the greater drop counts from
    then on.
    """
    drops = [
        ("a.csv", "1,Oslo,1,", "2,Oslo,1,", "3,Oslo,1,"),
        ("b.csv", "1,Bergen,1,", "2,Oslo,1,true"),
        ("c.csv", "1,Oslo,1,", "3,Hamar,1,", "3,Bodø,1,"),
    ]
    contents = set()
    for number, order in enumerate(permutations(drops)):
        other = open_session(
            replace(session.settings, tenant=f"{session.settings.tenant}n{number}"), say=print
        )
        for name, *rows in order:
            last = take(other, tmp_path, name, *rows)
        contents.add((last.content_hash, *sorted(riders(other, "riders@v3").items())))
    assert len(contents) == 1, contents


def test_row_without_a_number_for_its_order_is_set_aside(session: Session, tmp_path: Path) -> None:
    contract = tmp_path / "catalog" / "contracts" / "riders.odcs.yaml"
    contract.write_text(RIDERS.replace("changed, logicalType: timestamp", "changed, logicalType: number"))
    fresh = open_session(session.settings, say=print)
    (tmp_path / "1.csv").write_text(
        "rider,city,changed,left\n1,Oslo,1,\n2,Oslo,NaN,\n3,Oslo,inf,\n4,Oslo,-inf,\n5,Oslo,9007199254740993,\n"
    )
    (result,) = ingest(fresh, "riders", [tmp_path / "1.csv"])
    assert riders(fresh, "riders@v1") == {1: "Oslo", 5: "Oslo"}
    listed = list_quarantine(fresh, fresh.catalog.get("riders"))
    assert [row["rules"] for row in listed] == [["order:changed"]] * 3
    # 2^53 + 1 is 2^53 to a double, which is not below it; nor are the three.
    assert {rule["rule"]: rule["failed"] for rule in result.hops[1].rules if "order" in rule["rule"]} == {
        "order:changed": 3,
        "exact-order:changed": 4,
    }


def test_rows_set_aside_are_kept_from_drop_to_drop(session: Session, tmp_path: Path) -> None:
    take(session, tmp_path, "1.csv", "1,Oslo,1,", "x,Bergen,1,")
    second = take(session, tmp_path, "2.csv", "1,Oslo,1,", "2,Bergen,1,perhaps")
    listed: list[dict[str, Any]] = list_quarantine(session, session.catalog.get("riders"))
    assert [row["rules"] for row in listed] == [["required:rider", "type:rider"], ["type:left"]]
    assert second.verdict == Verdict.QUARANTINED
    assert second.balance["open"] == 2


def test_row_that_comes_back_keeps_its_place_in_the_order(session: Session, tmp_path: Path) -> None:
    """Of three that were set aside for a city that nobody knew, one is older by now than what stands."""
    contract = tmp_path / "catalog" / "contracts" / "riders.odcs.yaml"
    contract.write_text(RIDERS.replace("customProperties:", CITIES + "customProperties:", 1))
    take(session, tmp_path, "1.csv", "1,Hamar,1,", "2,Hamar,3,", "3,Hamar,1,", "3,Oslo,2,")
    take(session, tmp_path, "2.csv", "1,Oslo,2,", "2,Bergen,2,")
    contract.write_text(RIDERS)
    fresh = open_session(session.settings, say=print)
    done = replay(fresh, fresh.catalog.get("riders"))
    assert (done.requested, done.passing) == (3, 3)
    assert done.hop is not None
    assert done.hop.version == "riders@v3"
    manifest = manifest_at(fresh.repository, "main", VersionName("riders", 3))
    assert fates(manifest) == {"updated": 1, "outdated": 2}
    assert manifest.balance == {"set_aside": 3, "open": 0, "replayed": 1, "discarded": 0, "superseded": 2}
    assert riders(fresh, "riders@v3") == {1: "Oslo", 2: "Hamar", 3: "Oslo"}
    assert not audit(fresh, manifest.name)
