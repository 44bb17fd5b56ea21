"""A lake of trips with a large file, and a reader of another account."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lake.session import Session
from lake.versions.publish import manifest_at
from lakegate import Snapshot, open_snapshot
from lakegate.manifest import DataFile, Manifest
from lakegate.names import VersionName

CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: trips
name: trips
version: 1.0.0
status: draft
schema:
  - name: trips
    properties:
      - {name: trip, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: fare, logicalType: number}
      - {name: city, logicalType: string}
      - {name: note, logicalType: string}
customProperties:
  - {property: writeMode, value: append}
  - {property: maxQuarantined, value: 1.0}
  - {property: drift, value: none}
"""


@dataclass(frozen=True)
class Trips:
    """A table of two versions, the second with a file of its own, and a rollback to the first."""

    session: Session
    far: dict[str, str]
    """The environment in which that lakeFS is somebody else's."""

    def manifest(self, name: str) -> Manifest:
        return manifest_at(self.session.repository, "main", VersionName.parse(name))

    def block(self, file: DataFile) -> Path:
        found = self.session.repository.local(file.physical)
        assert found is not None
        return found

    def open(self, name: str) -> Snapshot:
        return open_snapshot(name, home=self.session.settings.home.root)


READ = """
import sys
from lakegate import open_snapshot

home, name = sys.argv[1:]
try:
    open(f"{home}/lakefs/keys.json")
except PermissionError:
    print("no key")
table = open_snapshot(name, home=home).arrow()
with open_snapshot("trips_raw@v1", home=home).open() as stream:
    print(table.num_rows, len(stream.read()))
"""
