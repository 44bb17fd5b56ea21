"""Rows set aside: what the quarantine holds, what became of each row since, and which are still open.

The quarantine is only added to. What becomes of a row (replayed, discarded, superseded) is a row of its own in the table
of settled rows, published in the same merge as the version that it belongs to; so set aside = open + the three.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from expectations.suite import Suite
from expectations.typed_frame import DROP
from lake.lakefs.repository import MAIN
from lake.runtime.identity import current_user
from lake.session import Session
from lake.versions import publish
from lakegate.errors import IntegrityError, UsageError
from lakegate.manifest import DataFile, Manifest
from lakegate.names import VersionName
from lakegate.proved import Prover
from lakegate.store import choose_store

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

Settlement = Literal["replayed", "discarded", "superseded"]
SETTLEMENTS: Final[tuple[Settlement, ...]] = ("replayed", "discarded", "superseded")
STATE: Final = "_state"
IDENTITY: Final = ["_drop", "_row"]
COLUMNS: Final = [*IDENTITY, "_file", "_reasons", "_suite", "_record"]


def latest_manifest(session: Session, table: str) -> Manifest | None:
    """The manifest of a table's latest version; None before its first."""
    head = publish.head(session.repository, table)
    return (
        publish.manifest_at(session.repository, MAIN, VersionName(table, int(head["version"])))
        if head
        else None
    )


def judged_at(session: Session, table: str, drop: str) -> str | None:
    """When the delivery came that a published drop was judged as: what its version says."""
    number = published_as(session, table, drop)
    return (
        publish.manifest_at(session.repository, MAIN, VersionName(table, number)).delivered_at
        if number
        else None
    )


def earlier_rows(
    session: Session,
    table: str,
    suite: Suite,
    published: DataFrame | None,
    drop: str,
    *,
    known: dict[str, int],
) -> DataFrame | None:
    """The published rows of drops that came before one, where a rule asks for a watermark; None where none does.

    `known` takes up the versions that drops were published as.
    """
    if published is None or not any(
        rule.type == "expect_column_values_to_be_within_watermark" for rule in suite.rules
    ):
        return None
    from pyspark.sql import functions as F  # noqa: N812

    drops = [drop, *(str(row[0]) for row in session.engine.rows(published.select(DROP).distinct()))]
    known |= {other: published_as(session, table, other) for other in drops if other not in known}
    return published.where(F.col(DROP).isin([other for other in drops if known[other] < known[drop]]))


def published_as(session: Session, table: str, drop: str) -> int:
    """The number of the version that a drop made; 0 where it made none."""
    done = publish.publication(session.repository, dataset=table, cause=drop, table=table)
    return int(done["version"]) if done else 0


def unresolved_rows(session: Session, manifest: Manifest) -> pa.Table:
    """The rows of a version's quarantine that nothing has become of yet: columns COLUMNS, by drop and record number."""
    aside = read_rows(session, manifest, manifest.quarantine, COLUMNS)
    settled = read_rows(session, manifest, manifest.settled, IDENTITY)
    if settled.num_rows:
        kept = (
            aside.select(IDENTITY)
            .append_column("__at", [list(range(aside.num_rows))])
            .join(settled, keys=IDENTITY, join_type="left anti")
        )
        aside = aside.take(kept.column("__at"))
    return aside.sort_by([("_drop", "ascending"), ("_row", "ascending")])


def filter_rows(
    rows: pa.Table, *, drop: str | None = None, rule: str | None = None, row: int | None = None
) -> pa.Table:
    """Those of the open rows that came of a drop (its SHA-256 or the beginning of it), a rule set aside, with a record number.

    Raises:
        UsageError: There is none.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if drop is not None:
        rows = rows.filter(pc.starts_with(rows.column("_drop"), pattern=drop))
    if rule is not None:
        rows = rows.filter(
            pa.array([rule in broken for broken in rows.column("_reasons").to_pylist()], pa.bool_())
        )
    if row is not None:
        rows = rows.filter(pc.equal(rows.column("_row"), row))
    if not rows.num_rows and (drop, rule, row) != (None, None, None):
        told = {"came of drop": drop, "was quarantined by rule": rule, "has the number": row}
        asked = " and ".join(f"{words} {value!r}" for words, value in told.items() if value is not None)
        raise UsageError(
            f"no open row {asked}",
            fix="`lakegate quarantine DATASET` lists the open rows with drop and rules",
        )
    return rows


def quarantine_balance(
    parent: Manifest | None,
    quarantine: Sequence[DataFile],
    settled: dict[Settlement, int],
    *,
    fresh: bool = False,
) -> dict[str, int]:
    """The quarantine's equation after a publish: rows set aside, how many are open, and what became of the others.

    Args:
        parent: The version before.
        quarantine: The quarantine's files now.
        settled: Rows that this publish settles.
        fresh: Whether the quarantine was begun anew, as a full delivery does.

    Raises:
        IntegrityError: More rows were settled than were set aside.
    """
    before = parent.aside if parent and not fresh else {}
    counts = {name: before.get(name, 0) + settled.get(name, 0) for name in SETTLEMENTS}
    whole = sum(item.rows for item in quarantine)
    left = whole - sum(counts.values())
    if left < 0:
        what = f"{whole} rows were quarantined, {sum(counts.values())} of them are settled"
        raise IntegrityError(what, fix="nothing was published; report this")
    return {"set_aside": whole, "open": left} | {str(name): count for name, count in counts.items()}


def read_rows(
    session: Session, manifest: Manifest, files: Sequence[DataFile], columns: list[str]
) -> pa.Table:
    """Columns of files of a version, which are those of its quarantine or of what became of its rows."""
    import pyarrow as pa

    kinds: dict[str, Any] = {"_row": pa.int64(), "_version": pa.int64(), "_reasons": pa.list_(pa.string())}
    tables = []
    if files:
        from lakegate.parquet import read_groups

        prover = Prover(manifest, choose_store(session.settings, manifest))
        found = read_groups(prover, [item for item in files if item.rows], columns)
        tables = [pa.Table.from_batches([batch]) for group in found for batch in group.batches()]
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in columns])
    return pa.concat_tables([table.cast(schema) for table in tables]) if tables else schema.empty_table()


def resolution_rows(
    rows: DataFrame, state: Settlement, *, version: int, attempt: str, reason: str = ""
) -> DataFrame:
    """For rows with `_drop` and `_row`: what became of them, in which version of the table, when, by whom and why."""
    from pyspark.sql import functions as F  # noqa: N812

    return rows.select(
        *IDENTITY,
        F.lit(state).alias(STATE),
        F.lit(version).cast("bigint").alias("_version"),
        F.lit(attempt).alias("_attempt"),
        F.lit(reason).alias("_reason"),
        F.lit(current_user()).alias("_by"),
        F.lit(datetime.now(UTC).isoformat(timespec="seconds")).alias("_at"),
    )


def without(rows: DataFrame, others: DataFrame) -> DataFrame:
    """Rows whose drop and record number is none of the others'."""
    from pyspark.sql import functions as F  # noqa: N812

    named = others.selectExpr(*[f"{name} as __other{name}" for name in IDENTITY])
    return rows.join(
        named, on=F.expr(" and ".join(f"{name} = __other{name}" for name in IDENTITY)), how="left_anti"
    )
