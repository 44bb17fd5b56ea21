"""A lake of manifests and histograms alone, in memory: what a comparison reads,
and nothing that it doesn't.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from catalog.contract import Contract
from expectations.drift.histogram import Histograms
from lake import paths
from lake.drift.histogram_store import NOTE
from lake.drift.version_histograms import Comparison
from lake.versions.publish import Candidate
from lakegate.manifest import Counts, Manifest, manifest_path, sha256


@dataclass
class KeptLake:
    """Versions of one table, kept as `Comparison.keep` keeps them;
    `read` names each object that was asked for.
    """

    contract: Contract
    objects: dict[str, bytes] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    manifests: dict[str, bytes] = field(default_factory=dict)
    versions: int = 0

    def commit_of(self, ref: str) -> str:
        return ref

    def get(self, _: str, path: str) -> bytes | None:
        self.read.append(path)
        return self.objects.get(path)

    def get_json(self, ref: str, path: str) -> dict[str, Any] | None:
        raw = self.get(ref, path)
        return None if raw is None else json.loads(raw)

    def put(self, _: str, path: str, body: bytes) -> None:
        self.objects[path] = body

    @property
    def session(self) -> Any:
        """As much of a session as a comparison uses: no engine, so it can't read data (there are no data
        files either).
        """
        return SimpleNamespace(
            engine=None, dry_run=False, repository=self, catalog=SimpleNamespace(get=lambda _: self.contract)
        )

    def parent(self) -> Manifest | None:
        raw = self.objects.get(manifest_path(self.contract.name, self.versions))
        return Manifest.from_bytes(raw, where="") if raw else None

    def comparison(self) -> Comparison:
        """What the next version would be compared with."""
        return Comparison(
            self.session, self.contract, self.parent(), "main", whole=self.contract.write_mode == "replace"
        )

    def add(self, own: Histograms, *, made_by: str = "", kept: bool = False) -> int:
        """Publish a version; with `made_by` (such as replay_of) one that no delivery made,
        whose histograms an earlier release did not keep.
        """
        name, number, notes = self.contract.name, self.versions + 1, dict[str, Any]()
        if kept or not made_by:
            candidate = Candidate(name, name, "", "candidate", "main", "", self.parent())
            kinds = {column: histogram.kind for column, histogram in own.columns.items()}
            comparison = self.comparison()
            if not made_by:
                comparison.baselines(kinds)
            notes = comparison.keep(candidate, own, kinds, delivered=not made_by)
        self._write(number, notes, made_by)
        self.versions = number
        return number

    def rewrite(self, number: int, *, drop: str) -> None:
        """Take one key out of a version's histograms, as if an earlier release had kept them."""
        path = paths.histograms(self.contract.name, number)
        body = {key: value for key, value in json.loads(self.objects[path]).items() if key != drop}
        self.objects[path] = json.dumps(body).encode()
        self._write(number, {NOTE: sha256(self.objects[path])})

    def _write(self, number: int, notes: dict[str, Any], made_by: str = "") -> None:
        counts = Counts(
            records_in=0, valid=0, quarantined=0, unreadable=0, before=0, inserted=0, deleted=0, after=0
        )
        blank: dict[str, Any] = dict.fromkeys(
            (
                "drop",
                "attempt",
                "root",
                "content_hash",
                "verdict",
                "suite_hash",
                "evidence_sha256",
                "contract_hash",
                "created_at",
            ),
            "",
        )
        manifest = Manifest(
            tenant="default",
            table=self.contract.name,
            version=number,
            hop="processed",
            files=[],
            quarantine=[],
            schema=[],
            counts=counts,
            rules=[],
            sql_hash=None,
            parents=[],
            source={made_by: "things@v1"} if made_by else {},
            delivered_at=None,
            extracted_at=None,
            code={},
            packages={},
            engine={},
            settings={},
            durations={},
            notes=notes,
            **blank,
        )
        self.objects[manifest_path(self.contract.name, number)] = manifest.to_bytes()
        self.objects[paths.head(self.contract.name)] = json.dumps(
            {"version": max(number, self.versions)}
        ).encode()
