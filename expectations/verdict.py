"""What a gate found: an outcome per rule, and the verdict that follows from their severities."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from expectations.suite import GX_VERSION, Rule, Suite


class Verdict(StrEnum):
    """The outcome for one drop at one hop, from best to worst."""

    UNCHANGED = "unchanged"
    PASSED = "passed"
    QUARANTINED = "quarantined"
    WAITING = "waiting"
    HELD = "held"
    BLOCKED = "blocked"


STOPPED: Final = (Verdict.BLOCKED, Verdict.HELD)
"""Verdicts after which a drop goes no further."""

_WORSE: Final = {verdict: rank for rank, verdict in enumerate(Verdict)}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of several verdicts; `unchanged` of none."""
    return max(verdicts, key=_WORSE.__getitem__, default=Verdict.UNCHANGED)


@dataclass(frozen=True)
class Outcome:
    """One rule's result: `failed` of `of` rows (records, columns), and observations without any value."""

    rule: Rule
    failed: int
    of: int
    observed: dict[str, Any] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        """Whether nothing broke the rule, or no more than its `mostly` allows."""
        mostly = self.rule.kwargs.get("mostly", 1)
        return self.failed == 0 or (
            mostly < 1 and self.of > 0 and (self.of - self.failed) / self.of >= mostly
        )

    def to_json(self) -> dict[str, Any]:
        """The outcome as `{"rule", "family", "severity", "failed", "of"}`.

        It also has the observed `value` where that is a number, and the `columns` that break a rule over
        several.
        """
        found: dict[str, Any] = {
            "rule": self.rule.id,
            "family": self.rule.family,
            "severity": self.rule.severity,
            "failed": self.failed,
            "of": self.of,
        }
        value = self.observed.get("observed_value")
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found["value"] = value
        if columns := self.observed.get("broken_by"):
            found["columns"] = columns
        return found

    def to_gx(self) -> dict[str, Any]:
        """The outcome as GX's expectation validation result, with counts and never a value (promise P6)."""
        return {
            "success": self.success,
            "expectation_config": self.rule.to_gx(),
            "result": {
                "element_count": self.of,
                "unexpected_count": self.failed,
                "unexpected_percent": 100.0 * self.failed / self.of if self.of else 0.0,
                **self.observed,
            },
            "exception_info": {
                "raised_exception": False,
                "exception_traceback": None,
                "exception_message": None,
            },
            "meta": {},
        }


def table_outcome(rule: Rule, *, broken: bool, words: str, **observed: Any) -> Outcome:
    """The outcome of a rule that fails once or not at all: what was observed, and the same in words."""
    return Outcome(rule, int(broken), 1, observed | {"told": words})


def verdict_of(outcomes: Iterable[Outcome], *, quarantined: int, waived: Collection[str] = ()) -> Verdict:
    """The verdict on a drop: blocked by a broken `block` rule, else held by a `hold` rule, else by its rows.

    Args:
        outcomes: Of all rules of the hop.
        quarantined: How many rows are quarantined.
        waived: Ids of `hold` rules that a person has approved.
    """
    broken = {
        item.rule.severity
        for item in outcomes
        if not item.success and (item.rule.severity != "hold" or item.rule.id not in waived)
    }
    if "block" in broken:
        return Verdict.BLOCKED
    if "hold" in broken:
        return Verdict.HELD
    return Verdict.QUARANTINED if quarantined else Verdict.PASSED


def report(suite: Suite, outcomes: tuple[Outcome, ...]) -> dict[str, Any]:
    """The gate's report in GX's format of a suite's validation result."""
    passed = sum(item.success for item in outcomes)
    return {
        "success": passed == len(outcomes),
        "suite_name": suite.name,
        "results": [item.to_gx() for item in outcomes],
        "statistics": {
            "evaluated_expectations": len(outcomes),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(outcomes) - passed,
            "success_percent": 100.0 * passed / len(outcomes) if outcomes else None,
        },
        "meta": {"great_expectations_version": GX_VERSION, "suite_hash": suite.hash},
    }
