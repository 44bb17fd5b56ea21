"""Rules that set most of a delivery aside for the first time: more often a mistake in the rule than that much bad data.

What is told is on record with the version or refusal, with one row as an example; values of personal columns, and of columns that the
contract doesn't know, are masked (promise P6).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from catalog.contract import Contract
from catalog.documents.visible_names import MASK
from catalog.expressions.condition_tree import columns_in
from catalog.expressions.spark_sql import quoted
from expectations.plan.returning_rows import without_published
from expectations.plan.rule_bitmask import bits, holds
from expectations.rules.joins import KeepOnePerKey
from expectations.suite import Rule
from expectations.typed_frame import ROW
from lake.parsing.column_mapping import delivered
from lake.parsing.formats import Header, format_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lake.hops.evaluate import Evaluated
    from lake.parsing.parsed import Parsed
    from lake.session import Session
    from lakegate.manifest import Manifest

MOSTLY: Final = "mostly_aside"
"""Name of what is on record, in a manifest's notes and in the ledger."""
SHOWN: Final = 40
"""Most characters of a value that are shown."""
_NAMED: Final = ("column", "column_A", "column_B", "column_list", "cutoff_column", "on")
_MARKUP: Final = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&[]`*_|\x7f"})
"""What a page, a terminal or a log may take for more than text."""


def mostly_quarantined(
    session: Session,
    contract: Contract,
    found: Evaluated,
    *,
    parsed: Parsed,
    parent: Manifest | None,
    published: DataFrame | None,
) -> dict[str, Any]:
    """What is noted of rules that set more than half of the delivery aside, and of the version before did not.

    Rows that are published already, and come again, don't count: no rule is wrong that keeps them out. Nor is one that the contract
    has keep one of several rows, which sets most of a log of changes aside.

    Args:
        session: The open lake.
        contract: Says which columns are personal.
        found: The rows, labelled, and how the rules came out.
        parsed: The delivery, whose header names the fields and from which records are cut.
        parent: The version before, if any.
        published: The table that the rows are appended to, if any.
    """
    before = {
        rule["rule"]
        for rule in (parent.rules if parent else ())
        if _is_most(int(rule["failed"]), int(rule["of"]))
    }
    rows, after = found.valid + found.quarantined, parent.version if parent else 0
    asked = [
        item.rule
        for item in found.outcomes
        if item.rule.severity == "quarantine" and _is_most(item.failed, rows) and item.rule.id not in before
        if not isinstance(found.plan.mark_of(item.rule), KeepOnePerKey)
    ]
    told = []
    for rule, (failed, first) in zip(asked, _broken(session, found, asked, published), strict=True):
        if _is_most(failed, rows):
            example = _example(contract, parsed, rule, first)
            told.append({"rule": rule.id, "failed": failed, "of": rows, "after": after, **example})
    return {MOSTLY: told} if told else {}


def _is_most(failed: int, rows: int) -> bool:
    return failed * 2 > rows


def _broken(
    session: Session, found: Evaluated, rules: Sequence[Rule], published: DataFrame | None
) -> list[tuple[int, int]]:
    """For each rule how many rows that come for the first time break it, and the number of the first of them (0: there is none)."""
    if not rules:
        return []
    place = bits(found.plan)
    counts = [f"count(case when {holds(place[rule.id])} then 1 end)" for rule in rules]
    firsts = [
        f"coalesce(min(case when {holds(place[rule.id])} then {quoted(ROW)} end), 0L)" for rule in rules
    ]
    made = [f"{sql} as n{number}" for number, sql in enumerate([*counts, *firsts])]
    fresh = found.labelled if published is None else without_published(found.labelled, found.plan, published)
    (row,) = session.engine.rows(fresh.selectExpr(*made))
    numbers = [int(value) for value in row]
    return list(zip(numbers[: len(rules)], numbers[len(rules) :], strict=True))


def _example(contract: Contract, parsed: Parsed, rule: Rule, row: int) -> dict[str, Any]:
    """A row by its number: the fields that the rule names, of which some are masked."""
    record = parsed.originals.cut(np.array([row]))[0].as_py() if parsed.originals else None
    fields = dict(_fields(record, delivered(parsed.shape), contract)) if record is not None else {}
    asked = _columns(rule, contract)
    return {
        "record": row,
        "fields": {name: text for name, text in fields.items() if not asked or name in asked},
    }


def _columns(rule: Rule, contract: Contract) -> set[str]:
    """The columns that a rule is about; none where it is about the whole row."""
    given = [rule.kwargs.get(name) for name in _NAMED]
    named = {name for item in given if item for name in (item if isinstance(item, list) else [item])}
    condition = rule.kwargs.get("condition")
    return named | (
        columns_in(condition, [column.name for column in contract.columns])
        if isinstance(condition, str)
        else set()
    )


def _fields(record: str, header: Header, contract: Contract) -> Iterator[tuple[str, str]]:
    if (values := format_of(contract.file).fields(record, header)) is None:
        return
    public = {column.name for column in contract.columns} - contract.personal
    for (_, name), value in zip(header, values, strict=True):
        if name is not None:
            yield name, value[:SHOWN] if name in public else MASK


def mostly_quarantined_message(table: str, notes: Mapping[str, Any]) -> str:
    """What is noted, in words; empty where nothing is."""
    return " ".join(_told(table, item) for item in notes.get(MOSTLY, ()))


def _told(table: str, item: Mapping[str, Any]) -> str:
    before = f"{table}@v{item['after']}" if item["after"] else ""
    first = f"; of {before} it did not" if before else ", the first that it judged"
    fields = ", ".join(
        f"{name}: {value if value == MASK else json.dumps(value).translate(_MARKUP)}"
        for name, value in item["fields"].items()
    )
    example = (
        f" Record {item['record']} has {fields}." if fields else f" Record {item['record']} is the first."
    )
    return f"{item['rule']} quarantines {item['failed']} of {item['of']} rows of this delivery{first}: is the rule right?{example}"
