"""What Dagster shows of a table and of each version: numbers as numbers, so that the UI plots them; never a value of a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dagster import MetadataValue, TableColumn, TableColumnConstraints, TableConstraints, TableSchema

from assets.lineage import column_lineage, drawn, sources_of
from catalog.contract import Contract, Hop
from lake.lakefs.repository import MAIN
from lake.session import Session
from lake.versions import publish
from lake.versions.publish import Published
from lakegate.media import block, code, markdown
from lakegate.names import VersionName

VERSION_NUMBER: Final = "version number"
"""The entry that says which version a materialization told of."""


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
    aside = counts.quarantined / counts.records_in if counts.records_in else 0.0
    found: dict[str, Any] = {
        "version": str(name),
        VERSION_NUMBER: MetadataValue.int(name.number),
        "verdict": manifest.verdict,
        "dagster/row_count": MetadataValue.int(counts.after),
        "rows in": MetadataValue.int(counts.records_in),
        "rows valid": MetadataValue.int(counts.valid),
        "rows quarantined": MetadataValue.int(counts.quarantined),
        "rows unreadable": MetadataValue.int(counts.unreadable),
        "share quarantined": MetadataValue.float(aside),
        "bytes": MetadataValue.int(sum(item.size for item in manifest.files)),
        "files": MetadataValue.int(len(manifest.files)),
        "seconds": MetadataValue.float(round(sum(manifest.durations.values()), 3)),
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
    key = f"unique: {', '.join(contract.key)}"
    return TableSchema(
        columns=columns, constraints=TableConstraints(other=[key]) if typed and contract.key else None
    )


def _classified(classification: str) -> list[str]:
    return [] if classification.lower() == "public" else [f"classified as {classification}"]
