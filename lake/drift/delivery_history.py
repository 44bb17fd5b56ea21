"""What a table's earlier deliveries added, for rules that ask whether a change stands out: read from the histograms beside versions alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final

from catalog.contract import Contract
from catalog.drift import Drift
from expectations.drift.baseline_rules import LEAST_ROWS
from expectations.drift.histogram import Histograms, merge_all
from expectations.drift.precedent import Past
from lake.drift.histogram_store import LOOK_BACK, HistogramStore

AT_ONCE: Final = 8
"""Versions whose histograms are fetched at a time."""


@dataclass(frozen=True)
class EarlierRows:
    """The rows that came with deliveries up to version `last`; several together where each brought few, as a baseline takes them."""

    shelf: HistogramStore
    last: int
    pinned: int
    season: int | None
    whole: bool
    """Whether each version takes the place of the one before."""

    @classmethod
    def past(cls, contract: Contract, shelf: HistogramStore, last: int) -> Past:
        """What the deliveries up to a version added, as rules ask for it; nothing is read before one does."""
        drift = contract.drift or Drift()
        rows = cls(shelf, last, drift.pinned, drift.season, contract.write_mode == "replace")
        return Past(rows._recent, rows._first, rows._seasons)

    def _recent(self, many: int) -> list[Histograms]:
        line = list(islice(self.shelf.line(self.last), many + LOOK_BACK))
        self._fetch(line[:many])
        return list(islice(self._samples(line), many))[::-1]

    def _first(self, many: int) -> list[Histograms]:
        numbers = range(self.pinned + 1, min(self.last, self.pinned + many + LOOK_BACK) + 1)
        self._fetch(numbers[:many])
        return list(islice(self._samples(numbers), many))

    def _seasons(self, many: int) -> list[tuple[Histograms, Histograms]]:
        if self.season is None:
            return []
        made = self.shelf.deliveries(self.last, many + self.season)
        pairs = list(zip(made[self.season :], made, strict=False))[-many:]
        self._fetch([number for pair in pairs for number in pair])
        both = ((self._own(one), self._own(other)) for one, other in pairs)
        return [(one, other) for one, other in both if one is not None and other is not None]

    def _samples(self, numbers: Iterable[int]) -> Iterator[Histograms]:
        """The rows of these versions, of as many together as make a sample."""
        found: Histograms | None = None
        for number in numbers:
            if not self.shelf.delivered(number) or (own := self._own(number)) is None:
                continue
            found = own if found is None else _together(found, own)
            if self.whole or found.rows >= LEAST_ROWS:
                yield found
                found = None

    def _own(self, number: int) -> Histograms | None:
        body = self.shelf.body(number)
        return Histograms.from_json(body["own"]) if body else None

    def _fetch(self, numbers: Iterable[int]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self.shelf.body, numbers))


def _together(one: Histograms, other: Histograms) -> Histograms:
    """Both's rows, of the columns that were of one kind then."""
    same = {
        name
        for name, item in one.columns.items()
        if name in other.columns and other.columns[name].kind == item.kind
    }
    parts = (
        Histograms(item.rows, {name: item.columns[name] for name in sorted(same)}) for item in (one, other)
    )
    return merge_all(*parts)
