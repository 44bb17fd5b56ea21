"""What a table's earlier deliveries added, for rules that look for outliers; read from histograms alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final

from catalog.contract import Contract
from catalog.drift import Drift
from expectations.drift.compared import LEAST_ROWS
from expectations.drift.histogram import Histograms, merge_all
from expectations.drift.precedent import Past
from lake.drift.histogram_store import LOOK_BACK, HistogramStore

AT_ONCE: Final = 8
"""Versions whose histograms are fetched at a time."""


@dataclass(frozen=True)
class EarlierRows:
    """The rows of deliveries up to version `last`; small ones are merged to samples, as for a baseline."""

    store: HistogramStore
    last: int
    pinned: int
    season: int | None
    whole: bool
    """Whether each delivery replaces the table."""

    @classmethod
    def past(cls, contract: Contract, store: HistogramStore, last: int) -> Past:
        """What the deliveries up to a version added; nothing is read before a rule needs it."""
        drift = contract.drift or Drift()
        rows = cls(store, last, drift.pinned, drift.season, contract.write_mode == "replace")
        return Past(rows._recent, rows._first, rows._seasons)

    def _recent(self, many: int) -> list[Histograms]:
        line = list(islice(self.store.line(self.last), many + LOOK_BACK))
        self._fetch(line[:many])
        return list(islice(self._samples(line), many))[::-1]

    def _first(self, many: int) -> list[Histograms]:
        numbers = range(self.pinned + 1, min(self.last, self.pinned + many + LOOK_BACK) + 1)
        self._fetch(numbers[:many])
        return list(islice(self._samples(numbers), many))

    def _seasons(self, many: int) -> list[tuple[Histograms, Histograms]]:
        if self.season is None:
            return []
        made = self.store.deliveries(self.last, many + self.season)
        pairs = list(zip(made[self.season :], made, strict=False))[-many:]
        self._fetch([number for pair in pairs for number in pair])
        both = ((self._own(one), self._own(other)) for one, other in pairs)
        return [(one, other) for one, other in both if one is not None and other is not None]

    def _samples(self, numbers: Iterable[int]) -> Iterator[Histograms]:
        """The rows that these versions added, merged until they make a sample."""
        found: Histograms | None = None
        for number in numbers:
            if not self.store.delivered(number) or (own := self._own(number)) is None:
                continue
            found = own if found is None else _together(found, own)
            if self.whole or found.rows >= LEAST_ROWS:
                yield found
                found = None

    def _own(self, number: int) -> Histograms | None:
        body = self.store.body(number)
        return Histograms.from_json(body["own"]) if body else None

    def _fetch(self, numbers: Iterable[int]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self.store.body, numbers))


def _together(one: Histograms, other: Histograms) -> Histograms:
    """The rows of both, in the columns that were of one kind then."""
    same = {
        name
        for name in one.columns
        if name in other.columns and one.columns[name].kind == other.columns[name].kind
    }
    return merge_all(
        *(Histograms(part.rows, {name: part.columns[name] for name in sorted(same)}) for part in (one, other))
    )
