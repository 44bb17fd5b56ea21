"""What Dagster shows of a table and of each version: numbers, which the UI plots; never a value of a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dagster import MetadataValue, TableColumn, TableColumnConstraints, TableConstraints, TableSchema

from assets.events.lineage import column_lineage, drawn, sources_of
from catalog.contract import Contract, Hop
from lake.lakefs.repository import MAIN
from lake.session import Session
from lake.versions import publish
from lake.versions.publish import Published
from lakegate.media import block, code, markdown
from lakegate.names import VersionName

VERSION_NUMBER: Final = "version number"
"""The entry of a materialization that is its version's number."""
DATA_VERSION: Final = "dagster/data_version"
"""Dagster's tag of a materialization with its data version."""


def table_metadata(contract: Contract, hop: Hop, contracts: Mapping[str, Contract]) -> dict[str, Any]:
    """Metadata of the asset itself: its columns, whence they come, and whom to ask."""
    found: dict[str, Any] = {
        "dagster/column_schema": _schema(contract, typed=hop != "raw"),
        "contract": MetadataValue.path(str(contract.path)),
        "contract hash": contract.hash[:12],
        "write mode": "append" if hop == "raw" else contract.write_mode,
    }
    if contract.support:
        found["support"] = MetadataValue.md(markdown(contract.support))
    if hop != "raw" and (sources := sources_of(contract, contracts)):
        found["columns come from"] = MetadataValue.md(drawn(sources))
    if hop == "features" and contract.sql:
        found["sql"] = MetadataValue.md(block(contract.sql, "sql"))
    return found


def version_metadata(session: Session, contract: Contract, published: Published) -> dict[str, Any]:
    """Metadata of one materialization, all from the version's manifest."""
    manifest, name = published.manifest, published.name
    counts = manifest.counts
    found: dict[str, Any] = {
        "version": str(name),
        VERSION_NUMBER: name.number,
        "verdict": manifest.verdict,
        "dagster/row_count": counts.after,
        "rows in": counts.records_in,
        "rows valid": counts.valid,
        "rows quarantined": counts.quarantined,
        "rows unreadable": counts.unreadable,
        "share quarantined": counts.quarantined / counts.records_in if counts.records_in else 0.0,
        "bytes": sum(item.size for item in manifest.files),
        "files": len(manifest.files),
        "seconds": round(float(sum(manifest.durations.values())), 3),
        "dagster/uri": f"lakefs://{session.settings.repository}/{name.tag}/{manifest.root}",
        "commit": published.commit,
        "content hash": manifest.content_hash,
        "cause": manifest.drop,
        "parents": ", ".join(str(parent.name) for parent in manifest.parents) or "none",
        "read it": MetadataValue.md(code(f'lakegate.open_snapshot("{name}").arrow()')),
    }
    if manifest.hop != "raw" and (sources := sources_of(contract, session.catalog.contracts)):
        found["dagster/column_lineage"] = column_lineage(sources)
    return found


def rules_before(session: Session, name: VersionName) -> list[dict[str, Any]]:
    """How the rules came out for the version before; nothing for a first one."""
    if name.number == 1:
        return []
    return publish.manifest_at(session.repository, MAIN, VersionName(name.table, name.number - 1)).rules


def _schema(contract: Contract, *, typed: bool) -> TableSchema:
    columns = [
        TableColumn(
            name=column.name,
            type=column.type if typed else "text",
            description=markdown(column.description) or None,
            constraints=TableColumnConstraints(
                nullable=not (typed and column.required),
                unique=typed and contract.key == (column.name,),
                other=_classified(column.classification),
            ),
        )
        for column in (contract.columns if typed else contract.delivered)
    ]
    unique = TableConstraints(other=[f"unique: {', '.join(contract.key)}"])
    return TableSchema(columns=columns, constraints=unique if typed and contract.key else None)


def _classified(classification: str) -> list[str]:
    return [] if classification.lower() == "public" else [f"classified as {classification}"]
