"""Missing columns in words: the headers that bring them, and what in the file may have been meant."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.column_names import header_line
from catalog.contract import Column, Contract
from catalog.documents.visible_names import UNCLAIMED, folded, listed, visible
from expectations.verdict import Outcome
from lake.parsing.formats import format_of

HINTS = 3
"""Most columns for which a reason says what they may be called in the file."""


def missing(contract: Contract, absent: Sequence[str], outcomes: Sequence[Outcome]) -> str:
    """One phrase for all missing columns: a file with none of them has most likely no header, or is empty."""
    declared = {item.name: item for item in contract.columns}
    columns = [declared.get(name) or Column(name, "string") for name in absent]
    others = [str(name) for item in outcomes for name in item.observed.get("names", ())]
    hints = [hint for column in columns if (hint := _meant(column, others))]
    if not hints and len(columns) == len(contract.delivered) > 1:
        why = f"all {len(columns)} columns are missing: {format_of(contract.file).no_column}"
        otherwise = "or are its names written otherwise? Where they are, physicalName tells each"
        return f"column rules ({why}, {otherwise})"
    more = [f"and {len(hints) - HINTS} more like these"] if len(hints) > HINTS else []
    parts = [listed(column.header for column in columns), *hints[:HINTS], *more]
    return f"column rules (missing: {'; '.join(parts)})"


def _meant(column: Column, others: Sequence[str]) -> str:
    """What to write where an unexpected header is the column's but for case, blanks and marks."""
    wanted = {folded(column.header), folded(column.name)} - {""}
    found = [name for name in others if folded(name) in wanted]
    if len(found) != 1:
        return ""
    line = header_line(found[0].removeprefix(UNCLAIMED))
    return f"the file has {visible(found[0])}: if that is meant, write {line} at column {column.name}"
