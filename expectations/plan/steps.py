"""How each rule is evaluated, as plain values: its SQL, joins, aggregates or query, and the cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from catalog.expressions.spark_sql import all_of, quoted
from expectations.drift.histogram_rules import DISTRIBUTION_TYPES, NO_CLUSTERS, columns_of
from expectations.rules.aggregate_rules import aggregates_of
from expectations.rules.aggregates import AggregateRequest
from expectations.rules.join_rules import join_rule_of, query_rule_of
from expectations.rules.joins import JoinRule
from expectations.rules.queries.query_rules import QueryRule
from expectations.rules.row_count_rules import COUNTED_TYPES
from expectations.rules.row_rules import broken_when, condition_of, within
from expectations.rules.schema_rules import HEADER_TYPES
from expectations.rules.time_rules import after_delivery
from expectations.suite import Rule
from expectations.typed_frame import Columns, duplicate_marker, reference_marker

Way = Literal[
    "predicate", "key", "reference", "look-up", "aggregate", "query", "tally", "header", "distribution", "gx"
]
"""How a rule is evaluated."""

_ABOUT_NULL: Final = ("expect_column_values_to_be_null", "expect_column_values_to_not_be_null")
UNIQUE_TYPES: Final = frozenset({"expect_compound_columns_to_be_unique", "expect_column_values_to_be_unique"})


@dataclass(frozen=True)
class Key:
    """Columns whose values may come once; `where` selects rows, `null_safe` says whether NULL equals NULL."""

    rule: str
    columns: tuple[str, ...]
    where: str
    null_safe: bool

    @property
    def marker(self) -> str:
        """Helper column: true where another row has the same key."""
        return duplicate_marker(self.rule)


@dataclass(frozen=True)
class Lookup:
    """A join with a reference's pinned version."""

    column: str
    reference: str
    reference_column: str

    @property
    def marker(self) -> str:
        """Helper column: not NULL where the foreign key was found in the reference."""
        return reference_marker(self.column, self.reference, self.reference_column)


@dataclass(frozen=True)
class Step:
    """How one rule is evaluated: for a row rule, `sql` is true where a row breaks it."""

    rule: Rule
    way: Way
    sql: str | None = None
    key: Key | None = None
    lookup: Lookup | None = None
    mark: JoinRule | None = None
    aggregates: AggregateRequest | None = None
    query: QueryRule | None = None
    domain: str | None = None
    """For a rule that allows some failures (`mostly`): the rows that it judges."""

    @property
    def cost(self) -> str:
        """What the rule adds to the one pass over the rows."""
        parts = [_COSTS[self.way]] if _COSTS[self.way] else []
        if self.aggregates is not None:
            if self.aggregates.spread is not None:
                parts.append("1 second pass")
            if any(item.function in SHUFFLED for item in self.aggregates.measures):
                parts.append("1 shuffle")
        elif self.mark is not None:
            parts.append(f"{self.mark.joins} joins")
        elif self.rule.type == NO_CLUSTERS:
            parts.append("1 shuffle")
        return ", ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """The step as a plan shows it."""
        measures = self.aggregates.measures if self.aggregates else ()
        sql = self.sql or ", ".join(item.sql() for item in measures if item.function != "mode") or None
        return {
            "rule": self.rule.id,
            "type": self.rule.type,
            "family": self.rule.family,
            "severity": self.rule.severity,
            "answered_by": self.way,
            "cost": self.cost,
            "sql": sql,
        }


_COSTS: Final[dict[Way, str]] = {
    "predicate": "in the pass",
    "key": "1 shuffle, 1 join",
    "reference": "1 join with the reference",
    "look-up": "",
    "aggregate": "in the count",
    "distribution": "in the histograms",
    "query": "1 query over the labelled rows",
    "tally": "none",
    "header": "none",
    "gx": "Great Expectations: its import and its own queries",
}
SHUFFLED: Final = ("distinct", "median", "quantile", "mode")
"""Aggregates for which an engine shuffles the rows."""


def row_step(rule: Rule, columns: Columns, delivered_at: str | None) -> Step:
    """How a row rule is evaluated, for a drop that was delivered at a time (ISO 8601), if that is known."""
    domain = _domain(rule, columns)
    repeats = rule.type == "expect_key_to_stand_once" and rule.kwargs.get("keep", "none") == "none"
    if rule.type in UNIQUE_TYPES or repeats:
        key = _key(rule, columns)
        sql = all_of([key.where, f"coalesce({quoted(key.marker)}, false)"])
        return Step(rule, "key", sql, key=key, domain=domain)
    if (mark := join_rule_of(rule, columns)) is not None:
        sql = all_of([*condition_of(rule, columns), mark.broken])
        return Step(rule, "look-up", sql, mark=mark, domain=domain)
    if rule.type == "expect_column_values_to_be_before_delivery":
        sql = all_of([*within(rule, columns), after_delivery(rule.kwargs, columns, delivered_at)])
        return Step(rule, "predicate", sql, domain=domain)
    broken = broken_when(rule, columns)
    if rule.type == "expect_column_values_to_exist_in_reference":
        lookup = Lookup(rule.kwargs["column"], rule.kwargs["reference"], rule.kwargs["reference_column"])
        return Step(rule, "reference", broken, lookup=lookup, domain=domain)
    return Step(rule, "gx" if broken is None else "predicate", broken, domain=domain)


def table_step(rule: Rule, columns: Columns, *, raw: bool, replaces: bool) -> Step:
    """How a table rule is evaluated.

    Args:
        rule: The rule.
        columns: The contract's columns.
        raw: Whether the rule judges a delivery before its values are read.
        replaces: Whether a drop replaces the table, or is appended to it.
    """
    if rule.type in HEADER_TYPES:
        return Step(rule, "header")
    if raw or rule.type in COUNTED_TYPES:
        return Step(rule, "tally")
    if (query := query_rule_of(rule, columns, replaces=replaces)) is not None:
        return Step(rule, "query", query=query, mark=query.helper.mark if query.helper else None)
    if rule.type in DISTRIBUTION_TYPES:
        return Step(rule, "distribution")
    aggregates = aggregates_of(rule, columns)
    return Step(rule, "gx" if aggregates is None else "aggregate", aggregates=aggregates)


def _key(rule: Rule, columns: Columns) -> Key:
    """A rule's key; NULL equals NULL, unless the rule ignores rows with any missing value."""
    names = tuple(columns_of(rule))
    present = [f"{quoted(name)} is not null" for name in names]
    parts = within(rule, columns)
    if rule.type != "expect_compound_columns_to_be_unique":
        parts += present
    return Key(rule.id, names, all_of(parts), null_safe=not set(present) <= set(parts))


def _domain(rule: Rule, columns: Columns) -> str | None:
    """The rows that count for `mostly`: those that the rule judges, without NULL unless it is about NULL."""
    if rule.kwargs.get("mostly", 1) == 1:
        return None
    parts = within(rule, columns)
    if "column" in rule.kwargs and rule.type not in _ABOUT_NULL:
        parts.append(f"{quoted(rule.kwargs['column'])} is not null")
    return all_of(parts)
