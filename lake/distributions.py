"""Histograms in the lake: kept beside each version, of the rows that it added and of its whole table.

A comparison reads the new rows and nothing else: what earlier versions hold was counted when they were made. Where it was not (an
earlier release made them, a replay, or a rule asks for another column by now) their files are counted once, and the counts are kept
with the next version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.contract import Contract, Drift
from expectations.binning import count_histograms
from expectations.drift import LEAST_ROWS, Baseline
from expectations.histogram import Histograms, Kind, merge_all
from lake import layout, publish
from lake.publish import Candidate
from lake.session import Session
from lakegate.manifest import DataFile, Manifest
from lakegate.names import VersionName

Kinds = Mapping[str, Kind]


@dataclass(frozen=True)
class Kept:
    """Histograms of one version: of the rows it added (`own`), and of its whole `table`."""

    own: Histograms
    table: Histograms

    def to_bytes(self) -> bytes:
        """As it lies in the lake."""
        body = {"format": layout.FORMAT, "own": self.own.to_json(), "table": self.table.to_json()}
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


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
    _known: dict[int, Kept] = field(default_factory=dict)
    _counted: set[int] = field(default_factory=set)

    def baselines(self, kinds: Kinds) -> dict[Baseline, Histograms]:
        """The previous version's own rows, and the pinned version's whole table, as far as there are any."""
        if self.parent is None or not kinds:
            return {}
        found: dict[Baseline, Histograms] = {}
        if (previous := self._previous(kinds)) is not None:
            found["previous"] = previous
        pinned = (self.contract.drift or Drift()).pinned
        if pinned <= self.parent.version:
            found["pinned"] = self._of(pinned, kinds).table
        return found

    def keep(self, candidate: Candidate, seen: Histograms, kinds: Kinds) -> None:
        """Put the new version's histograms on its candidate, and those that had to be counted for it."""
        if not kinds:
            return
        table = seen if self.whole or self.parent is None else merge_all(self._of(self.parent.version, kinds).table, seen)
        made = {number: self._known[number] for number in self._counted} | {candidate.number: Kept(seen, table)}
        for number, kept in made.items():
            self.session.repository.put(candidate.branch, layout.histograms(self.contract.name, number), kept.to_bytes())

    def _previous(self, kinds: Kinds) -> Histograms | None:
        """Rows that came with the newest delivery before; what a replay gave back is of older ones."""
        manifest = self.parent
        while manifest is not None:
            if "replay_of" not in manifest.source and (own := self._of(manifest.version, kinds).own).rows >= LEAST_ROWS:
                return own
            manifest = self._manifest(manifest.version - 1)
        return None

    def _of(self, number: int, kinds: Kinds) -> Kept:
        if number not in self._known:
            kept = _read(self.session.repository.get_json(self.ref, layout.histograms(self.contract.name, number)))
            if kept is None or kinds.keys() - kept.own.columns.keys() or kinds.keys() - kept.table.columns.keys():
                kept = self._count(number, kinds)
                self._counted.add(number)
            self._known[number] = kept
        return self._known[number]

    def _count(self, number: int, kinds: Kinds) -> Kept:
        manifest, before = self._manifest(number), self._manifest(number - 1)
        files = manifest.files if manifest else []
        old = set() if self.whole or before is None else {item.path for item in before.files}
        own = self._histograms(number, [item for item in files if item.path not in old], kinds)
        return Kept(own, own if not old else merge_all(own, self._histograms(number, [item for item in files if item.path in old], kinds)))

    def _histograms(self, number: int, files: Sequence[DataFile], kinds: Kinds) -> Histograms:
        engine, tag = self.session.engine, VersionName(self.contract.name, number).tag
        uris = [engine.uri(tag, item.path) for item in files if item.rows]
        self.read += len(uris)
        return count_histograms(engine.read_parquet(uris), kinds, engine.rows) if uris else Histograms()

    def _manifest(self, number: int) -> Manifest | None:
        if number < 1:
            return None
        return publish.manifest_at(self.session.repository, self.ref, VersionName(self.contract.name, number))


def _read(body: dict[str, Any] | None) -> Kept | None:
    return None if body is None else Kept(Histograms.from_json(body["own"]), Histograms.from_json(body["table"]))
