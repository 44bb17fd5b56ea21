"""Histograms as they lie in the lake, beside each version: of the rows that it added and of its whole table. Only read here.

A version's manifest holds the SHA-256 of its histograms; a file that it doesn't vouch for is as good as none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from expectations.drift.compared import LEAST_ROWS
from expectations.drift.histogram import Histograms, Kind, merge_all
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
"""Where a version's histograms name the versions that deliveries made, replays and discards left out; the newest, itself among them."""
LOOK_BACK: Final = 20
"""Versions before, whose rows together are the previous ones where each of them added few."""


@dataclass(frozen=True)
class VersionHistograms:
    """Histograms of one version: of the rows that it `added`, and of the `whole` table."""

    added: Histograms
    whole: Histograms

    def to_json(self) -> dict[str, Any]:
        """As it lies in the lake."""
        return {"own": self.added.to_json(), "table": self.whole.to_json()}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> VersionHistograms:
        """What `to_json` gave."""
        return cls(Histograms.from_json(given["own"]), Histograms.from_json(given["table"]))

    def of(self, kinds: Kinds) -> VersionHistograms | None:
        """These columns alone; None where one was not counted, or not in this way."""
        parts = (self.added, self.whole)
        if any(
            name not in part.columns or part.columns[name].kind != kind
            for part in parts
            for name, kind in kinds.items()
        ):
            return None
        return VersionHistograms(
            *(Histograms(part.rows, {name: part.columns[name] for name in kinds}) for part in parts)
        )


@dataclass
class HistogramStore:
    """The versions of a table in the tree `ref`, each with its manifest and its histograms; what was read once is kept."""

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
            self._manifests[number] = publish.manifest_at(
                self.repository, self.ref, VersionName(self.table, number)
            )
        return self._manifests[number]

    def body(self, number: int) -> dict[str, Any] | None:
        """What lies beside a version: `own`, `table`, `earlier` and `deliveries`; None where nothing does that its manifest vouches for."""
        if number not in self._bodies:
            manifest, raw = (
                self.manifest(number),
                self.repository.get(self.ref, paths.histograms(self.table, number)),
            )
            sound = raw is not None and manifest is not None and manifest.notes.get(NOTE) == sha256(raw)
            self._bodies[number] = json.loads(raw) if raw is not None and sound else None
        return self._bodies[number]

    def previous(
        self, number: int, own: Callable[[int], Histograms | None], *, whole: bool
    ) -> tuple[list[int], Histograms | None]:
        """Rows that came with the newest deliveries up to version `number`, of as few as make a sample, and which versions these are.

        What a replay gave back is of older ones, and a discard adds none. `own` gives the rows that a version added, None where they
        were not counted: then those after it have to do. Of a `whole` table the newest is enough.
        """
        chosen: list[int] = []
        found: Histograms | None = None
        for back in islice(self.line(number), LOOK_BACK):
            if self.delivered(back):
                if (rows := own(back)) is None:
                    break
                found = rows if found is None else merge_all(found, rows)
                chosen.append(back)
                if whole or found.rows >= LEAST_ROWS:
                    break
        return chosen, found

    def deliveries(self, number: int, least: int) -> list[int]:
        """The versions up to `number` that deliveries made, oldest first: the newest `least` of them or more, where there are so many.

        Each version's histograms name those before it, so a season costs no walk; where they don't, manifests are asked.
        """
        found: list[int] = []
        while number >= 1 and len(found) < least:
            body = self.body(number)
            named = body.get(DELIVERIES, []) if body else []
            found += reversed(named) if named else [number] * self.delivered(number)
            number = self.before(named[0] if named else number)
        return found[::-1]

    def line(self, number: int) -> Iterator[int]:
        """A version and those before it, without those that a rollback took out."""
        while number >= 1:
            yield number
            number = self.before(number)

    def before(self, number: int) -> int:
        """The version that one was made from: the one before, or the one that a rollback went back to; 0 before the first."""
        manifest = self.manifest(number)
        back = manifest.source.get(TO) if manifest and ROLLS_BACK in manifest.source else None
        return VersionName.parse(str(back)).number if back else number - 1

    def delivered(self, number: int) -> bool:
        """Whether a delivery made a version, and not a replay or a discard."""
        manifest = self.manifest(number)
        return manifest is not None and not (NO_DELIVERY & manifest.source.keys())
