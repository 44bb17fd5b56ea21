"""Damage in a file is not published anew as right: what an engine reads to write it again is proved first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow import parquet

from lake.decisions.reprocess import reprocess
from lake.hops.features import carry_features
from lake.pipeline.dry_run import dry_run
from lake.pipeline.ingest import ingest
from lake.session import Session, open_session
from lake.tables import compaction
from lake.versions import publish
from lakegate.errors import IntegrityError
from lakegate.files import ranges
from lakegate.files.parquet import chunks
from lakegate.manifest import Manifest
from lakegate.names import VersionName
from lakegate.settings import Settings

pytestmark = pytest.mark.server

TABLE = """
apiVersion: v3.2.0
kind: DataContract
id: NAME
name: NAME
version: 1.0.0
status: draft
schema:
  - name: NAME
    properties:
      - {name: ride, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: fare, logicalType: number}
      - {name: at, logicalType: integer, required: true}
customProperties:
"""
FARES = (
    "  - {property: kind, value: feature}\n  - {property: sql, value: fares.sql}\n"
    "  - {property: inputs, value: [rides]}\n  - {property: driver, value: rides}\n"
)
DRIFT = "  - {property: drift, value: none}\n"
MODES = {
    "rides": "  - {property: writeMode, value: append}\n  - {property: sameName, value: supersede}\n",
    "stays": "  - {property: writeMode, value: upsert}\n  - {property: upsert, value: {orderBy: at}}\n",
}
MANY = 6
"""Small files, in place of dozens."""


@pytest.fixture(scope="module")
def session(lakefs_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Session:
    project = tmp_path_factory.mktemp("project")
    for name in ("contracts", "sql"):
        (project / "catalog" / name).mkdir(parents=True)
    for name, mode in MODES.items():
        (project / "catalog" / "contracts" / f"{name}.odcs.yaml").write_text(
            TABLE.replace("NAME", name) + mode + DRIFT
        )
    (project / "catalog" / "sql" / "fares.sql").write_text("SELECT ride, fare, at, _drop, _row FROM rides")
    return open_session(replace(lakefs_home, project=project, tenant="sound"), say=print)


def take(session: Session, table: str, folder: Path, name: str, *lines: str) -> None:
    ingest(session, table, [file(folder, name, *lines)])


def file(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(["ride,fare,at", *lines, ""]))
    return path


def latest(session: Session, table: str) -> Manifest:
    found = publish.latest_at(session.repository, "main", table)
    assert found is not None
    return found


def refused(session: Session, table: str, work: Callable[[], object]) -> None:
    """Flip bits of fares in the table's oldest file: the work is refused, names the file,
    and publishes nothing; with them as they were it does.

    A reader of that file gets other fares, or an error, as chance has it.
    """
    before = latest(session, table)
    block = session.repository.local(before.files[0].physical)
    assert block is not None
    sound = block.read_bytes()
    (fare,) = (span for name, *span in chunks(parquet.read_metadata(block), 0) if name == "fare")
    for at in (fare[0] + 2, fare[1] - 2):
        block.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        try:
            with pytest.raises(IntegrityError, match=f"{before.name}, {before.files[0].path}: SHA-256"):
                work()
        finally:
            block.write_bytes(sound)
        assert latest(session, table).version == before.version
    work()


def test_upsert_that_writes_its_table_anew_reads_none_that_changed(session: Session, tmp_path: Path) -> None:
    take(session, "stays", tmp_path, "first.csv", "1,1.5,1", "2,2.5,1")
    refused(session, "stays", lambda: take(session, "stays", tmp_path, "second.csv", "1,7.5,2"))
    assert latest(session, "stays").counts.updated == 1


def test_features_are_made_of_no_file_that_changed(session: Session, tmp_path: Path) -> None:
    take(session, "rides", tmp_path, "a.csv", "1,1.5,1", "2,2.5,1")
    fares = session.settings.project / "catalog" / "contracts" / "fares.odcs.yaml"
    fares.write_text(TABLE.replace("NAME", "fares") + FARES)
    try:
        session.__dict__.pop("catalog", None)
        contract = session.catalog.get("fares")
        refused(session, "rides", lambda: carry_features(session, contract))
        assert latest(session, "fares").version == 1
    finally:
        fares.unlink()
        session.__dict__.pop("catalog", None)


def test_correction_and_a_reprocess_keep_no_row_of_a_file_that_changed(
    session: Session, tmp_path: Path
) -> None:
    take(session, "rides", tmp_path, "c.csv", "10,1.5,1")
    take(session, "rides", tmp_path, "d.csv", "11,1.5,1")
    refused(session, "rides", lambda: take(session, "rides", tmp_path, "d.csv", "11,2.5,1"))
    contract, last = session.catalog.get("rides"), latest(session, "rides").drop
    refused(session, "rides", lambda: reprocess(session, contract, since=last))


def test_small_files_are_merged_as_they_were_published(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MANY", MANY)
    contract = (session.settings.project / "catalog" / "contracts" / "rides.odcs.yaml").read_text()
    (session.settings.project / "catalog" / "contracts" / "small.odcs.yaml").write_text(
        contract.replace("rides", "small")
    )
    session.__dict__.pop("catalog", None)  # which is read once
    for number in range(MANY):
        take(session, "small", tmp_path, f"{number}.csv", f"{number},1.5,1")
    assert len(latest(session, "small").files) == MANY
    refused(session, "small", lambda: take(session, "small", tmp_path, "last.csv", "1000,1.5,1"))
    assert len(latest(session, "small").files) < MANY
    assert latest(session, "small").name > VersionName("small", MANY)


@contextmanager
def flipped(session: Session, table: str, column: str) -> Iterator[None]:
    """A bit of a column's values is another in the table's first file,
    and what this process proved is forgotten, as in the next one.
    """
    block = session.repository.local(latest(session, table).files[0].physical)
    assert block is not None
    sound = block.read_bytes()
    (span,) = (span for name, *span in chunks(parquet.read_metadata(block), 0) if name == column)
    block.write_bytes(sound[: span[1] - 2] + bytes([sound[span[1] - 2] ^ 1]) + sound[span[1] - 1 :])
    session.proved.clear()
    try:
        yield
    finally:
        block.write_bytes(sound)
        session.proved.clear()


def test_rows_are_judged_by_no_key_and_no_reference_that_changed_and_the_other_columns_are_not_hashed(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "SMALL", 64)  # so that a file of two rows has proofs of its ranges
    contracts = session.settings.project / "catalog" / "contracts"
    append, related = (
        MODES["rides"],
        "{to: keys.ride, customProperties: [{property: severity, value: quarantine}]}",
    )
    text = TABLE.replace("{name: at, ", f"{{name: at, relationships: [{related}], ")
    (contracts / "keys.odcs.yaml").write_text(TABLE.replace("NAME", "keys") + append + DRIFT)
    (contracts / "uses.odcs.yaml").write_text(text.replace("NAME", "uses") + append + DRIFT)
    session.__dict__.pop("catalog", None)
    take(session, "keys", tmp_path, "k1.csv", "1,1.5,1", "2,2.5,2")
    assert latest(session, "keys").proofs
    for table, name, line in (("keys", "k2.csv", "3,1.5,1"), ("uses", "u1.csv", "1,1.5,1")):
        with (
            flipped(session, "keys", "ride"),
            pytest.raises(IntegrityError, match=r"keys@v[12], .*are not those that were published"),
        ):
            take(session, table, tmp_path, name, line)
        if table == "keys":  # a small reference is copied as a whole
            with flipped(session, "keys", "fare"):
                take(session, table, tmp_path, name, line)
        take(session, table, tmp_path, name, line)
        assert latest(session, table).counts.valid == 1
    with (
        flipped(session, "keys", "ride"),
        pytest.raises(IntegrityError, match="are not those that were published"),
    ):
        dry_run(session, "keys", [tmp_path / "k1.csv", file(tmp_path, "k3.csv", "9,1.5,1")])


def test_features_are_made_of_the_manifests_files_whatever_a_damaged_delta_log_says_of_them(
    session: Session, tmp_path: Path
) -> None:
    contracts, sql = (session.settings.project / "catalog" / name for name in ("contracts", "sql"))
    (contracts / "trips.odcs.yaml").write_text(TABLE.replace("NAME", "trips") + MODES["rides"] + DRIFT)
    (sql / "later.sql").write_text("SELECT ride, fare, at, _drop, _row FROM trips WHERE ride >= 2")
    session.__dict__.pop("catalog", None)
    take(session, "trips", tmp_path, "t1.csv", "1,1.5,1", "2,2.5,2", "3,3.5,3")
    log = session.repository.block("main", "processed/trips/_delta_log/00000000000000000000.json")
    assert log is not None
    text = log.read_text()
    damaged = re.sub(r'(maxValues\\?":\{[^}]*?ride\\?":)3', r"\g<1>1", text)
    assert damaged != text
    log.write_text(damaged)
    (contracts / "later.odcs.yaml").write_text(
        TABLE.replace("NAME", "later") + FARES.replace("fares.sql", "later.sql").replace("rides", "trips")
    )
    session.__dict__.pop("catalog", None)
    carry_features(session, session.catalog.get("later"))
    assert latest(session, "later").counts.after == 2
