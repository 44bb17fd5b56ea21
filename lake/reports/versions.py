"""What was published and what was set aside, read back from the lake."""

from __future__ import annotations

from datetime import UTC, datetime
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


@reads_one_commit
def list_versions(session: Session, table: str) -> list[dict[str, Any]]:
    """The published versions of a table, oldest first, as `lakegate versions --json` prints them.

    `made_by` and `made_from` are those of `lake.versions.origin`; `expired` says that a clean-up ended the version.

    Raises:
        UsageError: No contract makes such a table, and it has no version either.
    """
    tags = {
        VersionName.from_tag(tag): commit for tag, commit in session.repository.tags(f"{table}.v").items()
    }
    newest = int(
        (publish.head(session.repository, table) or {}).get("version", 0)
    )  # a tag of a later one was made since
    found = sorted(
        (name, commit)
        for name, commit in tags.items()
        if name and name.table == table and name.number <= newest
    )
    if not found and table not in table_names(session):
        what = f"there is no table {table!r}"
        raise UsageError(what, fix=f"tables here: {', '.join(table_names(session))}")
    ended = {item.path for item in session.repository.listing(MAIN, f"{paths.EXPIRED}{table}/")}
    return [
        _described(session, name, commit, expired=paths.expired(name.table, name.number) in ended)
        for name, commit in found
    ]


@reads_one_commit
def list_quarantine(session: Session, contract: Contract, *, reveal: bool = False) -> list[dict[str, Any]]:
    """The rows of a dataset that are set aside and open still: drop, file, row, rules and the original record.

    Fields of personal columns, and of columns that the contract doesn't know, are masked unless `reveal`, which is put on record first.
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
    headers: dict[str, list[tuple[str, str | None]]] = {}
    rows = []
    for item in unresolved_rows(session, manifest).to_pylist():
        record = item["_record"]
        if not reveal:
            if item["_drop"] not in headers:
                headers[item["_drop"]] = recorded_header(session, contract, item["_drop"])
            record = _masked(record, headers[item["_drop"]], contract)
        rows.append(
            {
                "drop": item["_drop"],
                "file": item["_file"],
                "row": item["_row"],
                "rules": item["_reasons"],
                "record": record,
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
