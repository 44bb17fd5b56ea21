"""An open lake, its Dagster instance, and what Dagster was told of both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dagster import AssetKey, AssetRecordsFilter, DagsterInstance

from assets.report import report
from assets.reported_versions import DATA_VERSION
from lake.pipeline.downstream import OnError
from lake.pipeline.ingest import DropResult, ingest_all
from lake.session import Session


@dataclass
class Home:
    """An open lake, its Dagster instance and the files that tests deliver."""

    session: Session
    instance: DagsterInstance
    files: Path

    def carry(self, *names: str, on_error: OnError | None = None) -> list[DropResult]:
        """What `lakegate demo` does: ingest files, then tell Dagster."""
        files: dict[str, list[Path]] = {}
        for name in names:
            files.setdefault(name.split("-")[0], []).append(self.files / f"{name}.csv")
        results = ingest_all(self.session, files, on_error=on_error)
        report(self.session, results)
        return results

    def partition(self, dataset: str, name: str) -> str:
        (found,) = [
            key
            for key in self.instance.get_dynamic_partitions(f"drops_{dataset}")
            if key.startswith(f"{name}.csv~")
        ]
        return found

    def versions(self, table: str, partition: str | None = None) -> list[str | None]:
        """Data versions of an asset's materializations, newest first."""
        wanted = AssetRecordsFilter(
            asset_key=AssetKey(table), asset_partitions=[partition] if partition else None
        )
        found = self.instance.fetch_materializations(wanted, limit=100).records
        return [
            (item.asset_materialization.tags or {}).get(DATA_VERSION)
            for item in found
            if item.asset_materialization
        ]

    def runs(self) -> int:
        return self.instance.get_runs_count()
