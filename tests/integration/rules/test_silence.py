"""What a person expects a word about: a full delivery of a few rows where many stand,
and a delivery of which no row is taken.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.server

TABLE = """\
apiVersion: v3.2.0
kind: DataContract
id: {name}
name: {name}
version: 1.0.0
status: active
schema:
  - name: {name}
    properties:
      - {{name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1, \
classification: public}}
      - {{name: told, logicalType: integer, required: true, classification: public}}
    quality:
      - id: told-range
        type: custom
        engine: greatExpectations
        severity: quarantine
        implementation: {{type: expect_column_values_to_be_between, kwargs: {{column: told, min_value: 0}}}}
customProperties:
  - {{property: writeMode, value: {mode}}}
"""
UPSERT = "  - {property: upsert, value: {orderBy: told}}\n"
FEATURE = """\
apiVersion: v3.2.0
kind: DataContract
id: early
name: early
version: 1.0.0
status: active
schema:
  - name: early
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1, \
classification: public}
customProperties:
  - {property: kind, value: feature}
  - {property: sql, value: early.sql}
  - {property: driver, value: prices}
  - {property: inputs, value: [prices]}
"""


def rows(count: int, *, first: int = 0, told: int = 1) -> bytes:
    return ("id,told\n" + "".join(f"{first + number},{told}\n" for number in range(count))).encode()


@pytest.fixture(scope="module")
def lake(
    open_lake: Any, empty_home: Path, command_line: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    project = tmp_path_factory.mktemp("silence") / "project"
    assert command_line("init", project).code == 0
    contracts = {"prices": "replace", "visits": "append", "stock": "upsert"}
    for name, mode in contracts.items():
        text = TABLE.format(name=name, mode=mode) + UPSERT * (mode == "upsert")
        (project / f"catalog/contracts/{name}.odcs.yaml").write_text(text)
    (project / "catalog/contracts/early.odcs.yaml").write_text(FEATURE)
    (project / "catalog/sql/early.sql").write_text("SELECT id, _drop, _row FROM prices WHERE id < 300\n")
    return open_lake(empty_home, project=project)


def hop(result: Any, name: str) -> Any:
    (found,) = [item for item in result["hops"] if item["hop"] == name]
    return found


def none_taken(lake: Any, table: str) -> list[tuple[int, int]]:
    (state,) = [item for item in lake.run("status", "--json").json["tables"] if item["table"] == table]
    return [(item["version"], item["rows"]) for item in state["none_taken"]]


def test_full_delivery_that_takes_most_of_the_table_away_waits_for_a_person(lake: Any) -> None:
    lake.ingest("prices", lake.file("a.csv", rows(560)))
    few = lake.file("b.csv", rows(10, first=300))
    tried = lake.run("ingest", "prices", few, "--dry-run")
    (held,) = lake.ingest("prices", few, code=3)
    assert (tried.code, held["verdict"]) == (3, "held")
    said = "held by max-shrink (10 rows where the table has 560, the contract allows to lose 50%)"
    assert said in hop(held, "processed")["reason"]
    assert said in tried.err
    assert lake.manifest("prices", 1)["counts"]["after"] == 560

    approved = lake.run(
        "approve",
        hashlib.sha256(few.read_bytes()).hexdigest()[:12],
        "--reason",
        "the others were sold",
        "--json",
    )
    assert approved.code == 0, approved
    assert lake.manifest("prices", 2)["counts"]["after"] == 10
    (outcome,) = [rule for rule in hop(approved.one, "features")["rules"] if rule["rule"] == "max-shrink"]
    assert (outcome["severity"], outcome["failed"]) == ("warn", 1), (
        "a feature table follows its inputs, and says that it lost all"
    )
    assert lake.manifest("early", 2)["counts"]["after"] == 0

    contract = lake.settings.project / "catalog/contracts/prices.odcs.yaml"
    contract.write_text(contract.read_text() + "  - {property: maxShrink, value: none}\n")
    lake.ingest("prices", lake.file("c.csv", rows(1)))


def test_table_may_lose_half_of_its_rows_and_a_few_of_few(lake: Any) -> None:
    contract = lake.settings.project / "catalog/contracts/prices.odcs.yaml"
    contract.write_text(TABLE.format(name="prices", mode="replace"))
    for count in (9, 2, 40, 20):
        lake.ingest("prices", lake.file(f"{count}.csv", rows(count, told=3)))


def test_delivery_of_which_no_row_is_taken_has_a_code_of_its_own_and_is_red_until_somebody_decides(
    lake: Any,
) -> None:
    lake.ingest("visits", lake.file("v1.csv", rows(3)))
    bad = {
        name: lake.file(f"{name}.csv", rows(4, first=first, told=-1))
        for name, first in (("v2", 10), ("v3", 20), ("v4", 30))
    }
    (result,) = lake.ingest("visits", bad["v2"], code=4)
    assert (result["verdict"], hop(result, "processed")["none_taken"]) == ("quarantined", True)
    lake.ingest("visits", bad["v3"], bad["v4"], lake.file("v5.csv", rows(3, first=100)), code=4)
    assert none_taken(lake, "visits") == [(2, 4), (3, 4), (4, 4)]
    shown = lake.run("status").out
    assert "no row was taken of drop" in shown
    assert "(visits@v3), all 4 are quarantined: `lakegate quarantine visits` lists them" in shown
    (again,) = lake.ingest("visits", bad["v2"], code=4)
    assert again["verdict"] == "unchanged"

    drops = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in bad.items()}
    assert lake.run("discard", "visits", "--drop", drops["v3"], "--reason", "sensor was off").code == 0
    assert none_taken(lake, "visits") == [(2, 4), (4, 4)]
    contract = lake.settings.project / "catalog/contracts/visits.odcs.yaml"
    contract.write_text(contract.read_text().replace("min_value: 0", "min_value: -1"))
    assert lake.run("replay", "visits", "--drop", drops["v2"]).code == 0
    assert none_taken(lake, "visits") == [(4, 4)]
    lake.ingest("visits", bad["v2"])
    lake.ingest("visits", lake.file("v6.csv", rows(1, first=200)))
    assert none_taken(lake, "visits") == [(4, 4)], "what follows doesn't hide it"
    assert lake.run("reprocess", "visits").code == 0
    assert none_taken(lake, "visits") == []
    contract.write_text(contract.read_text().replace("min_value: -1", "min_value: 5"))
    whole = lake.run("reprocess", "visits")
    assert whole.code == 4
    assert "no row was taken" in whole.err
    assert "--supersede" not in whole.err
    made = lake.run("versions", "visits", "--json").json[-1]["version"]
    assert none_taken(lake, "visits") == [(made, count) for count in (3, 4, 4, 4, 3, 1)]
    assert lake.run("discard", "visits", "--drop", drops["v3"], "--reason", "sensor was off").code == 0
    contract.write_text(contract.read_text().replace("min_value: 5", "min_value: 6"))
    assert lake.run("reprocess", "visits").code == 4
    assert none_taken(lake, "visits") == [(made, count) for count in (3, 4, 4, 3, 1)], (
        "what was discarded stays decided"
    )
    assert lake.run("rollback", "visits", "--to", "visits@v3", "--reason", "to look at it").code == 0
    assert none_taken(lake, "visits") == [(2, 4), (3, 4)]


def test_rows_that_are_all_outdated_are_none_that_is_taken_and_none_to_decide_on(lake: Any) -> None:
    lake.ingest("stock", lake.file("s1.csv", rows(3, told=5)))
    old = lake.file("s2.csv", rows(2, told=4))
    (late,) = lake.ingest("stock", old, code=4)
    assert (
        hop(late, "processed")["reason"]
        == "no row was taken, all 2 are outdated: stock has later ones of their keys"
    )
    lake.ingest("stock", lake.file("s3.csv", rows(3, told=5) + b"9,5\n"))
    (mixed,) = lake.ingest("stock", lake.file("s4.csv", b"id,told\n1,3\n2,-2\n"), code=4)
    assert "1 is quarantined by told-range (1 of 2), 1 is outdated" in hop(mixed, "processed")["reason"]
    assert none_taken(lake, "stock") == []
    lake.ingest("stock", old)
