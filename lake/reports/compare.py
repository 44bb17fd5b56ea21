"""Comparing a published version with an earlier one: before training on it, and weekly. Reads histograms that lie in the lake, and no data."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from catalog.contract import Contract
from catalog.drift import Drift
from expectations.drift.baseline_rules import SIGNIFICANCE
from expectations.drift.compare_columns import ComparedColumn, Finding, Thresholds, compare_columns, worst
from expectations.drift.histogram import Histogram, Histograms, as_kind, kind_of
from lake.drift.delivery_history import EarlierRows
from lake.drift.histogram_store import HistogramStore, VersionHistograms
from lake.lakefs.repository import MAIN
from lake.reports.one_commit import reads_one_commit
from lake.reports.versions import table_names
from lake.session import Session
from lake.versions import publish
from lakegate.errors import UsageError, VersionNotFound
from lakegate.names import VersionName

BASELINES: Final = ("previous", "pinned", "season")
_SHARES: Final = ("null_change", "significance")
_NUMBER: Final = re.compile(r"v[1-9][0-9]{0,17}\Z")


@dataclass(frozen=True)
class VersionComparison:
    """What a version's columns look like beside those of a baseline, and the worst finding."""

    version: str
    baseline: tuple[str, ...]
    """The versions that it is compared with: one, or several previous ones where each added few rows."""
    whole: bool
    """Whether `rows` is all of the version's table, and not the rows that it added."""
    baseline_whole: bool
    """The same of the baseline: a version that is pinned or named stands with its whole table."""
    rows: int
    baseline_rows: int
    thresholds: Thresholds
    finding: Finding
    columns: tuple[ComparedColumn, ...]

    def to_json(self) -> dict[str, Any]:
        """As `lakegate compare --json` prints it."""
        return asdict(self)


@reads_one_commit
def compare(
    session: Session,
    version: str,
    *,
    against: str = "previous",
    whole: bool = False,
    statistic: str = "kl",
    warn: float | None = None,
    trigger: float | None = None,
    null_change: float | None = None,
    significance: float = SIGNIFICANCE,
) -> VersionComparison:
    """Compare the rows that a version added with those of a baseline, column by column.

    Args:
        session: The open lake. Nothing is written, no engine is started, no data file is read.
        version: Such as `flights@v12`.
        against: `previous` (the rows that the version before added), `season` (those of the delivery a season before), `pinned` (the
            whole table of the version that the contract names), or a version of the same table, such as `v1`: its whole table.
        whole: Take whole tables on both sides, and not the rows that the version added.
        statistic: Whose effect is judged: kl, js, psi, ks or chi_squared (Cramer's V).
        warn: Effect over which a column warns; the contract's where it is None.
        trigger: Effect over which it triggers; the contract's where it is None.
        null_change: Change of the share of NULL over which a column warns; the contract's where it is None.
        significance: What the corrected p-value has to lie below.

    Raises:
        UsageError: The names make no comparison, a version has no histograms, or thresholds are missing.
        VersionNotFound: There is no such version.
        ContractError: The table's contract is broken.
    """
    name = VersionName.parse(version)
    contract = _contract(session, name)
    thresholds = _thresholds(contract, statistic, (warn, trigger), null_change, significance)
    found = _Versions(
        contract, HistogramStore(session.repository, name.table, MAIN), _latest(session, name), whole=whole
    )
    new = found.histograms(name.number, whole=whole)
    numbers, base = found.baseline(name, against)
    if whole or against not in ("previous", "season") or (warn, trigger, statistic) != (None, None, "kl"):
        thresholds = replace(
            thresholds, history=0
        )  # who names bounds, or asks how far it is from a version, is told what is over them
    past = EarlierRows.past(contract, found.shelf, name.number - 1)
    columns = compare_columns(
        new, base, thresholds, left_out=_left_out(contract, against), baseline=against, past=past
    )
    names = tuple(str(VersionName(name.table, number)) for number in numbers)
    baseline_whole = whole or against not in ("previous", "season")
    return VersionComparison(
        str(name), names, whole, baseline_whole, new.rows, base.rows, thresholds, worst(columns), columns
    )


def _contract(session: Session, name: VersionName) -> Contract:
    try:
        return session.catalog.get(name.table)
    except UsageError as error:
        if name.table not in table_names(session):
            raise
        what = f"{name.table} is a raw table: it holds files as they were delivered, and has no histograms"
        raise UsageError(what, fix=f"compare versions of {name.table.removesuffix('_raw')}") from error


def _thresholds(
    contract: Contract,
    statistic: str,
    given: tuple[float | None, float | None],
    null_change: float | None,
    significance: float,
) -> Thresholds:
    drift = contract.drift or Drift()
    for name, value in (
        ("warn", given[0]),
        ("trigger", given[1]),
        ("null_change", null_change),
        ("significance", significance),
    ):
        most = 1 if name in _SHARES else math.inf
        if value is not None and not (math.isfinite(value) and 0 <= value <= most):
            what = f"{name} is {value:g}"
            raise UsageError(
                what,
                fix="write a number from 0 to 1"
                if name in _SHARES
                else "write a number that is finite and not below 0",
            )
    if statistic != "kl" and None in given:
        what = f"the contract's thresholds are Kullback-Leibler divergences, and {statistic} is asked for"
        raise UsageError(what, fix="give both thresholds: --warn and --trigger")
    warn, trigger = (
        default if item is None else item
        for item, default in zip(given, (drift.warn, drift.trigger), strict=True)
    )
    if warn > trigger:
        what = f"warn {warn:g} lies above trigger {trigger:g}"
        fix = (
            "give both thresholds: --warn and --trigger"
            if None in given
            else "exchange them: a column warns first"
        )
        raise UsageError(what, fix=fix)
    null_change = drift.nulls if null_change is None else null_change
    return Thresholds(warn, trigger, drift.imbalance, statistic, null_change, significance, drift.history)


def _left_out(contract: Contract, against: str) -> set[str]:
    """The columns that the contract doesn't have compared with such a baseline."""
    asked = replace(contract, drift=contract.drift or Drift())
    compared = asked.seasonal if against == "season" else asked.drifting
    return {column.name for column in contract.columns if column.counted} - {
        column.name for column in compared
    }


def _latest(session: Session, name: VersionName) -> int:
    head = publish.head(session.repository, name.table)
    latest = int(head["version"]) if head else 0
    if name.number > latest:
        what = f"{name} was never published here" + (
            f", the latest is {VersionName(name.table, latest)}" if latest else ""
        )
        raise VersionNotFound(what, fix=f"`lakegate versions {name.table}` lists what was")
    return latest


@dataclass(frozen=True)
class _Versions:
    """The histograms of a table's versions, of the columns that its contract has now."""

    contract: Contract
    shelf: HistogramStore
    latest: int
    whole: bool

    def baseline(self, name: VersionName, against: str) -> tuple[list[int], Histograms]:
        """What a version is compared with, and of which versions it is."""
        if against == "previous":
            return self._previous(name)
        if against == "season":
            number = self._season(name)
            return [number], self.histograms(number, whole=self.whole)
        number = (self.contract.drift or Drift()).pinned if against == "pinned" else _number(name, against)
        if number > self.latest:
            what = f"{VersionName(name.table, number)} was never published here"
            raise VersionNotFound(what, fix=f"`lakegate versions {name.table}` lists what was")
        if number == name.number:
            what = f"{name} would be compared with itself"
            raise UsageError(what, fix="name another version with --against, such as previous or v1")
        return [number], self.histograms(number, whole=True)

    def histograms(self, number: int, *, whole: bool) -> Histograms:
        """A version's, of its whole table or of the rows that it added."""
        kept, name = self._kept(number), VersionName(self.contract.name, number)
        if kept is None:
            manifest = self.shelf.manifest(number)
            replayed = manifest is not None and "replay_of" in manifest.source
            why = (
                "a replay made it, and counted nothing"
                if replayed
                else "no rule of its contract asked for any when it was made"
            )
            what = f"{name} has no histograms: {why}"
            raise UsageError(
                what,
                fix="name a version before or after it"
                if replayed
                else "let its contract ask for drift, and ingest",
            )
        part = kept.whole if whole else kept.added
        found = {column.name: part.columns.get(column.name) for column in self.contract.columns}
        reduced = {item.name: as_kind(found[item.name], kind_of(item)) for item in self.contract.columns}
        return Histograms(part.rows, {column: item for column, item in reduced.items() if item is not None})

    def _previous(self, name: VersionName) -> tuple[list[int], Histograms]:
        if self.whole and name.number > 1:
            return [name.number - 1], self.histograms(name.number - 1, whole=True)
        replaces = self.contract.write_mode == "replace"
        asked: list[int] = []

        def own(number: int) -> Histograms | None:
            asked.append(number)
            needed = (
                len(asked) == 1
            )  # without the newest there is nothing to compare with: that it has none is told
            return self.histograms(number, whole=False) if needed or self._kept(number) else None

        numbers, found = self.shelf.previous(name.number - 1, own, whole=replaces)
        if found is None:
            what = f"there is no version before {name} to compare it with"
            raise UsageError(what, fix="name another version with --against, or ask for a later one")
        return numbers, found

    def _season(self, name: VersionName) -> int:
        season = (self.contract.drift or Drift()).season
        if season is None:
            what = f"the contract of {name.table} has no season"
            raise UsageError(
                what,
                fix="add it to the custom property drift, such as {season: 12}, or name a version: --against v1",
            )
        before = self.shelf.deliveries(name.number - 1, season)
        if len(before) < season:
            what = f"{name} has {len(before)} deliveries before it, and a season has {season}"
            raise UsageError(what, fix="compare it with previous or pinned until there are as many")
        return before[-season]

    def _kept(self, number: int) -> VersionHistograms | None:
        """As they were kept with it, and with the next version (or the latest) where columns were counted later."""
        found = [VersionHistograms.from_json(body)] if (body := self.shelf.body(number)) is not None else []
        later = [self.shelf.body(item) for item in (number + 1, self.latest) if item <= self.latest]
        found += [
            VersionHistograms.from_json(body["earlier"][str(number)])
            for body in later
            if body is not None and str(number) in body["earlier"]
        ]
        if found:
            return VersionHistograms(
                self._together([item.added for item in found]), self._together([item.whole for item in found])
            )
        manifest = self.shelf.manifest(number)
        if (
            manifest is None
            or "discards_of" not in manifest.source
            or (parent := self._kept(number - 1)) is None
        ):
            return None
        return VersionHistograms(
            Histograms(0, {name: Histogram(item.kind) for name, item in parent.whole.columns.items()}),
            parent.whole,
        )

    def _together(self, counts: list[Histograms]) -> Histograms:
        """Counts of the same rows at several times: of each column the first that is of its kind now, else the first."""
        kinds = {column.name: kind_of(column) for column in self.contract.columns}
        columns: dict[str, Histogram] = {}
        for item in counts:
            for name, one in item.columns.items():
                kept = columns.get(name)
                if kept is None or (kept.kind != kinds.get(name) and one.kind == kinds.get(name)):
                    columns[name] = one
        return Histograms(counts[0].rows, columns)


def _number(name: VersionName, against: str) -> int:
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
