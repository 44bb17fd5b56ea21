"""Histograms in the lake: kept beside each version, of the rows that it added and of its whole table.

A comparison reads the new rows and nothing else: what earlier versions hold was counted when they were made. Where it was not (an
earlier release made them, a replay, or a rule asks for another column by now) their files are counted once, and the counts are kept
with the next version. A version's manifest holds the SHA-256 of its histograms; counts that it doesn't vouch for are taken anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from catalog.contract import Contract, Drift
from expectations.binning import count_histograms
from expectations.drift import LEAST_ROWS, Baseline
from expectations.histogram import Histogram, Histograms, Kind, merge_all
from lake import layout, publish
from lake.publish import Candidate
from lake.session import Session
from lakegate.manifest import DataFile, Manifest, sha256
from lakegate.names import VersionName

Kinds = Mapping[str, Kind]
NOTE: Final = "histograms_sha256"
"""Where a manifest notes the hash of its version's histograms."""
LOOK_BACK: Final = 20
"""Versions before, whose rows together are the previous ones where each of them added few."""


@dataclass(frozen=True)
class Kept:
    """Histograms of one version: of the rows it added (`own`), and of its whole `table`."""

    own: Histograms
    table: Histograms

    def to_json(self) -> dict[str, Any]:
        """As it lies in the lake."""
        return {"own": self.own.to_json(), "table": self.table.to_json()}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Kept:
        """What `to_json` gave."""
        return cls(Histograms.from_json(given["own"]), Histograms.from_json(given["table"]))

    def of(self, kinds: Kinds) -> Kept | None:
        """These columns alone; None where one was not counted, or not in this way."""
        parts = (self.own, self.table)
        if any(name not in part.columns or part.columns[name].kind != kind for part in parts for name, kind in kinds.items()):
            return None
        return Kept(*(Histograms(part.rows, {name: part.columns[name] for name in kinds}) for part in parts))


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
        """The rows that came before, and the pinned version's whole table, as far as there are any."""
        if self.parent is None or not kinds:
            return {}
        found: dict[Baseline, Histograms] = {}
        if (previous := self._previous(kinds)) is not None:
            found["previous"] = previous
        pinned = (self.contract.drift or Drift()).pinned
        if pinned <= self.parent.version:
            found["pinned"] = self._of(pinned, kinds).table
        return found

    def keep(self, candidate: Candidate, seen: Histograms, kinds: Kinds) -> dict[str, str]:
        """Put the new version's histograms on its candidate, with those that had to be counted for it; what its manifest notes."""
        if not kinds:
            return {}
        table = seen if self.whole or self.parent is None else merge_all(self._of(self.parent.version, kinds).table, seen)
        earlier = {str(number): self._known[number].to_json() for number in sorted(self._counted)}
        made = {"format": layout.FORMAT, **Kept(seen, table).to_json(), "earlier": earlier}
        body = json.dumps(made, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        self.session.repository.put(candidate.branch, layout.histograms(self.contract.name, candidate.number), body)
        return {NOTE: sha256(body)}

    def _previous(self, kinds: Kinds) -> Histograms | None:
        """Rows that came with the newest deliveries before, of as few as make a sample; what a replay gave back is of older ones."""
        found, manifest = None, self.parent
        for _ in range(LOOK_BACK):
            if manifest is None:
                break
            if "replay_of" not in manifest.source:
                own = self._of(manifest.version, kinds).own
                found = own if found is None else merge_all(found, own)
                if self.whole or found.rows >= LEAST_ROWS:
                    break
            manifest = self._manifest(manifest.version - 1)
        return found

    def _of(self, number: int, kinds: Kinds) -> Kept:
        if number not in self._known:
            kept = self._stored(number, kinds)
            if kept is None:
                kept = self._count(number, kinds)
                self._counted.add(number)
            self._known[number] = kept
        return self._known[number]

    def _stored(self, number: int, kinds: Kinds) -> Kept | None:
        """A version's histograms as they were kept with it, or with the latest version where they were counted later."""
        body = self._body(number)
        found = Kept.from_json(body).of(kinds) if body else None
        if found is None and self.parent is not None and (body := self._body(self.parent.version)) is not None:
            counted = body["earlier"].get(str(number))
            found = Kept.from_json(counted).of(kinds) if counted else None
            if found is not None:
                self._counted.add(number)
        return found

    def _body(self, number: int) -> dict[str, Any] | None:
        raw = self.session.repository.get(self.ref, layout.histograms(self.contract.name, number))
        manifest = self._manifest(number)
        if raw is None or manifest is None or manifest.notes.get(NOTE) != sha256(raw):
            return None
        found: dict[str, Any] = json.loads(raw)
        return found

    def _count(self, number: int, kinds: Kinds) -> Kept:
        manifest, before = self._manifest(number), None if self.whole else self._manifest(number - 1)
        if manifest is None:
            return Kept(_none(kinds), _none(kinds))
        old = {item.path for item in before.files} if before else set()
        own = self._histograms(manifest, [item for item in manifest.files if item.path not in old], kinds)
        if before is None:
            return Kept(own, own)
        rest = self._stored(before.version, kinds)
        kept = rest.table if rest else self._histograms(manifest, [item for item in manifest.files if item.path in old], kinds)
        return Kept(own, merge_all(own, kept))

    def _histograms(self, manifest: Manifest, files: Sequence[DataFile], kinds: Kinds) -> Histograms:
        """Counts of a version's files. A column that it lacks, or that was of another type then, has none."""
        engine = self.session.engine
        uris = [engine.uri(manifest.name.tag, item.path) for item in files if item.rows]
        there = {(item["name"], item["type"]) for item in manifest.schema}
        asked = {name: kind for name, kind in kinds.items() if (name, self.contract.column(name).type) in there}
        self.read += len(uris) if asked else 0
        found = count_histograms(engine.read_parquet(uris), asked, engine.rows) if uris and asked else Histograms()
        rows = sum(item.rows for item in files)
        return merge_all(Histograms(rows - found.rows, _none(kinds).columns), found)

    def _manifest(self, number: int) -> Manifest | None:
        if number < 1:
            return None
        return publish.manifest_at(self.session.repository, self.ref, VersionName(self.contract.name, number))


def _none(kinds: Kinds) -> Histograms:
    return Histograms(0, {name: Histogram(kind) for name, kind in kinds.items()})
