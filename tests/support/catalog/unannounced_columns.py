"""Contracts whose deliveries bring columns that nobody announced."""

from __future__ import annotations

from tests.support.commands.command_line import Lake

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
      - {name: size, logicalType: integer}
      - name: extras
        logicalType: object
        properties:
          - {name: seat, logicalType: integer, required: true}
          - {name: mail, logicalType: string, classification: personal}
    quality:
      - {id: size, type: custom, engine: greatExpectations, severity: quarantine,
         implementation: {type: expect_column_values_to_be_between, kwargs: {column: size, \
max_value: LARGEST}}}
customProperties:
  - {property: writeMode, value: append}
  - {property: unexpectedColumns, value: rescue}
"""
NEEDLE = "n33dle-in-a-column-of-nobody"


def contract(lake: Lake, largest: str) -> None:
    (lake.settings.project / "catalog" / "contracts" / "rides.odcs.yaml").write_text(
        RIDES.replace("LARGEST", largest)
    )


READINGS = """
apiVersion: v3.2.0
kind: DataContract
id: readings
name: readings
version: 1.0.0
status: draft
schema:
  - name: readings
    properties:
      - {name: reading, physicalName: "Nr.", logicalType: integer, required: true, primaryKey: true, \
primaryKeyPosition: 1}
      - {name: co_gt, physicalName: "CO(GT)", logicalType: number}
      - {name: mail, physicalName: "E-Mail", logicalType: string, classification: personal}
    quality:
      - {id: co, type: custom, engine: greatExpectations, severity: quarantine,
         implementation: {type: expect_column_values_to_be_between, kwargs: {column: co_gt, \
max_value: LARGEST}}}
customProperties:
  - {property: writeMode, value: append}
  - {property: orderBy, value: reading}
"""
