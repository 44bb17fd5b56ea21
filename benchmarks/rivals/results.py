"""What the runs of a program came to, and whether programs agree."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.machine import say
from benchmarks.rivals.watch import Seen

SLOW: Final = 60.0
"""Seconds of a first run after which a program isn't run again in that case: no noise is as large as its
time."""
MEASURED: Final = ("wall", "cpu", "others", "memory", "anonymous", "written", "stored")


@dataclass
class Result:
    """The runs of one program on one case."""

    contestant: str
    runs: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""
    outcome: dict[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether it isn't run again."""
        return bool(self.problem) or bool(self.runs and self.runs[0]["wall"] > SLOW)

    def summary(self) -> dict[str, Any]:
        """Medians, and what was found."""
        found: dict[str, Any] = {"contestant": self.contestant, "problem": self.problem}
        if self.runs:
            found |= {name: statistics.median(run[name] for run in self.runs) for name in MEASURED}
            found["steps"] = {name: self._median_of(name) for name in self.runs[0]["steps"]}
            found["walls"] = [run["wall"] for run in self.runs]
        return found | {name: self.outcome.get(name) for name in ("valid", "quarantined")}

    def _median_of(self, step: str) -> float:
        return round(statistics.median(run["steps"].get(step, 0.0) for run in self.runs), 3)

    def add(self, seen: Seen, outcome: dict[str, Any], stored: int) -> None:
        """Note a run: what was watched, what the program found, and the bytes that it stored."""
        self.runs.append(
            {
                "wall": round(seen.wall, 3),
                "cpu": round(seen.cpu, 2),
                "others": round(seen.others, 2),
                "memory": seen.memory,
                "anonymous": seen.anonymous,
                "written": seen.written,
                "stored": stored,
                "steps": outcome.pop("steps"),
            }
        )
        outcome.pop("content")
        if self.outcome and self.outcome != outcome:
            self.problem = "two runs found different things"
        self.outcome = outcome


def refuse_disagreement(results: Sequence[Result]) -> None:
    """Where outcomes differ, only the figures of a majority count, and nobody's where there is none."""
    good = [result for result in results if result.outcome and not result.problem]
    texts = [json.dumps(result.outcome, sort_keys=True) for result in good]
    if len(set(texts)) > 1:
        usual = statistics.mode(texts)
        for result, text in zip(good, texts, strict=True):
            if text != usual or texts.count(usual) * 2 <= len(texts):
                result.problem, result.runs = "other counts than the others", []
                say(f"  {result.contestant} disagrees: {text}")
