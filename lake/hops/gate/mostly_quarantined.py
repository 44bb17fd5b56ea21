"""Rules that quarantine most of a delivery for the first time: often the rule is wrong, not the data.

The version or the refusal records each such rule with one row as an example. Values of personal columns, and
of columns that the contract doesn't know, are masked (promise P6).
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
"""The key of this record, in a manifest's notes and in the ledger."""
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
    """The note of rules that quarantine more than half of the delivery, and did not of the one before.

    Rows that were published before and come again don't count: a rule that keeps them out isn't wrong. Nor
    does a rule that keeps one of several rows with a key: it quarantines most of a log of changes.

    Args:
        session: The open lake.
        contract: Says which columns are personal.
        found: The rows, labelled, and the outcomes of the rules.
        parsed: The delivery, whose header names the fields and from which records are cut.
        parent: The version before, if any.
        published: The table that the rows are appended to, if any.
    """
    rows, before = found.valid + found.quarantined, set[str]()
    if parent is not None:
        before = {item["rule"] for item in parent.rules if _is_most(int(item["failed"]), int(item["of"]))}
    suspects = [
        item.rule
        for item in found.outcomes
        if item.rule.severity == "quarantine"
        and _is_most(item.failed, rows)
        and item.rule.id not in before
        and not isinstance(found.plan.mark_of(item.rule), KeepOnePerKey)
    ]
    after, noted = parent.version if parent else 0, []
    for rule, (failed, first) in zip(suspects, _broken(session, found, suspects, published), strict=True):
        if _is_most(failed, rows):
            example = _example(contract, parsed, rule, first)
            noted.append({"rule": rule.id, "failed": failed, "of": rows, "after": after, **example})
    return {MOSTLY: noted} if noted else {}


def _is_most(failed: int, rows: int) -> bool:
    return failed * 2 > rows


def _broken(
    session: Session, found: Evaluated, rules: Sequence[Rule], published: DataFrame | None
) -> list[tuple[int, int]]:
    """Per rule: how many new rows break it, and the number of the first of them (0: there is none)."""
    if not rules:
        return []
    place, columns = bits(found.plan), []
    for number, rule in enumerate(rules):
        broken = holds(place[rule.id])
        columns.append(f"count(case when {broken} then 1 end) as count{number}")
        columns.append(f"coalesce(min(case when {broken} then {quoted(ROW)} end), 0L) as first{number}")
    fresh = found.labelled if published is None else without_published(found.labelled, found.plan, published)
    (row,) = session.engine.rows(fresh.selectExpr(*columns))
    return [(int(count), int(first)) for count, first in zip(row[::2], row[1::2], strict=True)]


def _example(contract: Contract, parsed: Parsed, rule: Rule, row: int) -> dict[str, Any]:
    """A row by its number: the fields that the rule names, of which some are masked."""
    record = parsed.originals.cut(np.array([row]))[0].as_py() if parsed.originals else None
    fields = dict(_fields(record, delivered(parsed.shape), contract)) if record is not None else {}
    named = _columns(rule, contract)
    shown = {name: text for name, text in fields.items() if not named or name in named}
    return {"record": row, "fields": shown}


def _columns(rule: Rule, contract: Contract) -> set[str]:
    """The columns that a rule is about; none where it is about the whole row."""
    named = set[str]()
    for key in _NAMED:
        value = rule.kwargs.get(key) or []
        named.update(value if isinstance(value, list) else [value])
    condition = rule.kwargs.get("condition")
    if isinstance(condition, str):
        named |= columns_in(condition, [column.name for column in contract.columns])
    return named


def _fields(record: str, header: Header, contract: Contract) -> Iterator[tuple[str, str]]:
    if (values := format_of(contract.file).fields(record, header)) is None:
        return
    public = {column.name for column in contract.columns} - contract.personal
    for (_, name), value in zip(header, values, strict=True):
        if name is not None:
            yield name, value[:SHOWN] if name in public else MASK


def mostly_quarantined_message(table: str, notes: Mapping[str, Any]) -> str:
    """The note in words; empty where there is none."""
    return " ".join(_message(table, item) for item in notes.get(MOSTLY, ()))


def _message(table: str, item: Mapping[str, Any]) -> str:
    before = f"; of {table}@v{item['after']} it did not" if item["after"] else ", the first that it judged"
    fields = ", ".join(f"{name}: {_shown(value)}" for name, value in item["fields"].items())
    example = f"has {fields}" if fields else "is the first"
    failed = f"{item['rule']} quarantines {item['failed']} of {item['of']} rows of this delivery"
    return f"{failed}{before}: is the rule right? Record {item['record']} {example}."


def _shown(value: str) -> str:
    return value if value == MASK else json.dumps(value).translate(_MARKUP)
