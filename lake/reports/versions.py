"""What was published and what was quarantined, read back from the lake."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from catalog.contract import Contract
from catalog.documents.visible_names import MASK
from lake import paths
from lake.hops.raw import recorded_header
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.parsing.formats import Header, format_of
from lake.reports.one_commit import reads_one_commit
from lake.runtime.identity import current_user
from lake.session import Session
from lake.tables.quarantine import latest_manifest, unresolved_rows
from lake.versions import publish
from lake.versions.origin import Origin
from lakegate.errors import UsageError
from lakegate.names import VersionName


def table_names(session: Session) -> list[str]:
    """Every table that the project's contracts make."""
    names = []
    for contract in session.catalog.contracts.values():
        names += [contract.name] if contract.kind == "feature" else [contract.name, f"{contract.name}_raw"]
    return sorted(names)


def latest_number(session: Session, table: str) -> int:
    """The number of a table's latest version; 0 before its first."""
    head = publish.head(session.repository, table)
    return int(head["version"]) if head else 0


@reads_one_commit
def list_versions(session: Session, table: str) -> list[dict[str, Any]]:
    """The published versions of a table, oldest first, as `lakegate versions --json` prints them.

    `made_by` and `made_from` are those of `lake.versions.origin`; `expired` says that a clean-up ended the
    version.

    Raises:
        UsageError: No contract makes such a table, and it has no version either.
    """
    found, newest = {}, latest_number(session, table)
    for tag, commit in session.repository.tags(f"{table}.v").items():
        name = VersionName.from_tag(tag)
        # Tags are as of now: one of a later version was made since the report began.
        if name is not None and name.table == table and name.number <= newest:
            found[name] = commit
    if not found and table not in (tables := table_names(session)):
        raise UsageError(f"there is no table {table!r}", fix=f"tables here: {', '.join(tables)}")
    ended = {item.path for item in session.repository.listing(MAIN, f"{paths.EXPIRED}{table}/")}
    return [
        _described(session, name, commit, expired=paths.expired(name.table, name.number) in ended)
        for name, commit in sorted(found.items())
    ]


@reads_one_commit
def list_quarantine(session: Session, contract: Contract, *, reveal: bool = False) -> list[dict[str, Any]]:
    """A dataset's quarantined rows that are not resolved: drop, file, row, rules and the original record.

    Fields of personal columns, and of columns that the contract doesn't know, are masked unless `reveal`,
    which is put on record first.
    """
    manifest = latest_manifest(session, contract.name)
    if manifest is None:
        return []
    if reveal:
        records.write(
            session,
            dataset=contract.name,
            cause="quarantine",
            table=contract.name,
            state="revealed",
            key="-",
            body={"by": current_user()},
        )
    header_of = cache(partial(recorded_header, session, contract))
    rows = []
    for item in unresolved_rows(session, manifest).to_pylist():
        drop, record = item["_drop"], item["_record"]
        rows.append(
            {
                "drop": drop,
                "file": item["_file"],
                "row": item["_row"],
                "rules": item["_reasons"],
                "record": record if reveal else _masked(record, header_of(drop), contract),
            }
        )
    return sorted(rows, key=lambda row: (str(row["file"]), str(row["drop"]), int(row["row"])))


def _described(session: Session, name: VersionName, commit: str, *, expired: bool) -> dict[str, Any]:
    manifest = publish.manifest_at(session.repository, commit, name)
    counts, origin = manifest.counts, Origin.of(manifest.source)
    return {
        "table": name.table,
        "version": name.number,
        "name": str(name),
        "commit": commit,
        "published_at": datetime.fromtimestamp(session.repository.committed_at(commit), UTC).isoformat(),
        "drop": manifest.drop,
        "rows_valid": counts.valid,
        "rows_quarantined": counts.quarantined,
        "rows_unreadable": counts.unreadable,
        "rows_total": counts.after,
        "content_hash": manifest.content_hash,
        "made_by": origin.made_by,
        "made_from": origin.made_from,
        "expired": expired,
    }


def _masked(record: str, header: Header, contract: Contract) -> str:
    """Mask a record's personal fields, and those that nobody classified; all of it where no header fits."""
    shown = {column.name for column in contract.columns} - contract.personal
    masked = format_of(contract.file).mask(record, header, shown)
    return MASK if masked is None else masked
