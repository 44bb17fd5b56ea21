"""Quarantined rows: what the quarantine holds, how each row was resolved since, and which are still open.

Rows are only added to the quarantine. A row's resolution (replayed, discarded, superseded) is a row in a
table of its own, published in the same merge as the version that it belongs to. So quarantined = open +
replayed + discarded + superseded.
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
from lakegate.files.proved import Prover
from lakegate.files.store import choose_store
from lakegate.manifest import DataFile, Manifest
from lakegate.names import VersionName

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

Resolution = Literal["replayed", "discarded", "superseded"]
RESOLUTIONS: Final[tuple[Resolution, ...]] = ("replayed", "discarded", "superseded")
STATE: Final = "_state"
IDENTITY: Final = ["_drop", "_row"]
COLUMNS: Final = [*IDENTITY, "_file", "_reasons", "_suite", "_record"]


def latest_manifest(session: Session, table: str) -> Manifest | None:
    """The manifest of a table's latest version; None before its first."""
    return publish.latest_at(session.repository, MAIN, table)


def judged_at(session: Session, table: str, drop: str) -> str | None:
    """When the delivery came that a published drop was judged as, by its version; None where it made none."""
    if not (number := published_as(session, table, drop)):
        return None
    return publish.manifest_at(session.repository, MAIN, VersionName(table, number)).delivered_at


def earlier_rows(
    session: Session,
    table: str,
    suite: Suite,
    published: DataFrame | None,
    drop: str,
    *,
    known: dict[str, int],
) -> DataFrame | None:
    """The published rows of drops that were published before one; None where no rule has a watermark.

    Args:
        session: The open lake.
        table: The drops' table.
        suite: The rules.
        published: The published rows.
        drop: The drop.
        known: Cache of the numbers of the versions that drops made.
    """
    watermarks = (rule.type == "expect_column_values_to_be_within_watermark" for rule in suite.rules)
    if published is None or not any(watermarks):
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
    """The open rows of a version's quarantine: columns COLUMNS, by drop and record number."""
    rows = read_rows(session, manifest, manifest.quarantine, COLUMNS)
    resolved = read_rows(session, manifest, manifest.resolved, IDENTITY)
    if resolved.num_rows:  # Arrow joins no tables with columns of lists
        numbered = rows.select(IDENTITY).append_column("__at", [list(range(rows.num_rows))])
        open_rows = numbered.join(resolved, keys=IDENTITY, join_type="left anti")
        rows = rows.take(open_rows.column("__at"))
    return rows.sort_by([("_drop", "ascending"), ("_row", "ascending")])


def filter_rows(
    rows: pa.Table, *, drop: str | None = None, rule: str | None = None, row: int | None = None
) -> pa.Table:
    """The open rows of a drop, of a rule, or with a record number.

    Args:
        rows: All open rows.
        drop: The drop's SHA-256, or its beginning.
        rule: A rule that quarantined the row.
        row: The number of the record in its delivery.

    Raises:
        UsageError: There is none.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if drop is not None:
        rows = rows.filter(pc.starts_with(rows.column("_drop"), pattern=drop))
    if rule is not None:
        broken = (rule in reasons for reasons in rows.column("_reasons").to_pylist())
        rows = rows.filter(pa.array(broken, pa.bool_()))
    if row is not None:
        rows = rows.filter(pc.equal(rows.column("_row"), row))
    if not rows.num_rows and (drop, rule, row) != (None, None, None):
        filters = {"came of drop": drop, "was quarantined by rule": rule, "has the number": row}
        wanted = " and ".join(f"{words} {value!r}" for words, value in filters.items() if value is not None)
        fix = "`lakegate quarantine DATASET` lists the open rows with drop and rules"
        raise UsageError(f"no open row {wanted}", fix=fix)
    return rows


def quarantine_balance(
    parent: Manifest | None,
    quarantine: Sequence[DataFile],
    resolved: dict[Resolution, int],
    *,
    fresh: bool = False,
) -> dict[str, int]:
    """The quarantine's equation after a publish: all rows, the open ones, and those of each resolution.

    Args:
        parent: The version before.
        quarantine: The quarantine's files now.
        resolved: Rows that this publish resolves.
        fresh: Whether the quarantine begins again with this publish, as with a full delivery.

    Raises:
        IntegrityError: More rows are resolved than were quarantined.
    """
    before = parent.balance if parent and not fresh else {}
    counts = {str(name): before.get(name, 0) + resolved.get(name, 0) for name in RESOLUTIONS}
    whole, done = sum(item.rows for item in quarantine), sum(counts.values())
    if done > whole:
        what = f"{whole} rows were quarantined, {done} of them are resolved"
        raise IntegrityError(what, fix="nothing was published; report this")
    return {"set_aside": whole, "open": whole - done} | counts


def read_rows(
    session: Session, manifest: Manifest, files: Sequence[DataFile], columns: list[str]
) -> pa.Table:
    """Columns of files of a version's quarantine, or of its resolutions."""
    import pyarrow as pa

    kinds: dict[str, Any] = {"_row": pa.int64(), "_version": pa.int64(), "_reasons": pa.list_(pa.string())}
    tables = []
    if files:
        from lakegate.files.parquet import read_groups

        prover = Prover(manifest, choose_store(session.settings, manifest))
        found = read_groups(prover, [item for item in files if item.rows], columns)
        tables = [pa.Table.from_batches([batch]) for group in found for batch in group.batches()]
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in columns])
    return pa.concat_tables([table.cast(schema) for table in tables]) if tables else schema.empty_table()


def resolution_rows(
    rows: DataFrame, state: Resolution, *, version: int, attempt: str, reason: str = ""
) -> DataFrame:
    """The resolutions of rows with `_drop` and `_row`, by and at the time of this call.

    Args:
        rows: The resolved rows.
        state: Their resolution.
        version: The number of the table's version that resolves them.
        attempt: The attempt's id.
        reason: The person's reason, if a person decided.
    """
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
    """The rows whose drop and record number are not among the others'."""
    from pyspark.sql import functions as F  # noqa: N812

    named = others.selectExpr(*[f"{name} as __other{name}" for name in IDENTITY])
    same = F.expr(" and ".join(f"{name} = __other{name}" for name in IDENTITY))
    return rows.join(named, on=same, how="left_anti")
