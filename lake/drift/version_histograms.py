"""Histograms of each version, stored beside it: of the rows that it added and of its whole table.

Rules on drift compare a new version with earlier ones. Their rows are not read again: what they hold was
counted when they were made. Where the counts are missing (an earlier release made the version, or a rule asks
for another column by now) the version's files are counted once, and the counts are stored with the next
version.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from catalog.contract import Contract
from catalog.drift import LONGEST_SEASON, Drift
from expectations.drift.baseline_rules import NO_PAST, Baseline
from expectations.drift.histogram import Histograms, merge_all
from expectations.drift.histogram_query import count_histograms
from expectations.drift.precedent import Past
from expectations.plan.plan import make_plan
from expectations.suite import Suite
from expectations.typed_frame import DROP
from lake import paths
from lake.drift.delivery_history import EarlierRows
from lake.drift.histogram_store import DELIVERIES, NOTE, HistogramStore, Kinds, VersionHistograms, no_rows
from lake.session import Session
from lake.tables.reader import uri_of
from lake.versions.publish import Candidate
from lakegate.manifest import DataFile, Manifest, sha256

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass
class Comparison:
    """What the next version of a table is compared with.

    `parent` is the manifest of the latest version in the tree `ref`, or of a rollback's target; None for a
    first version and for a table made anew. `whole` says that each delivery replaces the table.
    """

    session: Session
    contract: Contract
    parent: Manifest | None
    ref: str
    whole: bool
    read: int = 0
    """Data files of earlier versions that had to be read, because their histograms are missing."""
    _known: dict[int, VersionHistograms] = field(default_factory=dict)
    _counted: set[int] = field(default_factory=set)
    """The known versions whose histograms are not stored beside them: the next version stores them."""

    @cached_property
    def store(self) -> HistogramStore:
        """The histograms stored beside earlier versions."""
        return HistogramStore(self.session.repository, self.contract.name, self.ref)

    def baselines(self, kinds: Kinds) -> dict[Baseline, Histograms]:
        """The rows of the previous deliveries and of a season ago, and the pinned version's table."""
        if self.parent is None or not kinds:
            return {}
        found: dict[Baseline, Histograms] = {}
        drift, last = self.contract.drift or Drift(), self.parent.version
        _, previous = self.store.previous(
            last, lambda number: self._of(number, kinds).added, whole=self.whole
        )
        if previous is not None:
            found["previous"] = previous
        if drift.pinned <= last:
            found["pinned"] = self._of(drift.pinned, kinds).whole
        if drift.season is not None:
            delivered = self.store.deliveries(last, drift.season)
            if len(delivered) >= drift.season:
                found["season"] = self._added_by(delivered[-drift.season], kinds)
        return found

    @property
    def past(self) -> Past:
        """What earlier deliveries added, for rules that look for outliers; read when such a rule needs it."""
        return EarlierRows.past(self.contract, self.store, self.parent.version) if self.parent else NO_PAST

    def keep(
        self, candidate: Candidate, seen: Histograms, kinds: Kinds, *, delivered: bool = True
    ) -> dict[str, str]:
        """Store the new version's histograms on its candidate, and return what its manifest notes of them.

        Args:
            candidate: The new version.
            seen: Of the rows that it adds.
            kinds: The counted columns; where there is none, nothing is stored.
            delivered: Whether a delivery makes the version, and not a decision.
        """
        if not kinds:
            return {}
        if self.parent is None or (self.whole and delivered):
            table = seen
        else:
            table = merge_all(self._of(self.parent.version, kinds).whole, seen)
        if not delivered:
            self._inherit_earlier(kinds)
        season = (self.contract.drift or Drift()).season or 1
        deliveries = self.store.deliveries(self.parent.version if self.parent else 0, season)
        if delivered:
            deliveries.append(candidate.number)
        body = {
            "format": paths.FORMAT,
            **VersionHistograms(seen, table).to_json(),
            "earlier": {str(number): self._known[number].to_json() for number in sorted(self._counted)},
            DELIVERIES: deliveries[-LONGEST_SEASON:],
        }
        raw = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        path = paths.histograms(self.contract.name, candidate.number)
        self.session.repository.put(candidate.branch, path, raw)
        return {NOTE: sha256(raw)}

    def _inherit_earlier(self, kinds: Kinds) -> None:
        """Load what the parent's file holds of earlier versions, which a decision compares with nothing."""
        body = self.store.body(self.parent.version) if self.parent else None
        for number in body["earlier"] if body else ():
            self._stored(int(number), kinds)

    def _added_by(self, number: int, kinds: Kinds) -> Histograms:
        """The rows that a version added; its whole table is not counted where this is missing."""
        known = self._known.get(number) or self._stored(number, kinds)
        if known is not None:
            return known.added
        manifest = self.store.manifest(number)
        return no_rows(kinds) if manifest is None else self._count_added(manifest, kinds)

    def _of(self, number: int, kinds: Kinds) -> VersionHistograms:
        if number not in self._known and self._stored(number, kinds) is None:
            self._known[number] = self._count(number, kinds)
            self._counted.add(number)
        return self._known[number]

    def _stored(self, number: int, kinds: Kinds) -> VersionHistograms | None:
        """The histograms stored with a version, or with the latest one where they were counted later."""
        body = self.store.body(number)
        found = VersionHistograms.from_json(body).of(kinds) if body else None
        if found is None and self.parent is not None:
            latest = self.store.body(self.parent.version) or {"earlier": {}}
            if (body := latest["earlier"].get(str(number))) is not None:
                found = VersionHistograms.from_json(body).of(kinds)
            if found is not None:
                self._counted.add(number)
        if found is not None:
            self._known[number] = found
        return found

    def _count(self, number: int, kinds: Kinds) -> VersionHistograms:
        """Count the data files of a version."""
        manifest = self.store.manifest(number)
        if manifest is None:
            return VersionHistograms(no_rows(kinds), no_rows(kinds))
        added = self._count_added(manifest, kinds)
        if number == 1 or self._replaced(number):
            return VersionHistograms(added, added)
        new, rewritten = self._new_files(manifest)
        before = self._stored(number - 1, kinds)
        if rewritten:
            whole = self._count_files(manifest, manifest.files, kinds)
        elif before is not None:
            whole = merge_all(added, before.whole)
        else:
            paths_of_new = {item.path for item in new}
            others = [item for item in manifest.files if item.path not in paths_of_new]
            whole = merge_all(added, self._count_files(manifest, others, kinds))
        return VersionHistograms(added, whole)

    def _count_added(self, manifest: Manifest, kinds: Kinds) -> Histograms:
        """Count the rows that a version added: its new files, or of rewritten files the rows of its drop."""
        new, rewritten = self._new_files(manifest)
        drop = manifest.drop if rewritten and self.store.delivered(manifest.version) else None
        return self._count_files(manifest, new, kinds, drop=drop)

    def _new_files(self, manifest: Manifest) -> tuple[list[DataFile], bool]:
        """The files that a version added, and whether it rewrote others, which the version before had."""
        before = None if self._replaced(manifest.version) else self.store.manifest(manifest.version - 1)
        old = {item.path for item in before.files} if before else set()
        now = {item.path for item in manifest.files}
        return [item for item in manifest.files if item.path not in old], not old <= now

    def _replaced(self, number: int) -> bool:
        """Whether a version replaced the table of the one before: a decision never does."""
        return self.whole and self.store.delivered(number)

    def _count_files(
        self, manifest: Manifest, files: Sequence[DataFile], kinds: Kinds, *, drop: str | None = None
    ) -> Histograms:
        """Count files of a version, or a drop's rows in them.

        A column that the version lacks, or that had another type then, has an empty histogram.
        """
        engine, rows, counted = self.session.engine, sum(item.rows for item in files), Histograms()
        columns = {(item["name"], item["type"]) for item in manifest.schema}
        same = {
            name: kind for name, kind in kinds.items() if (name, self.contract.column(name).type) in columns
        }
        ref = self.ref if self.session.dry_run else manifest.name.tag  # which a dry run doesn't make
        uris = [uri_of(self.session, ref, item) for item in files if item.rows]
        if same:
            self.read += len(uris)
        if uris and (same or drop):
            frame = engine.read_parquet(uris)
            if drop is not None:
                frame = frame.where(f"{DROP} = '{drop}'")
                ((rows,),) = engine.rows(frame.groupBy().count())
            if same:
                counted = count_histograms(frame, same, engine.rows)
        return merge_all(Histograms(rows - counted.rows, no_rows(kinds).columns), counted)


def keep_of_decision(
    session: Session,
    contract: Contract,
    suite: Suite,
    candidate: Candidate,
    *,
    parent: Manifest | None,
    rows: DataFrame | None,
) -> dict[str, str]:
    """`Comparison.keep` for a version that a decision makes.

    Args:
        session: The open lake.
        contract: The table's.
        suite: Says which columns are counted.
        candidate: The new version.
        parent: The version whose table it continues: the one before, a rollback's target, None for a table
            made anew.
        rows: Those that it adds; None where it adds none.
    """
    kinds = make_plan(suite, contract).histograms
    added = (
        count_histograms(rows, kinds, session.engine.rows) if rows is not None and kinds else no_rows(kinds)
    )
    comparison = Comparison(session, contract, parent, candidate.base, whole=contract.write_mode == "replace")
    return comparison.keep(candidate, added, kinds, delivered=False)
