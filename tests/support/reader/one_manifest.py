"""A manifest of a small version."""

from lakegate.manifest import Counts, DataFile, Manifest, Parent

COUNTS = Counts(
    records_in=10, valid=7, quarantined=2, unreadable=1, before=5, inserted=7, deleted=0, after=12
)
MANIFEST = Manifest(
    tenant="default",
    table="flights",
    version=6,
    hop="processed",
    drop="d" * 64,
    attempt="a1",
    root="default/flights",
    files=[DataFile("flights/a.parquet", "x/1", 3, "f" * 64, 12)],
    quarantine=[DataFile("flights_quarantine/b.parquet", "x/2", 4, "e" * 64, 2)],
    schema=[{"name": "dest", "type": "string"}, {"name": "delay", "type": "integer"}],
    content_hash="0" * 32,
    counts=COUNTS,
    verdict="quarantined",
    rules=[
        {"rule": "flights.dest.reference", "family": "consistency", "severity": "quarantine", "failed": 2}
    ],
    suite_hash="s",
    evidence_sha256="e" * 64,
    contract_hash="c",
    sql_hash=None,
    parents=[Parent("airports", 1, "c0ffee")],
    source={"file": "flüge.csv"},
    delivered_at="2026-11-20T00:00:00Z",
    extracted_at=None,
    created_at="2026-11-20T00:00:01Z",
    code={"commit": None, "diff": None},
    packages={"pyarrow": "26.0.1"},
    engine={"name": "sail"},
    settings={"memory": 1},
    durations={"write": 0.25},
)
