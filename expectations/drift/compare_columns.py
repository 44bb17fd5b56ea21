"""Two sets of histograms compared column by column, to decide whether to train on the newer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal

from catalog.rules.distribution_rules import STATISTICS
from expectations.drift.baseline_rules import NO_PAST, SIGNIFICANCE, compare_with_past, turned_null
from expectations.drift.compared import LEAST_ROWS, Compared, incomparable
from expectations.drift.histogram import Histogram, Histograms
from expectations.drift.histogram_rules import majority_share
from expectations.drift.precedent import Past
from expectations.drift.statistics import benjamini_hochberg, counted, proportions_p_value

Finding = Literal["left out", "not compared", "close", "warn", "trigger"]
"""The result of a comparison of one column, or (the last three) of all columns."""
_WORSE: Final[tuple[Finding, ...]] = ("left out", "not compared", "close", "warn", "trigger")


@dataclass(frozen=True)
class Thresholds:
    """Bounds of findings: for effects of `statistic`, for shares, and for corrected p-values."""

    warn: float
    trigger: float
    imbalance: float
    statistic: str = "kl"
    null_change: float | None = None
    """None: a change of the share of NULL is no finding, but for a column that turned wholly NULL."""
    significance: float = SIGNIFICANCE
    history: int = 0
    """How many earlier deliveries show what is usual; 0: the bounds alone decide."""


@dataclass(frozen=True)
class ComparedColumn:
    """One column: shares and statistics are None where it has none. p-values are corrected over all columns.

    No value of a column is among them (promise P6).
    """

    column: str
    finding: Finding
    why: str
    rows: int
    baseline_rows: int
    kl: float | None
    js: float | None
    psi: float | None
    cramers_v: float | None
    p_value: float | None
    """Of chi-squared, over the classes that kl, js, psi and cramers_v are taken of."""
    ks_least: float | None
    ks_greatest: float | None
    ks_p_value: float | None
    null_share: float | None
    baseline_null_share: float | None
    null_p_value: float | None
    majority_share: float | None
    baseline_majority_share: float | None


@dataclass(frozen=True)
class _Pair:
    """A column's two sides, and the comparisons of them that are possible."""

    column: str
    new: Histogram
    base: Histogram | None
    why: str = ""
    """Why its values are not compared."""
    compared: Mapping[str, Compared] = field(default_factory=dict)
    """By statistic."""

    def ends(self, statistic: str) -> tuple[float, float] | tuple[None, None]:
        """The least and the greatest that the effect can be."""
        return self.compared[statistic].ends if statistic in self.compared else (None, None)

    def p_value(self, statistic: str) -> float | None:
        """The p-value of a statistic, or of the share of NULL; not corrected."""
        if statistic != "nulls":
            return self.compared[statistic].p_value if statistic in self.compared else None
        if self.base is None or min(self.new.rows, self.base.rows) < LEAST_ROWS:
            return None
        return proportions_p_value(self.new.nulls, self.new.rows, self.base.nulls, self.base.rows)


def compare_columns(
    new: Histograms,
    base: Histograms,
    thresholds: Thresholds,
    *,
    left_out: Collection[str] = (),
    baseline: str = "previous",
    past: Past = NO_PAST,
) -> tuple[ComparedColumn, ...]:
    """Compare two sides, column by column in the newer's order.

    Args:
        new: Of the newer version.
        base: Of the older one; a column that it lacks, or has as another type, is not compared.
        thresholds: The bounds of findings.
        left_out: Columns whose figures are shown without a finding.
        baseline: What the older version is to the newer one.
        past: Earlier deliveries that show what is usual, where the thresholds have a history.
    """
    pairs = [_pair(name, side, base.columns.get(name)) for name, side in new.columns.items()]
    corrected = {name: _corrected(pairs, name) for name in _TESTED}
    columns = []
    for pair in pairs:
        p_values = {name: found.get(pair.column) for name, found in corrected.items()}
        if pair.column in left_out:
            finding: tuple[Finding, str] = "left out", "the contract leaves it out"
        else:
            usual = partial(_usual, pair, thresholds, baseline, past)
            finding = _finding(pair, thresholds, p_values, usual)
        columns.append(_figures(pair, p_values, *finding))
    return tuple(columns)


def worst(columns: Iterable[ComparedColumn]) -> Finding:
    """The worst finding of any column; `not compared` where none could be compared."""
    findings = (item.finding for item in columns if item.finding != "left out")
    return max(findings, key=_WORSE.index, default="not compared")


def at_least(finding: Finding, least: Finding) -> bool:
    """Whether a finding is as bad as another one."""
    return _WORSE.index(finding) >= _WORSE.index(least)


def _pair(name: str, new: Histogram, base: Histogram | None) -> _Pair:
    if base is None:
        return _Pair(name, new, None, "the baseline didn't count it, or as another type")
    if "presence" in (new.kind, base.kind):
        return _Pair(name, new, base, "its values are not counted")
    if (why := incomparable(new, base)) is not None:
        return _Pair(name, new, base, why)
    statistics = [item for item in STATISTICS if new.numeric or item != "ks"]
    return _Pair(name, new, base, compared={item: Compared(new, base, item) for item in statistics})


_TESTED: Final = ("kl", "ks", "nulls")
"""What has p-values of its own: all statistics of classes have that of chi-squared, as `kl`."""
_PValues = Mapping[str, float | None]
"""One column's p-values by what is tested, corrected over all columns."""


def _corrected(pairs: list[_Pair], tested: str) -> dict[str, float]:
    found = {pair.column: p_value for pair in pairs if (p_value := pair.p_value(tested)) is not None}
    return dict(zip(found, benjamini_hochberg(list(found.values())), strict=True))


def _usual(pair: _Pair, thresholds: Thresholds, baseline: str, past: Past, bound: float) -> str | None:
    """Why an effect over a bound is no finding, where the table's past shows that it is usual."""
    if not thresholds.history:
        return None
    compared, many = pair.compared[thresholds.statistic], thresholds.history
    found = compare_with_past(pair.column, compared, baseline, past, bound=bound, many=many)
    return None if found.unusual else f"usual: {found.words}"


def _finding(
    pair: _Pair, thresholds: Thresholds, p_values: _PValues, usual: Callable[[float], str | None]
) -> tuple[Finding, str]:
    """The worst finding of a column, with all reasons for one."""
    finding, why = _moved(pair, thresholds, p_values, usual)
    others = []
    majority = _majority(pair.new)
    if majority is not None and majority > thresholds.imbalance:
        others.append(f"one value holds {majority:.2%} of the rows, over {thresholds.imbalance:.2%}")
    if (nulls := _null_finding(pair, thresholds, p_values["nulls"])) is not None:
        others.append(nulls)
    if at_least(finding, "warn"):
        return finding, "; ".join([why, *others])
    return ("warn", "; ".join(others)) if others else (finding, why)


def _moved(
    pair: _Pair, thresholds: Thresholds, p_values: _PValues, usual: Callable[[float], str | None]
) -> tuple[Finding, str]:
    """The finding on a column's values; `close` says why, where a bound is passed."""
    low, _ = pair.ends(thresholds.statistic)
    if low is None:
        return "not compared", pair.why or "ks compares numbers"
    p_value = p_values["ks" if thresholds.statistic == "ks" else "kl"]
    if p_value is None or p_value >= thresholds.significance or low <= thresholds.warn:
        return "close", ""
    effect = f"{thresholds.statistic} {low:.4f}"
    if low > thresholds.trigger and usual(thresholds.trigger) is None:
        return "trigger", f"{effect} is over {thresholds.trigger:g}"
    if (quiet := usual(thresholds.warn)) is not None:
        return "close", quiet
    return "warn", f"{effect} is over {thresholds.warn:g}"


def _null_finding(pair: _Pair, thresholds: Thresholds, p_value: float | None) -> str | None:
    share, before = _null_share(pair.new) or 0.0, _null_share(pair.base) or 0.0
    if turned_null(pair.new, pair.base):
        return f"all {pair.new.rows:,} rows are NULL, {before:.2%} before"
    if thresholds.null_change is None or p_value is None or p_value >= thresholds.significance:
        return None
    if abs(share - before) <= thresholds.null_change:
        return None
    return f"{share:.2%} are NULL, {before:.2%} before"


def _figures(pair: _Pair, p_values: _PValues, finding: Finding, why: str) -> ComparedColumn:
    ks_least, ks_greatest = pair.ends("ks")
    return ComparedColumn(
        column=pair.column,
        finding=finding,
        why=why,
        rows=counted(pair.new),
        baseline_rows=counted(pair.base) if pair.base else 0,
        kl=pair.ends("kl")[0],
        js=pair.ends("js")[0],
        psi=pair.ends("psi")[0],
        cramers_v=pair.ends("chi_squared")[0],
        p_value=p_values["kl"],
        ks_least=ks_least,
        ks_greatest=ks_greatest,
        ks_p_value=p_values["ks"],
        null_share=_null_share(pair.new),
        baseline_null_share=_null_share(pair.base),
        null_p_value=p_values["nulls"],
        majority_share=_majority(pair.new),
        baseline_majority_share=_majority(pair.base),
    )


def _null_share(histogram: Histogram | None) -> float | None:
    return histogram.nulls / histogram.rows if histogram and histogram.rows else None


def _majority(histogram: Histogram | None) -> float | None:
    return majority_share(histogram) if histogram and histogram.kind == "class" else None
