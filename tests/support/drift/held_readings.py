"""Readings whose mean holds a drop, in minutes or in seconds."""

from __future__ import annotations

READINGS = """\
apiVersion: v3.2.0
kind: DataContract
id: readings
name: readings
version: 1.0.0
status: active
schema:
  - name: readings
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1, \
classification: public}
      - {name: day, logicalType: integer, required: true, classification: public}
      - {name: minutes, logicalType: integer, classification: public}
    quality:
      - id: minutes-mean
        type: custom
        engine: greatExpectations
        severity: hold
        implementation: {type: expect_column_mean_to_be_between, kwargs: {column: minutes, min_value: 50, \
max_value: 150}}
customProperties:
  - {property: writeMode, value: append}
  - {property: orderBy, value: day}
"""
AS_DELIVERED, IN_SECONDS = 1, 60


def day(number: int, unit: int = AS_DELIVERED) -> bytes:
    """Ten readings of about a hundred minutes."""
    rows = [f"{10 * number + at},{number},{(95 + at) * unit}" for at in range(10)]
    return ("\n".join(["id,day,minutes", *rows]) + "\n").encode()
