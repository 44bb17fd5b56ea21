"""Read the histograms that lie beside versions: of the rows that each added and of its whole table.

A version's manifest holds the SHA-256 of its histograms; a file that it doesn't vouch for counts as missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from expectations.drift.compared import LEAST_ROWS
from expectations.drift.histogram import Histogram, Histograms, Kind, merge_all
from lake import paths
from lake.lakefs.repository import Repository
from lake.versions import publish
from lake.versions.origin import NO_DELIVERY, ROLLS_BACK, TO
from lakegate.manifest import Manifest, sha256
from lakegate.names import VersionName

Kinds = Mapping[str, Kind]
NOTE: Final = "histograms_sha256"
"""Where a manifest notes the hash of its version's histograms."""
DELIVERIES: Final = "deliveries"
"""Where a version's histograms name the newest versions that deliveries made, itself among them."""
LOOK_BACK: Final = 20
"""Versions of which the previous rows may consist, where each of them added few."""


@dataclass(frozen=True)
class VersionHistograms:
    """Histograms of one version: of the rows that it `added`, and of the `whole` table."""

    added: Histograms
    whole: Histograms

    def to_json(self) -> dict[str, Any]:
        """As stored in the lake."""
        return {"own": self.added.to_json(), "table": self.whole.to_json()}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> VersionHistograms:
        """What `to_json` gave."""
        return cls(Histograms.from_json(given["own"]), Histograms.from_json(given["table"]))

    def of(self, kinds: Kinds) -> VersionHistograms | None:
        """These columns alone; None where one was not counted, or is counted in another way now."""
        selected = []
        for part in (self.added, self.whole):
            counted = {name: item.kind for name, item in part.columns.items()}
            if not kinds.items() <= counted.items():
                return None
            selected.append(Histograms(part.rows, {name: part.columns[name] for name in kinds}))
        return VersionHistograms(*selected)


def no_rows(kinds: Kinds) -> Histograms:
    """The histograms of no rows."""
    return Histograms(0, {name: Histogram(kind) for name, kind in kinds.items()})


@dataclass
class HistogramStore:
    """Manifests and histograms of a table's versions in the tree `ref`; each is read once."""

    repository: Repository
    table: str
    ref: str
    _manifests: dict[int, Manifest] = field(default_factory=dict)
    _bodies: dict[int, dict[str, Any] | None] = field(default_factory=dict)

    def manifest(self, number: int) -> Manifest | None:
        """The manifest of a version; None for those before the first."""
        if number < 1:
            return None
        if number not in self._manifests:
            name = VersionName(self.table, number)
            self._manifests[number] = publish.manifest_at(self.repository, self.ref, name)
        return self._manifests[number]

    def body(self, number: int) -> dict[str, Any] | None:
        """A version's file of histograms; None where its manifest vouches for none.

        Its keys are `own`, `table`, `earlier` and `deliveries`.
        """
        if number not in self._bodies:
            manifest = self.manifest(number)
            raw = self.repository.get(self.ref, paths.histograms(self.table, number))
            if raw is None or manifest is None or manifest.notes.get(NOTE) != sha256(raw):
                self._bodies[number] = None
            else:
                self._bodies[number] = json.loads(raw)
        return self._bodies[number]

    def previous(
        self, number: int, own: Callable[[int], Histograms | None], *, whole: bool
    ) -> tuple[list[int], Histograms | None]:
        """The rows of the newest deliveries up to `number`, of as few as make a sample, after their versions.

        Versions that decisions made are passed over. `own` gives the rows that a version added; where they
        were not counted (None) the later deliveries alone are the sample. Of a `whole` table the newest
        delivery is enough.
        """
        chosen: list[int] = []
        found: Histograms | None = None
        for back in filter(self.delivered, islice(self.line(number), LOOK_BACK)):
            if (rows := own(back)) is None:
                break
            found = rows if found is None else merge_all(found, rows)
            chosen.append(back)
            if whole or found.rows >= LEAST_ROWS:
                break
        return chosen, found

    def deliveries(self, number: int, least: int) -> list[int]:
        """The delivered versions up to `number`, oldest first: the newest `least` or more of them.

        Each version's histograms name the delivered versions before it, so a season costs no walk; where they
        don't, each manifest is read.
        """
        found: list[int] = []
        while number >= 1 and len(found) < least:
            named = (self.body(number) or {}).get(DELIVERIES, [])
            found += reversed(named) if named else [number] * self.delivered(number)
            number = self.before(named[0] if named else number)
        return found[::-1]

    def line(self, number: int) -> Iterator[int]:
        """A version and those before it, except those that a rollback took out."""
        while number >= 1:
            yield number
            number = self.before(number)

    def before(self, number: int) -> int:
        """The version that one was made from: the one before, or a rollback's target; 0 before the first."""
        manifest = self.manifest(number)
        back = manifest.source.get(TO) if manifest and ROLLS_BACK in manifest.source else None
        return VersionName.parse(str(back)).number if back else number - 1

    def delivered(self, number: int) -> bool:
        """Whether a delivery made a version, and not a decision."""
        manifest = self.manifest(number)
        return manifest is not None and not (NO_DELIVERY & manifest.source.keys())
