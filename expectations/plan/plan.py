"""The plan of a suite: everything one evaluation of its rules needs, as plain values that can be printed and kept.

A suite is compiled in milliseconds and without Great Expectations, so there is nothing to cache; GX is imported only where
a rule falls back to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from catalog.contract import Column, Contract
from catalog.expressions.spark_sql import all_of, quoted
from expectations.drift.histogram import Kind, kind_of
from expectations.drift.histogram_rules import DISTRIBUTION_TYPES, NO_CLUSTERS, columns_of
from expectations.rules.aggregate_rules import AggregateRequest, asked
from expectations.rules.aggregates import Measure, unique
from expectations.rules.join_rules import condition_of, looked_up, questioned
from expectations.rules.joins import JoinRule
from expectations.rules.query_rules import QueryRule
from expectations.rules.row_count_rules import COUNTED_TYPES
from expectations.rules.row_rules import broken_when, within
from expectations.rules.schema_rules import HEADER_TYPES
from expectations.rules.time_rules import after_delivery
from expectations.suite import Rule, Suite
from expectations.typed_frame import duplicate_marker, reference_marker

Way = Literal[
    "predicate", "key", "reference", "look-up", "aggregate", "query", "tally", "header", "distribution", "gx"
]
"""How a rule is answered."""

UNIQUE_TYPES: Final = frozenset({"expect_compound_columns_to_be_unique", "expect_column_values_to_be_unique"})


@dataclass(frozen=True)
class Key:
    """Columns whose values may stand once: `where` says of which rows, `null_safe` whether two NULLs are the same value."""

    rule: str
    columns: tuple[str, ...]
    where: str
    null_safe: bool

    @property
    def marker(self) -> str:
        """Helper column: true where the row's key stands more than once."""
        return duplicate_marker(self.rule)


@dataclass(frozen=True)
class Lookup:
    """A join with a reference's pinned version; `marker` is a helper column, not NULL where the value was found."""

    column: str
    reference: str
    reference_column: str

    @property
    def marker(self) -> str:
        """Helper column: not NULL where the foreign key was found in the reference."""
        return reference_marker(self.column, self.reference)


@dataclass(frozen=True)
class Step:
    """How one rule is answered: for a row rule, `sql` is true where a row breaks it."""

    rule: Rule
    way: Way
    sql: str | None = None
    asked: AggregateRequest | None = None
    mark: JoinRule | None = None
    question: QueryRule | None = None
    domain: str | None = None
    """For a rule that allows some failures (`mostly`): the rows that it is asked of."""

    @property
    def cost(self) -> str:
        """What the rule adds to the one pass over the rows."""
        if self.way == "aggregate":
            again = self.asked is not None and self.asked.spread is not None
            shuffled = self.asked is not None and any(
                item.function in _SHUFFLED for item in self.asked.measures
            )
            return "in the count" + (", 1 second pass" if again else "") + (", 1 shuffle" if shuffled else "")
        joins = (
            [f"{self.mark.joins} joins"]
            if self.mark
            else ["1 shuffle"]
            if self.rule.type == NO_CLUSTERS
            else []
        )
        return ", ".join([_COSTS[self.way], *joins] if _COSTS[self.way] else joins)


_COSTS: Final[dict[Way, str]] = {
    "predicate": "in the pass",
    "key": "1 shuffle, 1 join",
    "reference": "1 join with the reference",
    "look-up": "",
    "distribution": "in the histograms",
    "query": "1 query over the labelled rows",
    "tally": "none",
    "header": "none",
    "gx": "Great Expectations: its import and its own queries",
}
_SHUFFLED: Final = ("distinct", "median", "quantile", "mode")


@dataclass(frozen=True)
class Plan:
    """What a suite asks, rule by rule in the suite's order, and what is shared between them."""

    suite: Suite
    columns: dict[str, Column]
    steps: tuple[Step, ...]
    keys: tuple[Key, ...]
    lookups: tuple[Lookup, ...]

    @property
    def row_steps(self) -> tuple[Step, ...]:
        """The steps of row rules, in the order of their bits in a row's mask."""
        return tuple(step for step in self.steps if step.rule.row_rule)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every aggregate that some rule needs, once."""
        return unique(measure for step in self.steps if step.asked for measure in step.asked.measures)

    @property
    def marks(self) -> tuple[JoinRule, ...]:
        """What is looked up beyond keys and references."""
        return tuple(step.mark for step in self.steps if step.mark)

    def mark_of(self, rule: Rule) -> JoinRule | None:
        """What a rule looks up, if anything beyond keys and references."""
        return next((step.mark for step in self.steps if step.rule.id == rule.id), None)

    @property
    def carried(self) -> dict[str, str]:
        """Helper columns that labelled rows keep for the questions of table rules, with the SQL that makes them."""
        found = [step.question.carries for step in self.steps if step.question and step.question.carries]
        return {item.name: item.sql for item in found}

    @property
    def spreads(self) -> tuple[Measure, ...]:
        """Every column (and condition) whose sums take the second pass, once."""
        return unique(step.asked.spread for step in self.steps if step.asked and step.asked.spread)

    @property
    def histograms(self) -> dict[str, Kind]:
        """What is counted of each column that some rule asks a histogram of, in the contract's order."""
        asked = {name for step in self.steps if step.way == "distribution" for name in columns_of(step.rule)}
        return {name: kind_of(column) for name, column in self.columns.items() if name in asked}

    @property
    def passes(self) -> dict[str, int]:
        """How often the rows are passed over (to label them, then to count), shuffled and joined, however many rules there are."""
        distinct = sum(item.function in _SHUFFLED for item in self.measures)
        clusters = sum(step.rule.type == NO_CLUSTERS for step in self.steps)
        shuffled = clusters + sum(bool(step.mark or step.question) for step in self.steps)
        return {
            "passes": (1 if self.suite.hop == "features" else 2)
            + bool(self.spreads)
            + bool(self.histograms)
            + clusters
            + sum(item.function == "mode" for item in self.measures)
            + sum(step.question is not None for step in self.steps),
            "shuffles": len(self.keys) + distinct + bool(self.histograms) + shuffled,
            "joins": len(self.keys) + len(self.lookups) + sum(mark.joins for mark in self.marks),
            "asked of Great Expectations": sum(step.way == "gx" for step in self.steps),
        }

    def to_json(self) -> dict[str, Any]:
        """The plan as `lakegate plan --json` prints it."""
        return {
            "suite": self.suite.name,
            "hop": self.suite.hop,
            "suite_hash": self.suite.hash,
            "passes": self.passes,
            "rules": [
                {
                    "rule": step.rule.id,
                    "type": step.rule.type,
                    "family": step.rule.family,
                    "severity": step.rule.severity,
                    "answered_by": step.way,
                    "cost": step.cost,
                    "sql": step.sql or ", ".join(item.sql() for item in _shown(step)) or None,
                }
                for step in self.steps
            ],
        }


def _shown(step: Step) -> Iterable[Measure]:
    return (item for item in step.asked.measures if item.function != "mode") if step.asked else ()


def make_plan(suite: Suite, contract: Contract, *, delivered_at: str | None = None) -> Plan:
    """Compile a suite for the columns that a contract declares, and for a drop that was delivered at a time (ISO 8601).

    Without the time the plan can be shown; rules that ask for it can't be run.
    """
    columns = {column.name: column for column in contract.columns}
    keys, lookups, steps = [], {}, []
    for rule in suite.rules:
        if rule.type in UNIQUE_TYPES or (
            rule.type == "expect_key_to_stand_once" and rule.kwargs.get("keep", "none") == "none"
        ):
            keys.append(_key(rule, columns))
            marked = f"coalesce({quoted(keys[-1].marker)}, false)"
            steps.append(Step(rule, "key", all_of([keys[-1].where, marked]), domain=_domain(rule, columns)))
        elif rule.type == "expect_column_values_to_exist_in_reference":
            lookup = Lookup(rule.kwargs["column"], rule.kwargs["reference"], rule.kwargs["reference_column"])
            lookups[lookup.marker] = lookup
            steps.append(Step(rule, "reference", broken_when(rule, columns), domain=_domain(rule, columns)))
        elif rule.type == "expect_column_values_to_be_before_delivery":
            sql = all_of([*within(rule, columns), after_delivery(rule.kwargs, columns, delivered_at)])
            steps.append(Step(rule, "predicate", sql, domain=_domain(rule, columns)))
        elif (found := looked_up(rule, columns)) is not None:
            sql = all_of([*condition_of(rule, columns), found.broken])
            steps.append(Step(rule, "look-up", sql, mark=found, domain=_domain(rule, columns)))
        elif (question := questioned(rule, columns, replaces=contract.write_mode == "replace")) is not None:
            steps.append(
                Step(
                    rule, "query", mark=question.carries.mark if question.carries else None, question=question
                )
            )
        else:
            steps.append(
                Step(rule, "tally")
                if suite.hop == "raw" and rule.type not in HEADER_TYPES
                else _step(rule, columns)
            )
    return Plan(suite, columns, tuple(steps), tuple(keys), tuple(lookups.values()))


def _step(rule: Rule, columns: dict[str, Column]) -> Step:
    if rule.type in HEADER_TYPES:
        return Step(rule, "header")
    if rule.type in COUNTED_TYPES:
        return Step(rule, "tally")
    if rule.type in DISTRIBUTION_TYPES:
        return Step(rule, "distribution")
    if rule.row_rule:
        sql = broken_when(rule, columns)
        return Step(rule, "gx" if sql is None else "predicate", sql, domain=_domain(rule, columns))
    found = asked(rule, columns)
    return Step(rule, "gx") if found is None else Step(rule, "aggregate", asked=found)


def _key(rule: Rule, columns: dict[str, Column]) -> Key:
    """A key with a NULL in it is none, where the rule ignores rows with any missing value; else NULL is a value like others."""
    names = tuple(rule.kwargs["column_list"] if "column_list" in rule.kwargs else [rule.kwargs["column"]])
    present = [f"{quoted(name)} is not null" for name in names]
    parts = (
        within(rule, columns)
        if rule.type == "expect_compound_columns_to_be_unique"
        else [*within(rule, columns), *present]
    )
    return Key(rule.id, names, all_of(parts), null_safe=not set(present) <= set(parts))


def _domain(rule: Rule, columns: dict[str, Column]) -> str | None:
    """Which rows count for `mostly`: those that the rule is asked of, without NULL unless it asks for NULL."""
    if rule.kwargs.get("mostly", 1) == 1:
        return None
    about_null = rule.type in ("expect_column_values_to_be_null", "expect_column_values_to_not_be_null")
    present = (
        [f"{quoted(rule.kwargs['column'])} is not null"] if "column" in rule.kwargs and not about_null else []
    )
    return all_of([*within(rule, columns), *present])
