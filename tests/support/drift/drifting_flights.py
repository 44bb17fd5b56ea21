"""Flights with a drift rule, and months of them in minutes or seconds."""

from __future__ import annotations

from typing import Any

FLIGHTS = """\
apiVersion: v3.2.0
kind: DataContract
id: flights
name: flights
version: 1.0.0
status: active
schema:
  - name: flights
    properties:
      - {name: month, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1, \
classification: public}
      - {name: record, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 2, \
classification: public}
      - {name: carrier, logicalType: string, classification: public}
      - {name: air_time, logicalType: integer, classification: public}
    quality:
      - id: air-time-jump
        type: custom
        engine: greatExpectations
        severity: hold
        implementation:
          type: expect_column_distribution_to_stay_close
          kwargs: {column: air_time, baseline: previous, statistic: ks, max_value: 0.5}
customProperties:
  - {property: writeMode, value: append}
  - {property: orderBy, value: month}
  - {property: file, value: {format: csv, delimiter: ",", nullValues: [NA]}}
"""
MINUTES, SECONDS = 1, 60


def month(sample: Any, number: int, unit: int = MINUTES, *, records: int | None = None) -> bytes:
    """Carrier and air time of a month's real flights."""
    header, *lines = (
        (sample.folder / f"flights-2013-{number:02}.csv").read_text().splitlines()[: records and records + 1]
    )
    names = header.split(",")
    carrier, air_time = names.index("carrier"), names.index("air_time")
    rows = ["month,record,carrier,air_time"]
    for record, line in enumerate(lines, 1):
        fields = line.split(",")
        value = fields[air_time] if fields[air_time] in ("", "NA") else str(int(fields[air_time]) * unit)
        rows.append(f"{number},{record},{fields[carrier]},{value}")
    return ("\n".join(rows) + "\n").encode()
