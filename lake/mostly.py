"""Rules that set most of a delivery aside for the first time: more often a mistake in the rule than that much bad data.

What is told is on record with the version or refusal, with one row as an example; values of personal columns, and of columns that the
contract doesn't know, are masked (promise P6).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from catalog.condition_tree import columns_in
from catalog.contract import Contract
from expectations.frame import ROW
from expectations.masks import bits, holds
from expectations.suite import Rule
from lake.shape import delivered
from lake.versions import MASK

if TYPE_CHECKING:
    from lake.evaluate import Evaluated
    from lake.parse import Parsed
    from lake.session import Session
    from lakegate.manifest import Manifest

MOSTLY: Final = "mostly_aside"
"""Name of what is on record, in a manifest's notes and in the ledger."""
SHOWN: Final = 40
"""Most characters of a value that are shown."""
_NAMED: Final = ("column", "column_A", "column_B", "column_list", "cutoff_column", "on")
_MARKUP: Final = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&[]`*_|\x7f"})
"""What a page, a terminal or a log may take for more than text."""


def mostly_aside(session: Session, contract: Contract, found: Evaluated, *, parsed: Parsed, parent: Manifest | None) -> dict[str, Any]:
    """What is noted of rules that set more than half of the delivery aside, and of the version before did not.

    Args:
        session: The open lake.
        contract: Says which columns are personal.
        found: The rows, labelled, and how the rules came out.
        parsed: The delivery, whose header names the fields and from which records are cut.
        parent: The version before, if any.
    """
    before = {rule["rule"] for rule in (parent.rules if parent else ()) if _is_most(int(rule["failed"]), int(rule["of"]))}
    rows = found.valid + found.quarantined
    told = []
    for item in found.outcomes:
        if item.rule.severity == "quarantine" and _is_most(item.failed, rows) and item.rule.id not in before:
            example = _example(session, contract, found, parsed, item.rule)
            told.append({"rule": item.rule.id, "failed": item.failed, "of": rows, "after": parent.version if parent else 0, **example})
    return {MOSTLY: told} if told else {}


def _is_most(failed: int, rows: int) -> bool:
    return failed * 2 > rows


def _example(session: Session, contract: Contract, found: Evaluated, parsed: Parsed, rule: Rule) -> dict[str, Any]:
    """The first row that breaks the rule, by its number: the fields that the rule names, of which some are masked."""
    chosen = found.labelled.where(holds(bits(found.plan)[rule.id]))
    ((row,),) = session.engine.rows(chosen.selectExpr(f"min({ROW})"))
    record = parsed.originals.cut(np.array([row]))[0].as_py() if parsed.originals else None
    fields = dict(_fields(record, delivered(parsed.shape), contract)) if record is not None else {}
    asked = _columns(rule, contract)
    return {"record": int(row), "fields": {name: text for name, text in fields.items() if not asked or name in asked}}


def _columns(rule: Rule, contract: Contract) -> set[str]:
    """The columns that a rule is about; none where it is about the whole row."""
    given = [rule.kwargs.get(name) for name in _NAMED]
    named = {name for item in given if item for name in (item if isinstance(item, list) else [item])}
    condition = rule.kwargs.get("condition")
    return named | (columns_in(condition, [column.name for column in contract.columns]) if isinstance(condition, str) else set())


def _fields(record: str, header: Sequence[tuple[str, str | None]], contract: Contract) -> Iterator[tuple[str, str]]:
    try:
        values = next(csv.reader([record], delimiter=contract.file.delimiter), [])
    except csv.Error:
        return
    if len(values) != len(header):
        return
    public = {column.name for column in contract.columns} - contract.personal
    for (_, name), value in zip(header, values, strict=True):
        if name is not None:
            yield name, value[:SHOWN] if name in public else MASK


def why_mostly(table: str, notes: Mapping[str, Any]) -> str:
    """What is noted, in words; empty where nothing is."""
    return " ".join(_told(table, item) for item in notes.get(MOSTLY, ()))


def _told(table: str, item: Mapping[str, Any]) -> str:
    before = f"{table}@v{item['after']}" if item["after"] else ""
    first = f"; of {before} it did not" if before else ", the first that it judged"
    fields = ", ".join(
        f"{name}: {value if value == MASK else json.dumps(value).translate(_MARKUP)}" for name, value in item["fields"].items()
    )
    example = f" Record {item['record']} has {fields}." if fields else f" Record {item['record']} is the first."
    return f"{item['rule']} sets {item['failed']} of {item['of']} rows of this delivery aside{first}: is the rule right?{example}"
