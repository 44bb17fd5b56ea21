"""Compare a published version with an earlier one, before training on it and weekly.

The comparison reads histograms that are stored in the lake, and no data.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from catalog.contract import Contract
from catalog.drift import Drift
from expectations.drift.baseline_rules import SIGNIFICANCE
from expectations.drift.compare_columns import ComparedColumn, Finding, Thresholds, compare_columns, worst
from lake.drift.delivery_history import EarlierRows
from lake.drift.histogram_store import HistogramStore
from lake.lakefs.repository import MAIN
from lake.reports.compared_versions import ComparedVersions, never_published
from lake.reports.one_commit import reads_one_commit
from lake.reports.versions import latest_number, table_names
from lake.session import Session
from lakegate.errors import UsageError
from lakegate.names import VersionName


@dataclass(frozen=True)
class VersionComparison:
    """The columns of a version beside those of a baseline, and the worst finding."""

    version: str
    baseline: tuple[str, ...]
    """The versions that it is compared with: one, or several previous ones where each added few rows."""
    whole: bool
    """Whether `rows` is all of the version's table, and not the rows that it added."""
    baseline_whole: bool
    """The same of the baseline: of a version that is pinned or named the whole table is taken."""
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
        against: `previous` (the rows that the version before added), `season` (those of the delivery a season
            before), `pinned` (the whole table of the version that the contract names), or a version of the
            same table, such as `v1`: its whole table.
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
    if name.number > (latest := latest_number(session, name.table)):
        raise never_published(name, latest)
    baseline_whole = whole or against not in ("previous", "season")
    if baseline_whole or (warn, trigger, statistic) != (None, None, "kl"):
        # Bounds that a person names, and the distance from one version, count whatever is usual.
        thresholds = replace(thresholds, history=0)
    store = HistogramStore(session.repository, name.table, MAIN)
    versions = ComparedVersions(contract, store, latest, whole=whole)
    new = versions.histograms(name.number, whole=whole)
    numbers, base = versions.baseline(name, against)
    past = EarlierRows.past(contract, store, name.number - 1)
    columns = compare_columns(
        new, base, thresholds, left_out=_left_out(contract, against), baseline=against, past=past
    )
    baseline = tuple(str(VersionName(name.table, number)) for number in numbers)
    return VersionComparison(
        str(name), baseline, whole, baseline_whole, new.rows, base.rows, thresholds, worst(columns), columns
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
    """The thresholds that are given, and the contract's in place of the others."""
    warn, trigger = given
    for name, value in (("warn", warn), ("trigger", trigger)):
        if value is not None and not 0 <= value < math.inf:
            raise UsageError(f"{name} is {value:g}", fix="write a number that is finite and not below 0")
    for name, value in (("null_change", null_change), ("significance", significance)):
        if value is not None and not 0 <= value <= 1:
            raise UsageError(f"{name} is {value:g}", fix="write a number from 0 to 1")
    one_missing, give_both = None in given, "give both thresholds: --warn and --trigger"
    if statistic != "kl" and one_missing:
        what = f"the contract's thresholds are Kullback-Leibler divergences, and {statistic} is asked for"
        raise UsageError(what, fix=give_both)
    drift = contract.drift or Drift()
    low, high = drift.warn if warn is None else warn, drift.trigger if trigger is None else trigger
    if low > high:
        what = f"warn {low:g} lies above trigger {high:g}"
        raise UsageError(what, fix=give_both if one_missing else "exchange them: a column warns first")
    nulls = drift.nulls if null_change is None else null_change
    return Thresholds(low, high, drift.imbalance, statistic, nulls, significance, drift.history)


def _left_out(contract: Contract, against: str) -> set[str]:
    """The columns that the contract doesn't have compared with such a baseline."""
    contract = replace(contract, drift=contract.drift or Drift())
    compared = contract.seasonal if against == "season" else contract.drifting
    counted = {column.name for column in contract.columns if column.counted}
    return counted - {column.name for column in compared}
