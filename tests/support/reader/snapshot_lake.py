"""Versions written by hand into a blockstore: what the reader finds where no lakeFS runs."""

import datetime as dt
import io

import pyarrow as pa
import pyarrow.parquet as pq

from lakegate import open_snapshot
from lakegate.home import Home
from lakegate.manifest import Counts, DataFile, Manifest, Parent, sha256

SCHEMA = [
    {"name": "dest", "type": "string"},
    {"name": "flight", "type": "integer"},
    {"name": "delay", "type": "double"},
    {"name": "late", "type": "boolean"},
    {"name": "day", "type": "date"},
    {"name": "time_hour", "type": "timestamp"},
]
NOON = dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC)
DAY = NOON.date()
SAIL = pa.schema(
    [
        ("dest", pa.string()),
        ("flight", pa.int64()),
        ("delay", pa.float64()),
        ("late", pa.bool_()),
        ("day", pa.date32()),
        ("time_hour", pa.timestamp("us", "UTC")),
        ("_drop", pa.string()),
        ("_row", pa.int64()),
    ]
)
OTHER = pa.schema(
    [
        ("_row", pa.int32()),
        ("time_hour", pa.timestamp("ns", "UTC")),
        ("late", pa.bool_()),
        ("dest", pa.large_string()),
        ("flight", pa.int32()),
        ("delay", pa.float32()),
        ("day", pa.date32()),
        ("_drop", pa.dictionary(pa.int32(), pa.string())),
    ]
)
EXPECTED = SAIL


def rows(start, count):
    return [
        {
            "dest": "BQN" if i % 2 else None,
            "flight": i,
            "delay": i / 2,
            "late": i % 3 == 0,
            "day": DAY,
            "time_hour": NOON,
            "_drop": "d",
            "_row": i,
        }
        for i in range(start, start + count)
    ]


class Lake:
    """A home made by hand: manifests, and their files in the blockstore."""

    def __init__(self, root):
        self.home = Home(root).prepare()

    def put(self, name, raw, count, *, at=None):
        physical = at or f"lakegate/default/data/{name}"
        target = self.home.blocks / physical
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(raw)
        return DataFile(f"flights/{name}", physical, len(raw), sha256(raw), count)

    def table(self, name, data, schema=SAIL, **options):
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(data, schema=schema), out, **options)
        return self.put(name, out.getvalue(), len(data))

    def publish(
        self,
        files,
        *,
        table="flights",
        version=1,
        hop="processed",
        schema=SCHEMA,
        tenant="default",
        quarantine=(),
        copy=None,
        proofs=(),
    ):
        total = sum(file.rows for file in files)
        counts = Counts(
            records_in=total,
            valid=total,
            quarantined=0,
            unreadable=0,
            before=0,
            inserted=total,
            deleted=0,
            after=total,
        )
        manifest = Manifest(
            tenant=tenant,
            table=table,
            version=version,
            hop=hop,
            drop="d",
            attempt="a",
            root="lakegate/default",
            files=list(files),
            quarantine=list(quarantine),
            schema=schema,
            content_hash="0",
            counts=counts,
            verdict="passed",
            rules=[],
            suite_hash="s",
            evidence_sha256="e" * 64,
            contract_hash="c",
            sql_hash=None,
            parents=[Parent("airports", 1, "c0ffee")],
            source={},
            delivered_at=None,
            extracted_at=None,
            created_at="2026-11-20T00:00:00Z",
            code={},
            packages={},
            engine={},
            settings={},
            durations={},
            proofs=list(proofs),
        )
        path = copy or self.home.manifest_copy(tenant, table, version)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(manifest.to_bytes())
        return manifest

    def block(self, file):
        return self.home.blocks / file.physical

    def open(self, name="flights@v1"):
        return open_snapshot(name, home=self.home.root)


def damage(path, at=-30):
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)
