"""A rule that sets most of a delivery aside for the first time is told,
with an example that holds nothing personal (P6).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.server

PEOPLE = """apiVersion: v3.1.0
kind: DataContract
id: people
name: people
version: 1.0.0
status: active
schema:
  - name: people
    logicalType: object
    physicalType: table
    properties:
      - {name: id, logicalType: integer, classification: public, required: true, primaryKey: true, \
primaryKeyPosition: 1}
      - {name: fare, logicalType: string, classification: public}
      - {name: rider, logicalType: string, classification: personal}
    quality:
      - id: fare-known
        type: custom
        engine: greatExpectations
        severity: quarantine
        implementation: {type: expect_rows_to_satisfy, \
kwargs: {condition: "fare not like 'ni%' and rider is not null"}}
customProperties:
  - {property: writeMode, value: append}
  - {property: file, value: {format: csv, delimiter: ','}}
  - {property: maxQuarantined, value: 1}
"""


@pytest.fixture(scope="module")
def lake(open_lake: Any, empty_home: Any, command_line: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    project = tmp_path_factory.mktemp("project")
    project = project / "own"
    assert command_line("init", project).code == 0
    contracts = project / "catalog" / "contracts"
    (contracts / "people.odcs.yaml").write_text(PEOPLE)
    log = PEOPLE.replace("people", "log") + "  - {property: duplicateKeys, value: {keep: last}}\n"
    (contracts / "log.odcs.yaml").write_text(log)
    return open_lake(empty_home, project=project)


def test_rule_that_sets_most_rows_aside_for_the_first_time_is_told_with_a_masked_example(lake: Any) -> None:
    needle = "Anna Needle"
    first = lake.file(
        "a.csv", f"id,fare,rider\n1,ok,An\n2,nine,Bo\n3,ni<b>ne[red],{needle}\n4,nine,Di\n".encode()
    )
    (result,) = lake.ingest("people", first)
    assert "reason" in result["hops"][1], result
    told = result["hops"][1]["reason"]
    assert told.startswith(
        "fare-known quarantines 3 of 4 rows of this delivery, the first that it judged: is the rule right?"
    )
    assert 'Record 2 has fare: "nine", rider: ***.' in told
    (noted,) = lake.manifest("people", 1)["notes"]["mostly_aside"]
    assert noted == {
        "rule": "fare-known",
        "failed": 3,
        "of": 4,
        "after": 0,
        "record": 2,
        "fields": {"fare": "nine", "rider": "***"},
    }

    again = lake.ingest("people", lake.file("b.csv", b"id,fare,rider\n5,nine,An\n6,nine,Bo\n"), code=4)
    assert "reason" not in again[0]["hops"][1] or "is the rule right" not in again[0]["hops"][1]["reason"]
    assert "mostly_aside" not in lake.manifest("people", 2)["notes"]

    lake.ingest("people", lake.file("c.csv", b"id,fare,rider\n7,ok,An\n8,ok,Bo\n9,nine,Bo\n"))
    assert "mostly_aside" not in lake.manifest("people", 3)["notes"]
    printed = lake.run(
        "ingest",
        "people",
        lake.file("d.csv", f"id,fare,rider\n10,ni<b>ne[red],{needle}\n11,nine,{needle}\n".encode()),
    )
    assert (
        "delivery; of people@v3 it did not: is the rule right? Record 1 has fare: "
        '"ni\\u003cb\\u003ene\\u005bred\\u005d", rider: ***.' in printed.err
    )
    assert needle not in printed.err + json.dumps(lake.manifest("people", 4))


def test_rehearsal_tells_nothing_where_the_version_before_had_it(lake: Any) -> None:
    path = lake.file("e.csv", b"id,fare,rider\n20,ok,Anna\n21,ok,Bert\n")
    printed = lake.run("ingest", "people", path, "--dry-run")
    assert "is the rule right" not in printed.err


def test_rows_that_come_again_are_no_rules_mistake_and_a_key_that_repeats_within_the_file_is(
    lake: Any,
) -> None:
    def told(dataset: str, name: str, *keys: int, code: int = 0) -> str:
        rows = "".join(f"{key},ok,An\n" for key in keys)
        (result,) = lake.ingest(dataset, lake.file(name, f"id,fare,rider\n{rows}".encode()), code=code)
        assert result["hops"][1]["version"], result
        return str(result["hops"][1].get("reason", ""))

    assert told("people", "g.csv", 50, 51, 52) == ""
    assert "is the rule right" not in told("people", "h.csv", 50, 51, 52, 53), (
        "rows that are published already"
    )
    assert told("people", "i.csv", 60, 61) == ""
    twice = told("people", "j.csv", 60, 61, 70, 70, 71, 71, 71, code=4)
    assert "key quarantines 5 of 7 rows of this delivery; of people@v7 it did not" in twice, (
        "two came again, five repeat in the file"
    )
    assert 'Record 3 has id: "70".' in twice
    assert "is the rule right" not in told("log", "a.csv", 1, 1, 1, 1, 2), (
        "one of several is kept, as the contract says"
    )
