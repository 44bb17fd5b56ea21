"""Rules that compare a drop's rows with a baseline: the previous version, and a pinned one.

A rule is broken where the effect is too great and chance doesn't explain it: the p-value, corrected over all columns that are
compared with the same baseline (Benjamini and Hochberg 1995), lies below the rule's significance. p-values are asked for only
where some effect is too great.

A rule that names a `history` asks the table's own past too, so many deliveries of it: what is over the bound now and then, or comes back
each season, is no change to tell of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from expectations.drift import statistics
from expectations.drift.histogram import Histogram, Histograms
from expectations.drift.precedent import Past, Standing, among_first, among_recent, among_seasons, usual_share
from expectations.suite import Rule
from expectations.verdict import Outcome

Baseline = Literal["previous", "pinned", "season"]
CALLED: Final[dict[str, str]] = {
    "previous": "previous version",
    "pinned": "pinned version",
    "season": "version a season before",
}
"""The baselines in words."""
LEAST_ROWS: Final = 100
"""Rows with a value that both sides need."""
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
_MEASURES: Final = {
    "kl": statistics.kullback_leibler,
    "js": statistics.jensen_shannon,
    "psi": statistics.population_stability,
    "chi_squared": statistics.cramers_v,
}


@dataclass(frozen=True)
class Compared:
    """One column, compared by one statistic; `effect` is the least that it can be, `high` the greatest."""

    new: Histogram
    base: Histogram
    statistic: str

    @cached_property
    def classes(self) -> tuple[list[int], list[int]]:
        """Both sides' rows by class."""
        return statistics.classes(self.new, self.base)

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest that the effect can be; the same but for `ks`."""
        if self.statistic == "ks":
            return statistics.kolmogorov_smirnov(self.new, self.base)
        effect = _MEASURES[self.statistic](*self.classes)
        return effect, effect

    @property
    def p_value(self) -> float:
        """The chance of what lies between them, not corrected."""
        if self.statistic == "ks":
            return statistics.kolmogorov_p_value(
                self.ends[0], *(sum(side.bins.values()) for side in (self.new, self.base))
            )
        return statistics.chi_squared_p_value(*self.classes)


def judge_against_baselines(
    rules: Iterable[Rule], seen: Histograms, baselines: Mapping[Baseline, Histograms], past: Past = NO_PAST
) -> dict[str, Outcome]:
    """The outcomes of rules that compare; one whose baseline isn't there, or says too little, holds and says why."""
    chosen, found = list(rules), dict[str, Outcome]()
    for baseline in sorted({rule.kwargs["baseline"] for rule in chosen}):
        asked = [rule for rule in chosen if rule.kwargs["baseline"] == baseline]
        found |= _against(asked, seen, baselines.get(baseline), baseline, past)
    return found


def _against(
    rules: list[Rule], seen: Histograms, base: Histograms | None, baseline: str, past: Past
) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    compared: dict[tuple[str, str], Compared] = {}
    asked: list[tuple[Rule, Compared]] = []
    for rule in rules:
        column = str(rule.kwargs["column"])
        new, other = seen.columns.get(column), base.columns.get(column) if base else None
        if base is None or other is None:
            found[rule.id] = _unasked(
                rule,
                f"there is no {CALLED[baseline]}{'' if base is None else ' that counted it'} to compare with",
            )
        elif rule.type == NULL_SHARE:
            found[rule.id] = _null_share(rule, new or Histogram(other.kind), other, baseline, past)
        elif (why := incomparable(new or Histogram(other.kind), other)) is not None:
            found[rule.id] = _unasked(rule, why)
        elif new is not None:
            key = (column, rule.kwargs["statistic"])
            asked.append((rule, compared.setdefault(key, Compared(new, other, key[1]))))
    corrected: dict[tuple[str, str], float] = {}
    if any(item.ends[0] > rule.kwargs["max_value"] for rule, item in asked):
        values = statistics.benjamini_hochberg([item.p_value for item in compared.values()])
        corrected = dict(zip(compared, values, strict=True))
    for rule, item in asked:
        found[rule.id] = _judged(
            rule, item, corrected.get((str(rule.kwargs["column"]), item.statistic)), baseline, past
        )
    return found


def _judged(rule: Rule, compared: Compared, p_value: float | None, baseline: str, past: Past) -> Outcome:
    low, high = compared.ends
    bound, significance = rule.kwargs["max_value"], rule.kwargs.get("significance", SIGNIFICANCE)
    broken = low > bound and p_value is not None and p_value < significance
    observed: dict[str, Any] = {"observed_value": low, "rows": statistics.counted(compared.new)}
    observed["baseline_rows"] = statistics.counted(compared.base)
    ends = ""
    if compared.statistic == "ks":
        observed |= {"least": low, "greatest": high}
        ends = f" (the bins leave it open up to {high:.4f})"
    if p_value is not None:
        observed["p_value"] = p_value
    name = _NAMES[compared.statistic]
    chance = "" if p_value is None else f", corrected p {_chance(p_value)}"
    usual = ""
    if broken and (many := rule.kwargs.get("history")):
        standing = stands_out(str(rule.kwargs["column"]), compared, baseline, past, bound=bound, many=many)
        broken, usual = standing.out, f"; {standing.told}"
    told = f"{name} of {rule.kwargs['column']} from the {CALLED[baseline]} is {low:.4f}{ends}, at most {bound:g}{chance}{usual}"
    return Outcome(rule, int(broken), 1, observed | {"told": told})


def stands_out(
    column: str, compared: Compared, baseline: str, past: Past, *, bound: float, many: int
) -> Standing:
    """Whether what is over a bound stands out from the rows that so many earlier deliveries added."""
    kind = compared.new.kind

    def effect(new: Histogram, base: Histogram) -> float | None:
        return Compared(new, base, compared.statistic).ends[0] if incomparable(new, base) is None else None

    def counted(several: Iterable[Histograms]) -> list[Histogram]:
        return [
            item.columns[column]
            for item in several
            if column in item.columns and item.columns[column].kind == kind
        ]

    if baseline == "season":
        pairs = [both for pair in past.seasons(many) if len(both := counted(pair)) == len(pair)]
        return among_seasons(
            compared.new, compared.base, [(one, other) for one, other in pairs], effect, bound
        )
    standing = among_recent(compared.new, counted(past.recent(many)), effect, bound)
    if standing.out or baseline == "previous":
        return standing
    slow = among_first(compared.new, compared.base, counted(past.first(many)), effect, bound, least=many)
    return slow or Standing(
        out=False, told=f"{standing.told}; {many} versions after it will tell a slow move from a season"
    )


def _null_share(rule: Rule, new: Histogram, base: Histogram, baseline: str, past: Past) -> Outcome:
    wholly = turned_null(new, base)
    least = LEAST_WHOLE if wholly else LEAST_ROWS
    if min(new.rows, base.rows) < least:
        return _unasked(rule, f"fewer than {least} rows to compare")
    share, before = new.nulls / new.rows, base.nulls / base.rows
    change = abs(share - before)
    p_value = statistics.proportions_p_value(new.nulls, new.rows, base.nulls, base.rows)
    broken = change > rule.kwargs["max_change"] and p_value < rule.kwargs.get("significance", SIGNIFICANCE)
    if broken and not wholly and (many := rule.kwargs.get("history")):
        name = str(rule.kwargs["column"])
        sides = [item.columns[name] for item in past.recent(many) if name in item.columns]
        broken = not usual_share(
            share, [item.nulls / item.rows for item in sides], bound=rule.kwargs["max_change"]
        )
    how = f"all {new.rows}" if wholly else f"{share:.2%}"
    told = f"{how} of {rule.kwargs['column']} are NULL, {before:.2%} in the {CALLED[baseline]}, p {_chance(p_value)}"
    observed = {
        "observed_value": change,
        "null_share": share,
        "baseline_null_share": before,
        "p_value": p_value,
    }
    return Outcome(
        rule, int(broken), 1, observed | {"rows": new.rows, "baseline_rows": base.rows, "told": told}
    )


def turned_null(new: Histogram, base: Histogram | None) -> bool:
    """Whether a column is NULL in every row that had values before, and chance doesn't explain it; a few rows are enough."""
    if base is None or new.nulls < new.rows or min(new.rows, base.rows) < LEAST_WHOLE:
        return False
    return (
        base.nulls < base.rows
        and statistics.proportions_p_value(new.nulls, new.rows, base.nulls, base.rows) < SIGNIFICANCE
    )


def _chance(p_value: float) -> str:
    return f"{p_value:.2g}" if p_value else "below 1e-300"


def incomparable(new: Histogram, base: Histogram) -> str | None:
    """Why two histograms can't be compared by their values; None where they can."""
    if new.numeric != base.numeric or "presence" in (new.kind, base.kind):
        return "the baseline's column is of another type"
    if new.too_many or base.too_many:
        return "it has more distinct values than are counted one by one"
    if min(statistics.counted(new), statistics.counted(base)) < LEAST_ROWS:
        return f"fewer than {LEAST_ROWS} values to compare"
    return None


def _unasked(rule: Rule, why: str) -> Outcome:
    return Outcome(
        rule, 0, 1, {"observed_value": None, "told": f"{rule.kwargs['column']} was not compared: {why}"}
    )
