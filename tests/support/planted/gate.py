"""The gate on one engine, without a lake: a plan asked of staged rows, a published table and references."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.contract import Contract, Severity
from catalog.rules.expectation_types import EXPECTATIONS
from catalog.rules.rule_checks import mistakes
from expectations.drift.baseline_rules import Baseline
from expectations.drift.histogram import Histograms, Kind
from expectations.drift.histogram_query import count_histograms
from expectations.plan import execute
from expectations.plan import rule_bitmask as masks_of
from expectations.plan.apply_joins import mark
from expectations.plan.execute_distributions import ask_distributions
from expectations.plan.plan import make_plan
from expectations.rules.joins import Tables
from expectations.suite import Rule, Suite
from expectations.typed_frame import typed
from expectations.verdict import Outcome
from lake.engine.engine import Engine
from lake.engine.environment import prepare_environment
from lakegate.home import Endpoint
from lakegate.settings import Settings
from tests.support.planted.rides import CONTRACT, DELIVERED, Row, staged

Asked = tuple[str, dict[str, Any]]


def rule(kind: str, kwargs: dict[str, Any], number: int, *, aside: bool) -> Rule:
    """A rule as a contract would state it, checked as the contract would be."""
    known = EXPECTATIONS[kind]
    severity: Severity = "block" if not known.row_rule else "quarantine" if aside else "warn"
    if not known.generated:
        assert [item.what for item in mistakes(CONTRACT, "processed", kind, kwargs, severity)] == []
    return Rule(f"r{number:02}:a,b->c.d", kind, kwargs, severity, known.family, known.row_rule)


@dataclass(frozen=True)
class Found:
    """How each rule came out, the record numbers that break each row rule,
    and those that are set aside and that pass.
    """

    outcomes: tuple[Outcome, ...]
    broken: tuple[frozenset[int], ...]
    aside: frozenset[int] = frozenset()
    passed: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Gate:
    """An engine, and a folder for its files."""

    engine: Engine
    folder: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def on(cls, name: str, folder: Path) -> Gate:
        """A gate on `sail` or `spark`."""
        prepare_environment()
        engine = Engine(
            Settings.load(home=folder, environ={"LAKEGATE_ENGINE": name}),
            Endpoint("http://127.0.0.1:9", "none", "none"),
        )
        return cls(engine, folder)

    def frame(self, table: pa.Table) -> Any:
        """A table as a frame of the engine."""
        path = self.folder / f"{next(self.numbers)}.parquet"
        pq.write_table(table, path)
        return self.engine.read_parquet([path.as_uri()])

    def ask(
        self,
        rows: list[Row],
        asked: Sequence[Asked],
        *,
        published: list[Row] | None = None,
        references: dict[str, pa.Table] | None = None,
        contract: Contract = CONTRACT,
        baselines: Mapping[Baseline, list[Row]] | None = None,
        aside: bool = True,
    ) -> Found:
        """What the plan of these rules finds; row rules set rows aside, or warn."""
        rules = tuple(rule(kind, kwargs, number, aside=aside) for number, (kind, kwargs) in enumerate(asked))
        plan = make_plan(Suite(contract.name, "processed", rules), contract, delivered_at=DELIVERED)
        stands = None if published is None else typed(self.frame(staged(published)), contract)
        tables = {name: self.frame(table) for name, table in (references or {}).items()}
        frame = mark(
            typed(self.frame(staged(rows)), contract), plan, published=stands, reference=tables.__getitem__
        )
        labelled = self.engine.write_scratch(
            execute.label(frame, plan, keep=[*plan.columns, "_row"]),
            self.folder / f"labelled{next(self.numbers)}",
        )
        counted = execute.count_labelled(labelled, plan, self.engine.rows, Tables(stands, tables.__getitem__))

        def counted_of(kinds: Mapping[str, Kind]) -> dict[Baseline, Histograms]:
            frames = {
                name: typed(self.frame(staged(table)), contract) for name, table in (baselines or {}).items()
            }
            return {name: count_histograms(frame, kinds, self.engine.rows) for name, frame in frames.items()}

        _, distributions = ask_distributions(
            labelled, plan, counted_of, self.engine.rows, passing=f"not {masks_of.is_quarantined(plan)}"
        )
        bits = masks_of.bits(plan)
        sides = [
            f"{masks_of.is_quarantined(plan)} as aside",
            f"not {masks_of.is_quarantined(plan)} as passed",
        ]
        masks = (
            self.engine.rows(labelled.selectExpr("_row", *{mask for mask, _ in bits.values()}, *sides))
            if bits
            else []
        )
        broken = [
            frozenset(row["_row"] for row in masks if row[bits[item.id][0]] & bits[item.id][1])
            if item.row_rule
            else frozenset()
            for item in rules
        ]
        outcomes = execute.outcomes(plan, counted, distributions=distributions)
        assert all(
            len(hit) == outcome.failed
            for hit, outcome in zip(broken, outcomes, strict=True)
            if outcome.rule.row_rule
        )
        aside, passed = (frozenset(row["_row"] for row in masks if row[side]) for side in ("aside", "passed"))
        assert not bits or (len(aside), len(passed)) == (counted.quarantined, counted.valid)
        return Found(outcomes, tuple(broken), aside, passed)


def name_of(value: Any) -> str | None:
    return getattr(value, "__name__", None) or (value if isinstance(value, str) else "")
