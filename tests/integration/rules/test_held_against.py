"""Rules that hold rows against other datasets, the published table and the time of the delivery,
carried through a lake.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.server.lifecycle import stop_server
from lakegate import open_snapshot
from lakegate.settings import Settings
from tests.support.commands.command_line import CommandLine, Lake

pytestmark = pytest.mark.server

STOPS = """
apiVersion: v3.2.0
kind: DataContract
id: stops
name: stops
version: 1.0.0
status: draft
schema:
  - name: stops
    properties:
      - {name: city, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: stop, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 2}
      - {name: land, logicalType: string}
customProperties:
  - {property: writeMode, value: replace}
"""
RIDES = """
apiVersion: v3.2.0
kind: DataContract
id: rides
name: rides
version: 1.0.0
status: draft
schema:
  - name: rides
    properties:
      - {name: ride, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: city, logicalType: string}
      - {name: stop, logicalType: integer}
      - {name: land, logicalType: string}
      - {name: at, logicalType: timestamp}
      - {name: size, logicalType: integer}
    relationships:
      - from: [rides.city, rides.stop]
        to: [stops.city, stops.stop]
        customProperties: [{property: severity, value: quarantine}]
    quality:
      - {id: size, type: custom, engine: greatExpectations, severity: quarantine,
         implementation: {type: expect_column_values_to_be_between, kwargs: {column: size, \
max_value: LARGEST}}}
      - {id: future, type: custom, engine: greatExpectations, severity: quarantine,
         implementation: {type: expect_column_values_to_be_before_delivery, kwargs: {column: at}}}
      - {id: late, type: custom, engine: greatExpectations, severity: quarantine,
         implementation: {type: expect_column_values_to_be_within_watermark, kwargs: {column: at, \
max_late_seconds: 86400}}}
      - {id: agrees, type: custom, engine: greatExpectations, severity: quarantine,
         implementation: {type: expect_column_to_agree_with_reference,
                          kwargs: {column: land, on: [city], reference: stops, reference_on: [city], \
reference_column: land}}}
      - {id: again, type: custom, engine: greatExpectations, severity: block,
         implementation: {type: expect_rows_not_to_be_delivered_again, kwargs: {column_list: [ride], \
max_share: 0.5}}}
customProperties:
  - {property: writeMode, value: append}
  - {property: duplicateKeys, value: {keep: last, orderBy: [at]}}
  - {property: unexpectedColumns, value: ignore}
"""
JANUARY = """ride,city,stop,land,at,size
a,Aarhus,1,DK,2024-01-10T10:00:00Z,1
b,Aarhus,9,DK,2024-01-10T11:00:00Z,1
c,Aarhus,2,NO,2024-01-10T12:00:00Z,1
d,Aarhus,2,,2999-01-10T12:00:00Z,1
e,Aarhus,2,DK,2024-01-10T09:00:00Z,70
f,Aarhus,,DK,2024-01-10T14:00:00Z,1
f,Aarhus,1,DK,2024-01-10T13:00:00Z,1
"""
MARCH = """ride,city,stop,land,at,size,colour
g,Aarhus,1,DK,2024-03-10T10:00:00Z,1,red
h,Aarhus,1,DK,2024-01-05T10:00:00Z,1,red
a,Aarhus,1,DK,2024-03-10T10:00:00Z,1,red
"""


@pytest.fixture(scope="module")
def lakes(
    tmp_path_factory: pytest.TempPathFactory, empty_home: Path, command_line: CommandLine
) -> Iterator[Lake]:
    project, home = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("held") / "home"
    (project / "catalog" / "contracts").mkdir(parents=True)
    (project / "catalog" / "contracts" / "stops.odcs.yaml").write_text(STOPS)
    (project / "catalog" / "contracts" / "rides.odcs.yaml").write_text(RIDES.replace("LARGEST", "9"))
    shutil.copytree(empty_home, home)
    lake = Lake(Settings.load(home=home, project=project), command_line, home.parent / "files")
    yield lake
    stop_server(lake.settings.home)


def aside(lake: Lake) -> dict[str, list[str]]:
    return {
        item["record"].split(",")[0] + str(item["row"]): item["rules"]
        for item in lake.run("quarantine", "rides", "--json").json
    }


def test_rules_are_held_against_what_stands_and_a_replay_against_what_stood(lakes: Lake) -> None:
    january = lakes.file("january.csv", JANUARY.encode())
    waits = lakes.run("ingest", "rides", january, "--json")
    assert "stops" in waits.out
    lakes.ingest("stops", lakes.file("stops.csv", b"city,stop,land\nAarhus,1,DK\nAarhus,2,DK\n"))
    lakes.ingest("rides", january)
    first = {
        "b2": ["fk:city,stop->stops.city,stop"],
        "c3": ["agrees"],
        "d4": ["future"],
        "e5": ["size"],
        "f7": ["key"],
    }
    assert aside(lakes) == first
    assert lakes.run("versions", "rides", "--json").json[-1]["rows_total"] == 2
    lakes.ingest("rides", lakes.file("march.csv", MARCH.encode()))
    assert aside(lakes) == first | {"h2": ["late"], "a3": ["key"]}
    again = "ride,city,stop,land,at,size\na,,,,,\ng,,,,,\nz,,,,,\n"
    blocked = lakes.run("ingest", "rides", lakes.file("again.csv", again.encode()), "--json")
    assert (blocked.code, "again" in blocked.err + blocked.out) == (3, True)
    (lakes.settings.project / "catalog" / "contracts" / "rides.odcs.yaml").write_text(
        RIDES.replace("LARGEST", "99")
    )
    done = lakes.run("replay", "rides", "--json")
    assert done.json["rows_passing"] == 1
    assert aside(lakes) == {
        name: rules for name, rules in (first | {"h2": ["late"], "a3": ["key"]}).items() if name != "e5"
    }


RIDES_AT_STOPS = """
apiVersion: v3.2.0
kind: DataContract
id: rides_at_stops
name: rides_at_stops
version: 1.0.0
status: draft
schema:
  - name: rides_at_stops
    properties:
      - {name: ride, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: stop, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 2}
      - {name: land, logicalType: string}
      - {name: size, logicalType: integer}
    relationships:
      - {from: rides_at_stops.ride, to: rides.ride, customProperties: [{property: severity, value: block}]}
    quality:
      - {id: fan-out, type: custom, engine: greatExpectations, severity: warn, \
implementation: {type: expect_sum_to_agree_with_reference,
         kwargs: {column: size, by: [ride], reference: rides, reference_column: size, reference_by: [ride]}}}
      - {id: once, type: custom, engine: greatExpectations, severity: warn, \
implementation: {type: expect_sum_to_agree_with_reference,
         kwargs: {column: size, reference: rides, reference_column: size, row_condition: stop = 1}}}
      - {id: land, type: custom, engine: greatExpectations, severity: warn, \
implementation: {type: expect_column_to_agree_with_reference,
         kwargs: {column: land, on: [ride], reference: rides, reference_on: [ride], reference_column: land}}}
      - {id: city, type: custom, engine: greatExpectations, severity: warn, \
implementation: {type: expect_column_to_agree_with_reference,
         kwargs: {column: land, on: [stop], reference: stops, reference_on: [stop], reference_column: city}}}
customProperties:
  - {property: kind, value: feature}
  - {property: sql, value: rides_at_stops.sql}
  - {property: driver, value: stops}
  - {property: inputs, value: [rides, stops]}
"""


def test_feature_table_is_held_against_the_inputs_that_it_was_made_from(lakes: Lake) -> None:
    catalog = lakes.settings.project / "catalog"
    (catalog / "sql").mkdir()
    sql = (
        "SELECT r.ride, s.stop, r.land, r.size, s._drop, s._row FROM rides AS r "
        "JOIN stops AS s ON r.city = s.city"
    )
    (catalog / "sql" / "rides_at_stops.sql").write_text(sql)
    (catalog / "contracts" / "rides_at_stops.odcs.yaml").write_text(RIDES_AT_STOPS)
    lakes.ingest("stops", lakes.file("stops-2.csv", b"city,stop,land\nAarhus,1,DK\nAarhus,2,DK\nOslo,1,NO\n"))
    made = lakes.manifest("rides_at_stops", 2)
    rides = lakes.run("versions", "rides", "--json").json[-1]
    assert {item["table"]: item["version"] for item in made["parents"]} == {
        "rides": rides["version"],
        "stops": 2,
    }
    assert made["counts"]["after"] == 2 * rides["rows_total"]
    assert {item["rule"]: item["failed"] for item in made["rules"]} == {
        **dict.fromkeys(("required:ride", "required:stop", "key", "max-shrink", "fk:ride->rides.ride"), 0),
        "fan-out": 1,
        "once": 0,
        "land": 0,
        "city": 2 * rides["rows_total"],
    }
    told = lakes.repository.get_json("main", "_lakegate/evidence/rides_at_stops/v2.json")
    assert told is not None
    (fan_out,) = [
        item
        for item in told["report"]["results"]
        if item["expectation_config"]["meta"]["lakegate"]["rule"] == "fan-out"
    ]
    assert fan_out["result"]["observed_value"] == rides["rows_total"]


def test_feature_table_keeps_what_its_contract_declares(lakes: Lake) -> None:
    sql = lakes.settings.project / "catalog" / "sql" / "rides_at_stops.sql"
    right = sql.read_text()
    broken = {
        "key": ("s.stop", "1 AS stop"),
        "required:stop": ("s.stop", "nullif(s.stop, 2) AS stop"),
        "fk:ride->rides.ride": ("r.ride", "concat(r.ride, s.stop) AS ride"),
    }
    for number, (rule, (old, new)) in enumerate(broken.items(), start=3):
        sql.write_text(right.replace(old, new, 1))
        stops = f"city,stop,land\nAarhus,1,DK\nAarhus,2,DK\nOslo,{number},NO\n"
        done = lakes.run("ingest", "stops", lakes.file(f"stops-{number}.csv", stops.encode()), "--json")
        hop = done.one["hops"][-1]
        assert (done.code, hop["hop"], hop["verdict"], hop["version"]) == (3, "features", "blocked", None)
        assert [item["rule"] for item in hop["rules"] if item["failed"] and item["severity"] == "block"] == [
            rule
        ]
    sql.write_text(right.replace("s.stop", "s.stop * cast(1000000000 AS bigint) * 1000000000 AS stop", 1))
    back = lakes.run("rollback", "stops", "--to", "v3", "--reason", "a test", "--json")
    assert (back.code, back.json["version"]) == (2, "stops@v6"), (
        "what was published is told, though nothing could follow"
    )
    assert re.search(
        rf"{sql}:1: rides_at_stops.stop would be a whole number of more than 18 digits in [0-9]+ rows",
        back.err,
    )
    assert "again" not in back.err, "it is final"
    assert len(lakes.run("versions", "rides_at_stops", "--json").json) == 2
    sql.write_text(right.replace("s.stop", "cast(s.stop AS int) AS stop", 1))
    lakes.ingest("stops", lakes.file("stops-7.csv", b"city,stop,land\nAarhus,1,DK\nAarhus,2,DK\n"))
    made = open_snapshot("rides_at_stops@v7", home=lakes.settings.home.root).arrow()
    assert str(made.schema.field("stop").type) == "int64"
