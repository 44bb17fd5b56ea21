"""Histograms in the lake: kept beside each version, of the rows that it added and of its whole table.

A comparison reads the new rows and nothing else: what earlier versions hold was counted when they were made. Where it was not (an
earlier release made them, or a rule asks for another column by now) their files are counted once, and the counts are kept
with the next version.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from catalog.contract import LONGEST_SEASON, Contract, Drift
from expectations.drift.baseline_rules import NO_PAST, Baseline
from expectations.drift.histogram import Histogram, Histograms, merge_all
from expectations.drift.histogram_query import count_histograms
from expectations.drift.precedent import Past
from expectations.plan.plan import make_plan
from expectations.suite import Suite
from expectations.typed_frame import DROP
from lake import paths
from lake.drift.delivery_history import EarlierRows
from lake.drift.histogram_store import DELIVERIES, NOTE, HistogramStore, Kinds, VersionHistograms
from lake.session import Session
from lake.tables.reader import uri_of
from lake.versions.publish import Candidate
from lakegate.manifest import DataFile, Manifest, sha256

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass
class Comparison:
    """What the next version of a table is compared with.

    `parent` is its manifest as it stands, None before the first; `whole` says that each version takes the place of the one before.
    """

    session: Session
    contract: Contract
    parent: Manifest | None
    ref: str
    whole: bool
    read: int = 0
    """Data files of earlier versions that had to be read, because nobody had counted them."""
    _known: dict[int, VersionHistograms] = field(default_factory=dict)
    _counted: set[int] = field(default_factory=set)

    @cached_property
    def shelf(self) -> HistogramStore:
        """What lies beside the versions before."""
        return HistogramStore(self.session.repository, self.contract.name, self.ref)

    def baselines(self, kinds: Kinds) -> dict[Baseline, Histograms]:
        """The rows that came before, those of a season ago, and the pinned version's whole table, as far as there are any."""
        if self.parent is None or not kinds:
            return {}
        found: dict[Baseline, Histograms] = {}
        drift, last = self.contract.drift or Drift(), self.parent.version
        _, previous = self.shelf.previous(
            last, lambda number: self._of(number, kinds).added, whole=self.whole
        )
        if previous is not None:
            found["previous"] = previous
        if drift.pinned <= last:
            found["pinned"] = self._of(drift.pinned, kinds).whole
        if (
            drift.season is not None
            and len(delivered := self.shelf.deliveries(last, drift.season)) >= drift.season
        ):
            found["season"] = self._own(delivered[-drift.season], kinds)
        return found

    @property
    def past(self) -> Past:
        """What earlier deliveries added, for rules that ask whether a change stands out; nothing is read before one asks."""
        return EarlierRows.past(self.contract, self.shelf, self.parent.version) if self.parent else NO_PAST

    def keep(
        self, candidate: Candidate, seen: Histograms, kinds: Kinds, *, delivered: bool = True
    ) -> dict[str, str]:
        """Put the new version's histograms on its candidate, with those that had to be counted for it; what its manifest notes."""
        if not kinds:
            return {}
        alone = self.parent is None or (self.whole and delivered)
        table = (
            seen
            if alone or self.parent is None
            else merge_all(self._of(self.parent.version, kinds).whole, seen)
        )
        if not delivered:
            self._carry_on(kinds)
        earlier = {str(number): self._known[number].to_json() for number in sorted(self._counted)}
        season = (self.contract.drift or Drift()).season or 1
        before = self.parent.version if self.parent else 0
        named = [*self.shelf.deliveries(before, season), *[candidate.number] * delivered][-LONGEST_SEASON:]
        made = {
            "format": paths.FORMAT,
            **VersionHistograms(seen, table).to_json(),
            "earlier": earlier,
            DELIVERIES: named,
        }
        body = json.dumps(made, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        self.session.repository.put(
            candidate.branch, paths.histograms(self.contract.name, candidate.number), body
        )
        return {NOTE: sha256(body)}

    def _carry_on(self, kinds: Kinds) -> None:
        """Keep what the parent keeps of earlier versions: nothing is compared now that would ask for it."""
        body = self.shelf.body(self.parent.version) if self.parent else None
        for number in body["earlier"] if body else ():
            self._stored(int(number), kinds)

    def _own(self, number: int, kinds: Kinds) -> Histograms:
        """The rows that a version added, without a count of its whole table: a season goes by one version at a time."""
        kept = self._known.get(number) or self._stored(number, kinds)
        if kept is None and (manifest := self.shelf.manifest(number)) is not None:
            return self._count_own(manifest, kinds)
        return kept.added if kept else _none(kinds)

    def _of(self, number: int, kinds: Kinds) -> VersionHistograms:
        if number not in self._known and self._stored(number, kinds) is None:
            self._known[number] = self._count(number, kinds)
            self._counted.add(number)
        return self._known[number]

    def _stored(self, number: int, kinds: Kinds) -> VersionHistograms | None:
        """A version's histograms as they were kept with it, or with the latest version where they were counted later."""
        body = self.shelf.body(number)
        found = VersionHistograms.from_json(body).of(kinds) if body else None
        if (
            found is None
            and self.parent is not None
            and (body := self.shelf.body(self.parent.version)) is not None
        ):
            counted = body["earlier"].get(str(number))
            found = VersionHistograms.from_json(counted).of(kinds) if counted else None
            if found is not None:
                self._counted.add(number)
        if found is not None:
            self._known[number] = found
        return found

    def _count(self, number: int, kinds: Kinds) -> VersionHistograms:
        manifest = self.shelf.manifest(number)
        if manifest is None:
            return VersionHistograms(_none(kinds), _none(kinds))
        own = self._count_own(manifest, kinds)
        if number == 1 or self._replaced(number):
            return VersionHistograms(own, own)
        added, rewritten = self._added(manifest)
        if (rest := self._stored(number - 1, kinds)) is not None and not rewritten:
            return VersionHistograms(own, merge_all(own, rest.whole))
        if rewritten:
            return VersionHistograms(own, self._histograms(manifest, manifest.files, kinds))
        new = {item.path for item in added}
        return VersionHistograms(
            own,
            merge_all(
                own,
                self._histograms(manifest, [item for item in manifest.files if item.path not in new], kinds),
            ),
        )

    def _count_own(self, manifest: Manifest, kinds: Kinds) -> Histograms:
        """The rows that a version added; where it wrote others anew as well, those of its drop."""
        added, rewritten = self._added(manifest)
        drop = manifest.drop if rewritten and self.shelf.delivered(manifest.version) else None
        return self._histograms(manifest, added, kinds, drop=drop)

    def _added(self, manifest: Manifest) -> tuple[list[DataFile], bool]:
        """The files that a version has and the one before had not, and whether it lacks any of that one's."""
        before = None if self._replaced(manifest.version) else self.shelf.manifest(manifest.version - 1)
        old, now = (
            {item.path for item in before.files} if before else set(),
            {item.path for item in manifest.files},
        )
        return [item for item in manifest.files if item.path not in old], not old <= now

    def _replaced(self, number: int) -> bool:
        """Whether a version took the place of the one before: a replay or a discard never does."""
        return self.whole and self.shelf.delivered(number)

    def _histograms(
        self, manifest: Manifest, files: Sequence[DataFile], kinds: Kinds, *, drop: str | None = None
    ) -> Histograms:
        """Counts of a version's files, or of a drop's rows in them. A column that it lacks, or that was of another type then, has none."""
        engine = self.session.engine
        uris = [uri_of(self.session, manifest.name.tag, item) for item in files if item.rows]
        there = {(item["name"], item["type"]) for item in manifest.schema}
        asked = {
            name: kind for name, kind in kinds.items() if (name, self.contract.column(name).type) in there
        }
        self.read += len(uris) if asked else 0
        frame = engine.read_parquet(uris) if uris and (asked or drop) else None
        rows = sum(item.rows for item in files)
        if frame is not None and drop is not None:
            frame = frame.where(f"{DROP} = '{drop}'")
            ((rows,),) = engine.rows(frame.groupBy().count())
        found = count_histograms(frame, asked, engine.rows) if frame is not None and asked else Histograms()
        return merge_all(Histograms(rows - found.rows, _none(kinds).columns), found)


def keep_given_back(
    session: Session, contract: Contract, suite: Suite, candidate: Candidate, rows: DataFrame | None
) -> dict[str, str]:
    """`Comparison.keep` for a version that no delivery made: of the rows that a replay gave back, or a discard's, which are None."""
    kinds = make_plan(suite, contract).histograms
    seen = count_histograms(rows, kinds, session.engine.rows) if rows is not None and kinds else _none(kinds)
    compare = Comparison(
        session, contract, candidate.parent, candidate.base, whole=contract.write_mode == "replace"
    )
    return compare.keep(candidate, seen, kinds, delivered=False)


def keep_rolled_back(
    session: Session, contract: Contract, suite: Suite, candidate: Candidate, target: Manifest
) -> dict[str, str]:
    """`Comparison.keep` for a version that is an earlier one again: what was counted of that."""
    kinds = make_plan(suite, contract).histograms
    compare = Comparison(session, contract, target, candidate.base, whole=contract.write_mode == "replace")
    return compare.keep(candidate, _none(kinds), kinds, delivered=False)


def keep_rebuilt(
    session: Session, contract: Contract, suite: Suite, candidate: Candidate, rows: DataFrame
) -> dict[str, str]:
    """`Comparison.keep` for a version that was made anew: of all its rows."""
    kinds = make_plan(suite, contract).histograms
    seen = count_histograms(rows, kinds, session.engine.rows) if kinds else _none(kinds)
    compare = Comparison(session, contract, None, candidate.base, whole=contract.write_mode == "replace")
    return compare.keep(candidate, seen, kinds, delivered=False)


def _none(kinds: Kinds) -> Histograms:
    return Histograms(0, {name: Histogram(kind) for name, kind in kinds.items()})
