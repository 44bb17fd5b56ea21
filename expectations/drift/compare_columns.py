"""Two sets of histograms compared column by column, for whoever decides whether to train on the newer: figures, and a finding each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from catalog.rules.distribution_rules import STATISTICS
from expectations.drift.baseline_rules import (
    LEAST_ROWS,
    NO_PAST,
    SIGNIFICANCE,
    Compared,
    incomparable,
    stands_out,
    turned_null,
)
from expectations.drift.histogram import Histogram, Histograms
from expectations.drift.histogram_rules import majority_share
from expectations.drift.precedent import Past
from expectations.drift.statistics import benjamini_hochberg, counted, proportions_p_value

Finding = Literal["left out", "not compared", "close", "warn", "trigger"]
"""What a comparison finds of a column, or (the last three) of all of them."""
_WORSE: Final[tuple[Finding, ...]] = ("left out", "not compared", "close", "warn", "trigger")


@dataclass(frozen=True)
class Thresholds:
    """From where on a move is told: effects of `statistic`, shares for the others; `significance` is asked of corrected p-values."""

    warn: float
    trigger: float
    imbalance: float
    statistic: str = "kl"
    null_change: float | None = None
    """None: a change of the share of NULL is shown and never told, but for a column that turned wholly NULL."""
    significance: float = SIGNIFICANCE
    history: int = 0
    """How many earlier deliveries say what is usual; 0: the bounds alone decide."""


@dataclass(frozen=True)
class ComparedColumn:
    """One column: shares and statistics are None where it has none. p-values are corrected over all columns compared.

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
    """A column's two sides, and what can be said of them."""

    column: str
    new: Histogram
    base: Histogram | None
    why: str | None
    """Why its values are not compared."""
    compared: dict[str, Compared]
    """By statistic."""


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
        new: Of the version that is asked about.
        base: Of what it is compared with; a column that it lacks, or holds as another type, is not compared.
        thresholds: From where on what is told.
        left_out: Columns whose moves are shown and never told.
        baseline: What it is compared with, and
        past: the earlier deliveries that say what is usual, where the thresholds ask for a history.
    """
    pairs = [_pair(name, side, base.columns.get(name)) for name, side in new.columns.items()]
    classes = _corrected(pairs, lambda pair: pair.compared["kl"].p_value if "kl" in pair.compared else None)
    ks = _corrected(pairs, lambda pair: pair.compared["ks"].p_value if "ks" in pair.compared else None)
    nulls = _corrected(pairs, _null_p_value)
    return tuple(
        _column(
            pair,
            thresholds,
            (classes.get(pair.column), ks.get(pair.column), nulls.get(pair.column)),
            left_out=pair.column in left_out,
            usual=partial(_usual, pair, thresholds, baseline, past),
        )
        for pair in pairs
    )


def worst(columns: Iterable[ComparedColumn]) -> Finding:
    """The worst that was found of any column; `not compared` where none could be."""
    return max(
        (item.finding for item in columns if item.finding != "left out"),
        key=_WORSE.index,
        default="not compared",
    )


def at_least(finding: Finding, asked: Finding) -> bool:
    """Whether a finding is as bad as the one that is asked for."""
    return _WORSE.index(finding) >= _WORSE.index(asked)


def _pair(name: str, new: Histogram, base: Histogram | None) -> _Pair:
    if base is None:
        return _Pair(name, new, None, "the baseline didn't count it, or as another type", {})
    if "presence" in (new.kind, base.kind):
        return _Pair(name, new, base, "its values are not counted", {})
    if (why := incomparable(new, base)) is not None:
        return _Pair(name, new, base, why, {})
    return _Pair(
        name,
        new,
        base,
        None,
        {item: Compared(new, base, item) for item in STATISTICS if new.numeric or item != "ks"},
    )


def _corrected(pairs: list[_Pair], p_value: Callable[[_Pair], float | None]) -> dict[str, float]:
    found = {pair.column: p for pair in pairs if (p := p_value(pair)) is not None}
    return dict(zip(found, benjamini_hochberg(list(found.values())), strict=True))


def _null_p_value(pair: _Pair) -> float | None:
    if pair.base is None or min(pair.new.rows, pair.base.rows) < LEAST_ROWS:
        return None
    return proportions_p_value(pair.new.nulls, pair.new.rows, pair.base.nulls, pair.base.rows)


def _usual(pair: _Pair, thresholds: Thresholds, baseline: str, past: Past, bound: float) -> str | None:
    """Why a move over a bound is none to tell of, where the table's past says so."""
    if not thresholds.history:
        return None
    compared = pair.compared[thresholds.statistic]
    standing = stands_out(pair.column, compared, baseline, past, bound=bound, many=thresholds.history)
    return None if standing.out else f"usual: {standing.told}"


def _column(
    pair: _Pair,
    thresholds: Thresholds,
    p_values: tuple[float | None, float | None, float | None],
    *,
    left_out: bool,
    usual: Callable[[float], str | None],
) -> ComparedColumn:
    ends = {name: item.ends for name, item in pair.compared.items()}
    by_class, by_ks, by_null = p_values
    share, before = _null_share(pair.new), _null_share(pair.base)
    majority = majority_share(pair.new) if pair.new.kind == "class" else None
    p_value = by_ks if thresholds.statistic == "ks" else by_class
    findings, quiet = _moved(ends.get(thresholds.statistic), p_value, thresholds, usual)
    if majority is not None and majority > thresholds.imbalance:
        findings.append(
            ("warn", f"one value holds {majority:.2%} of the rows, over {thresholds.imbalance:.2%}")
        )
    change = abs((share or 0.0) - (before or 0.0))
    if turned_null(pair.new, pair.base):
        findings.append(("warn", f"all {pair.new.rows:,} rows are NULL, {before:.2%} before"))
    elif (
        thresholds.null_change is not None
        and by_null is not None
        and by_null < thresholds.significance
        and change > thresholds.null_change
    ):
        findings.append(("warn", f"{share:.2%} are NULL, {before:.2%} before"))
    why = pair.why or ("ks compares numbers" if thresholds.statistic not in ends else "")
    finding: Finding = "not compared" if why else "close"
    if left_out:
        finding, why = "left out", "the contract leaves it out"
    elif findings:
        finding = max((item for item, _ in findings), key=_WORSE.index)
        why = "; ".join(told for _, told in findings)
    elif quiet:
        why = quiet
    return ComparedColumn(
        column=pair.column,
        finding=finding,
        why=why,
        rows=counted(pair.new),
        baseline_rows=counted(pair.base) if pair.base else 0,
        kl=_effect(ends, "kl"),
        js=_effect(ends, "js"),
        psi=_effect(ends, "psi"),
        cramers_v=_effect(ends, "chi_squared"),
        p_value=by_class,
        ks_least=_effect(ends, "ks"),
        ks_greatest=ends["ks"][1] if "ks" in ends else None,
        ks_p_value=by_ks,
        null_share=share,
        baseline_null_share=before,
        null_p_value=by_null,
        majority_share=majority,
        baseline_majority_share=majority_share(pair.base)
        if pair.base and pair.base.kind == "class"
        else None,
    )


def _moved(
    ends: tuple[float, float] | None,
    p_value: float | None,
    thresholds: Thresholds,
    usual: Callable[[float], str | None],
) -> tuple[list[tuple[Finding, str]], str]:
    """What is found of a column's values, or why what is over a bound is none to tell of."""
    if ends is None or p_value is None or p_value >= thresholds.significance or ends[0] <= thresholds.warn:
        return [], ""
    if ends[0] > thresholds.trigger and usual(thresholds.trigger) is None:
        return [("trigger", f"{thresholds.statistic} {ends[0]:.4f} is over {thresholds.trigger:g}")], ""
    if (told := usual(thresholds.warn)) is not None:
        return [], told
    return [("warn", f"{thresholds.statistic} {ends[0]:.4f} is over {thresholds.warn:g}")], ""


def _effect(ends: dict[str, tuple[float, float]], statistic: str) -> float | None:
    return ends[statistic][0] if statistic in ends else None


def _null_share(histogram: Histogram | None) -> float | None:
    return histogram.nulls / histogram.rows if histogram and histogram.rows else None
