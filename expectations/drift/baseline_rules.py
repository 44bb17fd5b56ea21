"""Rules that compare a drop's rows with a baseline: the previous version, and a pinned one.

A rule is broken where the effect is too great and chance doesn't explain it: the p-value, corrected over all
columns that are compared with the same baseline (Benjamini and Hochberg 1995), lies below the rule's
significance. p-values are computed only where some effect is too great.

A rule with a `history` also compares with so many earlier deliveries of the table: an effect that is over the
bound now and then, or each season, does not break it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from expectations.drift import statistics
from expectations.drift.compared import LEAST_ROWS, Compared, incomparable
from expectations.drift.histogram import Histogram, Histograms
from expectations.drift.precedent import (
    Past,
    PastComparison,
    among_first,
    among_recent,
    among_seasons,
    usual_share,
)
from expectations.suite import Rule
from expectations.verdict import Outcome, table_outcome

Baseline = Literal["previous", "pinned", "season"]
CALLED: Final[dict[str, str]] = {
    "previous": "previous version",
    "pinned": "pinned version",
    "season": "version a season before",
}
"""The baselines in words."""
LEAST_WHOLE: Final = 10
"""Rows that both sides need where a column turned wholly NULL."""
SIGNIFICANCE: Final = 0.01
NO_PAST: Final = Past()
STAY_CLOSE: Final = "expect_column_distribution_to_stay_close"
NULL_SHARE: Final = "expect_column_null_share_to_stay_close"
BASELINE_TYPES: Final = frozenset({STAY_CLOSE, NULL_SHARE})

_NAMES: Final = {
    "kl": "Kullback-Leibler divergence",
    "js": "Jensen-Shannon divergence",
    "psi": "population stability index",
    "ks": "Kolmogorov-Smirnov statistic",
    "chi_squared": "Cramer's V",
}


def judge_against_baselines(
    rules: Iterable[Rule], seen: Histograms, baselines: Mapping[Baseline, Histograms], past: Past = NO_PAST
) -> dict[str, Outcome]:
    """The outcomes of rules that compare; a rule without a baseline of enough rows passes and says why.

    Args:
        rules: Of `BASELINE_TYPES`, on one column each.
        seen: The drop's histograms.
        baselines: The histograms to compare with.
        past: Earlier deliveries, for rules with a `history`.
    """
    chosen, found = list(rules), dict[str, Outcome]()
    for baseline in sorted({rule.kwargs["baseline"] for rule in chosen}):
        same = [rule for rule in chosen if rule.kwargs["baseline"] == baseline]
        found |= _against(same, seen, baselines.get(baseline), baseline, past)
    return found


def _against(
    rules: list[Rule], seen: Histograms, base: Histograms | None, baseline: str, past: Past
) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    compared: dict[tuple[str, str], Compared] = {}
    waiting: list[tuple[Rule, tuple[str, str]]] = []
    for rule in rules:
        column = str(rule.kwargs["column"])
        other = base.columns.get(column) if base else None
        if other is None:
            lacks = "" if base is None else " that counted it"
            found[rule.id] = _not_compared(rule, f"there is no {CALLED[baseline]}{lacks} to compare with")
            continue
        new = seen.columns.get(column) or Histogram(other.kind)
        if rule.type == NULL_SHARE:
            found[rule.id] = _null_share(rule, new, other, baseline, past)
        elif (why := incomparable(new, other)) is not None:
            found[rule.id] = _not_compared(rule, why)
        else:
            key = (column, rule.kwargs["statistic"])
            compared.setdefault(key, Compared(new, other, key[1]))
            waiting.append((rule, key))
    corrected: dict[tuple[str, str], float] = {}
    if any(compared[key].ends[0] > rule.kwargs["max_value"] for rule, key in waiting):
        values = statistics.benjamini_hochberg([item.p_value for item in compared.values()])
        corrected = dict(zip(compared, values, strict=True))
    for rule, key in waiting:
        found[rule.id] = _judged(rule, compared[key], corrected.get(key), baseline, past)
    return found


def _judged(rule: Rule, compared: Compared, p_value: float | None, baseline: str, past: Past) -> Outcome:
    column, bound = str(rule.kwargs["column"]), rule.kwargs["max_value"]
    low, high = compared.ends
    observed: dict[str, Any] = {"observed_value": low, "rows": statistics.counted(compared.new)}
    observed["baseline_rows"] = statistics.counted(compared.base)
    words = f"{_NAMES[compared.statistic]} of {column} from the {CALLED[baseline]} is {low:.4f}"
    if compared.statistic == "ks":
        observed |= {"least": low, "greatest": high}
        words += f" (the bins leave it open up to {high:.4f})"
    words += f", at most {bound:g}"
    broken = False
    if p_value is not None:
        observed["p_value"] = p_value
        words += f", corrected p {_chance(p_value)}"
        broken = low > bound and p_value < rule.kwargs.get("significance", SIGNIFICANCE)
    if broken and (many := rule.kwargs.get("history")):
        usual = compare_with_past(column, compared, baseline, past, bound=bound, many=many)
        broken, words = usual.unusual, f"{words}; {usual.words}"
    return table_outcome(rule, broken=broken, words=words, **observed)


def compare_with_past(
    column: str, compared: Compared, baseline: str, past: Past, *, bound: float, many: int
) -> PastComparison:
    """Whether an effect over a bound is unusual beside the rows that earlier deliveries added.

    Args:
        column: The column's name.
        compared: Its two sides.
        baseline: What the newer side is compared with.
        past: The earlier deliveries.
        bound: The bound of the effect.
        many: How many earlier deliveries to compare with.
    """
    new, base = compared.new, compared.base

    def effect(one: Histogram, other: Histogram) -> float:
        return Compared(one, other, compared.statistic).ends[0]

    def usable(several: Iterable[Histograms]) -> list[Histogram]:
        """The column's histograms that can be compared with the new one, and so with each other."""
        counted = [item.columns[column] for item in several if column in item.columns]
        return [item for item in counted if item.kind == new.kind and incomparable(new, item) is None]

    if baseline == "season":
        pairs = [(both[0], both[1]) for pair in past.seasons(many) if len(both := usable(pair)) == len(pair)]
        return among_seasons(new, base, pairs, effect, bound)
    recent = among_recent(new, usable(past.recent(many)), effect, bound)
    if recent.unusual or baseline == "previous":
        return recent
    if len(first := usable(past.first(many))) >= many:
        return among_first(new, base, first, effect, bound)
    words = f"{recent.words}; {many} versions after it will tell a slow move from a season"
    return PastComparison(unusual=False, words=words)


def _null_share(rule: Rule, new: Histogram, base: Histogram, baseline: str, past: Past) -> Outcome:
    wholly = turned_null(new, base)
    least = LEAST_WHOLE if wholly else LEAST_ROWS
    if min(new.rows, base.rows) < least:
        return _not_compared(rule, f"fewer than {least} rows to compare")
    name, bound = str(rule.kwargs["column"]), rule.kwargs["max_change"]
    share, before = new.nulls / new.rows, base.nulls / base.rows
    change = abs(share - before)
    p_value = statistics.proportions_p_value(new.nulls, new.rows, base.nulls, base.rows)
    broken = change > bound and p_value < rule.kwargs.get("significance", SIGNIFICANCE)
    if broken and not wholly and (many := rule.kwargs.get("history")):
        sides = [item.columns[name] for item in past.recent(many) if name in item.columns]
        broken = not usual_share(share, [item.nulls / item.rows for item in sides], bound=bound)
    how = f"all {new.rows}" if wholly else f"{share:.2%}"
    words = f"{how} of {name} are NULL, {before:.2%} in the {CALLED[baseline]}, p {_chance(p_value)}"
    return table_outcome(
        rule,
        broken=broken,
        words=words,
        observed_value=change,
        null_share=share,
        baseline_null_share=before,
        p_value=p_value,
        rows=new.rows,
        baseline_rows=base.rows,
    )


def turned_null(new: Histogram, base: Histogram | None) -> bool:
    """Whether a column that had values is now NULL in all rows, even few, and chance doesn't explain it."""
    if base is None or new.nulls < new.rows or min(new.rows, base.rows) < LEAST_WHOLE:
        return False
    chance = statistics.proportions_p_value(new.nulls, new.rows, base.nulls, base.rows)
    return base.nulls < base.rows and chance < SIGNIFICANCE


def _chance(p_value: float) -> str:
    return f"{p_value:.2g}" if p_value else "below 1e-300"


def _not_compared(rule: Rule, why: str) -> Outcome:
    words = f"{rule.kwargs['column']} was not compared: {why}"
    return table_outcome(rule, broken=False, words=words, observed_value=None)
