"""The plan of a suite: everything that one evaluation of its rules needs, as printable values.

A suite is compiled in milliseconds and without Great Expectations, so there is nothing to cache; GX is
imported only where a rule falls back to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog.contract import Contract
from expectations.drift.histogram import Kind, kind_of
from expectations.drift.histogram_rules import NO_CLUSTERS, columns_of
from expectations.plan.steps import SHUFFLED, Key, Lookup, Step, row_step, table_step
from expectations.rules.aggregates import Measure, unique
from expectations.rules.joins import JoinRule
from expectations.rules.queries.query_rules import QueryRule
from expectations.suite import Rule, Suite
from expectations.typed_frame import Columns


@dataclass(frozen=True)
class Plan:
    """How each rule of a suite is evaluated, in the suite's order, and what rules share."""

    suite: Suite
    columns: Columns
    steps: tuple[Step, ...]

    @property
    def row_steps(self) -> tuple[Step, ...]:
        """The steps of row rules, in the order of their bits in a row's mask."""
        return tuple(step for step in self.steps if step.rule.row_rule)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys whose repeats are looked for."""
        return tuple(step.key for step in self.steps if step.key)

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """The references of single columns, each once."""
        return tuple({step.lookup.marker: step.lookup for step in self.steps if step.lookup}.values())

    @property
    def marks(self) -> tuple[JoinRule, ...]:
        """The join rules: what is looked up beyond keys and references."""
        return tuple(step.mark for step in self.steps if step.mark)

    def mark_of(self, rule: Rule) -> JoinRule | None:
        """A rule's join rule, if it has one."""
        return next((step.mark for step in self.steps if step.rule.id == rule.id), None)

    @property
    def queries(self) -> dict[str, QueryRule]:
        """The queries of table rules, by the rules' ids."""
        return {step.rule.id: step.query for step in self.steps if step.query}

    @property
    def helpers(self) -> dict[str, str]:
        """Helper columns that labelled rows keep for queries, with the SQL that makes them."""
        found = (query.helper for query in self.queries.values())
        return {helper.name: helper.sql for helper in found if helper}

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every aggregate that some rule needs, once."""
        return unique(item for step in self.steps if step.aggregates for item in step.aggregates.measures)

    @property
    def spreads(self) -> tuple[Measure, ...]:
        """Every column (and condition) whose sums take the second pass, once."""
        found = (step.aggregates.spread for step in self.steps if step.aggregates)
        return unique(item for item in found if item)

    @property
    def histograms(self) -> dict[str, Kind]:
        """What is counted of each column whose histogram some rule needs, in the contract's order."""
        needed = {name for step in self.steps if step.way == "distribution" for name in columns_of(step.rule)}
        return {name: kind_of(column) for name, column in self.columns.items() if name in needed}

    @property
    def passes(self) -> dict[str, int]:
        """How often the rows are read (to label, then to count), shuffled and joined."""
        measures, keys, histograms = self.measures, len(self.keys), bool(self.histograms)
        clusters = sum(step.rule.type == NO_CLUSTERS for step in self.steps)
        modes = sum(item.function == "mode" for item in measures)
        labelled = 1 if self.suite.hop == "features" else 2
        shuffled = sum(item.function in SHUFFLED for item in measures)
        shuffled += sum(bool(step.mark or step.query) for step in self.steps)
        return {
            "passes": labelled + bool(self.spreads) + histograms + clusters + modes + len(self.queries),
            "shuffles": keys + shuffled + histograms + clusters,
            "joins": keys + len(self.lookups) + sum(mark.joins for mark in self.marks),
            "asked of Great Expectations": sum(step.way == "gx" for step in self.steps),
        }

    def to_json(self) -> dict[str, Any]:
        """The plan as `lakegate plan --json` prints it."""
        return {
            "suite": self.suite.name,
            "hop": self.suite.hop,
            "suite_hash": self.suite.hash,
            "passes": self.passes,
            "rules": [step.to_json() for step in self.steps],
        }


def make_plan(suite: Suite, contract: Contract, *, delivered_at: str | None = None) -> Plan:
    """Compile a suite.

    Args:
        suite: The rules of one hop.
        contract: Declares the columns.
        delivered_at: When the drop was delivered (ISO 8601). Without it the plan can be shown, but rules that
            compare with the delivery can't be run.
    """
    columns = {column.name: column for column in contract.columns}
    raw, replaces = suite.hop == "raw", contract.write_mode == "replace"
    steps = (
        row_step(rule, columns, delivered_at)
        if rule.row_rule
        else table_step(rule, columns, raw=raw, replaces=replaces)
        for rule in suite.rules
    )
    return Plan(suite, columns, tuple(steps))
