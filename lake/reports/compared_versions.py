"""The two sides of a comparison: the histograms of a version, and those of its baseline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from catalog.contract import Contract
from catalog.drift import Drift
from expectations.drift.histogram import Histogram, Histograms, as_kind, kind_of
from lake.drift.histogram_store import HistogramStore, VersionHistograms, no_rows
from lakegate.errors import UsageError, VersionNotFound
from lakegate.names import VersionName

BASELINES: Final = ("previous", "pinned", "season")
_NUMBER: Final = re.compile(r"v[1-9][0-9]{0,17}\Z")


def never_published(name: VersionName, latest: int) -> VersionNotFound:
    """The error that a table has no such version; `latest` is 0 where it has none at all."""
    what = f"{name} was never published here"
    if latest:
        what += f", the latest is {VersionName(name.table, latest)}"
    return VersionNotFound(what, fix=f"`lakegate versions {name.table}` lists what was")


@dataclass(frozen=True)
class ComparedVersions:
    """The histograms of a table's versions, of the columns that its contract has now.

    `whole` says that whole tables are compared, and not the rows that versions added.
    """

    contract: Contract
    store: HistogramStore
    latest: int
    whole: bool

    def baseline(self, name: VersionName, against: str) -> tuple[list[int], Histograms]:
        """The versions that a version is compared with, and their histograms."""
        if against == "previous":
            return self._previous(name)
        if against == "season":
            number = self._season(name)
            return [number], self.histograms(number, whole=self.whole)
        number = (self.contract.drift or Drift()).pinned if against == "pinned" else _number(name, against)
        if number > self.latest:
            raise never_published(VersionName(name.table, number), 0)
        if number == name.number:
            what = f"{name} would be compared with itself"
            raise UsageError(what, fix="name another version with --against, such as previous or v1")
        return [number], self.histograms(number, whole=True)

    def histograms(self, number: int, *, whole: bool) -> Histograms:
        """A version's histograms, of its whole table or of the rows that it added.

        Raises:
            UsageError: It has none.
        """
        if (stored := self._stored(number)) is None:
            raise self._missing(number)
        part, columns = stored.whole if whole else stored.added, {}
        for column in self.contract.columns:
            found = as_kind(part.columns.get(column.name), kind_of(column))
            if found is not None:
                columns[column.name] = found
        return Histograms(part.rows, columns)

    def _missing(self, number: int) -> UsageError:
        manifest = self.store.manifest(number)
        if manifest is not None and "replay_of" in manifest.source:
            why, fix = "a replay made it, and counted nothing", "name a version before or after it"
        else:
            why = "no rule of its contract needed any when it was made"
            fix = "let its contract ask for drift, and ingest"
        return UsageError(f"{VersionName(self.contract.name, number)} has no histograms: {why}", fix=fix)

    def _previous(self, name: VersionName) -> tuple[list[int], Histograms]:
        last, requested = name.number - 1, list[int]()
        if self.whole and last:
            return [last], self.histograms(last, whole=True)

        def added(number: int) -> Histograms | None:
            requested.append(number)
            # Without the newest there is nothing to compare with, so that one has to have histograms.
            if len(requested) > 1 and self._stored(number) is None:
                return None
            return self.histograms(number, whole=False)

        numbers, found = self.store.previous(last, added, whole=self.contract.write_mode == "replace")
        if found is None:
            what = f"there is no version before {name} to compare it with"
            raise UsageError(what, fix="name another version with --against, or ask for a later one")
        return numbers, found

    def _season(self, name: VersionName) -> int:
        season = (self.contract.drift or Drift()).season
        if season is None:
            fix = "add it to the custom property drift, such as {season: 12}, or name a version: --against v1"
            raise UsageError(f"the contract of {name.table} has no season", fix=fix)
        before = self.store.deliveries(name.number - 1, season)
        if len(before) < season:
            what = f"{name} has {len(before)} deliveries before it, and a season has {season}"
            raise UsageError(what, fix="compare it with previous or pinned until there are as many")
        return before[-season]

    def _stored(self, number: int) -> VersionHistograms | None:
        """What is stored with a version, and with the next and the latest where columns were counted later.

        A discard without histograms of its own adds no rows to those of the version before.
        """
        bodies = [self.store.body(number)]
        for later in (number + 1, self.latest):
            body = self.store.body(later) if later <= self.latest else None
            bodies.append(body["earlier"].get(str(number)) if body else None)
        found = [VersionHistograms.from_json(body) for body in bodies if body is not None]
        if found:
            added, whole = [item.added for item in found], [item.whole for item in found]
            return VersionHistograms(self._combined(added), self._combined(whole))
        manifest = self.store.manifest(number)
        if manifest is None or "discards_of" not in manifest.source:
            return None
        if (parent := self._stored(number - 1)) is None:
            return None
        kinds = {name: item.kind for name, item in parent.whole.columns.items()}
        return VersionHistograms(no_rows(kinds), parent.whole)

    def _combined(self, counts: list[Histograms]) -> Histograms:
        """Of each column the first histogram of its present kind, else the first; all count the same rows."""
        kinds = {column.name: kind_of(column) for column in self.contract.columns}
        columns: dict[str, Histogram] = {}
        for item in counts:
            for name, histogram in item.columns.items():
                first = columns.setdefault(name, histogram)
                if first.kind != kinds.get(name) and histogram.kind == kinds.get(name):
                    columns[name] = histogram
        return Histograms(counts[0].rows, columns)


def _number(name: VersionName, against: str) -> int:
    """The number of a version that `against` names: `v1`, or `flights@v1`."""
    if _NUMBER.match(against):
        return int(against[1:])
    if "@" not in against:
        what = f"{against[:80]!r} is nothing to compare with"
        raise UsageError(what, fix=f"write {', '.join(BASELINES)} or a version of {name.table}, such as v1")
    other = VersionName.parse(against)
    if other.table != name.table:
        what = f"{other} is a version of another table than {name}"
        raise UsageError(what, fix=f"name a version of {name.table}, such as v1")
    return other.number
