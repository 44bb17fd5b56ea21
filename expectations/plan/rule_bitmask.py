"""Which rules a row breaks, as the bits of one number: more rules are more expressions in the same pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from catalog.expressions.spark_sql import any_of
from expectations.typed_frame import HELPER

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from expectations.plan.plan import Plan

BITS: Final = 62
"""Rules whose outcome one mask column holds."""


def masks(plan: Plan) -> list[str]:
    """Mask columns of labelled rows, each a word of BITS rules."""
    return [f"{HELPER}broken{word}" for word in range(max(1, -(-len(plan.row_steps) // BITS)))]


def bits(plan: Plan, *, severity: str | None = None) -> dict[str, tuple[str, int]]:
    """For each row rule (of a severity) its mask column and bit."""
    words = masks(plan)
    return {
        step.rule.id: (words[index // BITS], 1 << index % BITS)
        for index, step in enumerate(plan.row_steps)
        if severity is None or step.rule.severity == severity
    }


def holds(bit: tuple[str, int]) -> str:
    """SQL over labelled rows: whether a bit of a mask column is set."""
    return f"({bit[0]} & {bit[1]}L) <> 0L"


def is_quarantined(plan: Plan) -> str:
    """SQL over labelled rows: whether a row is quarantined."""
    return any_of([holds(word) for word in quarantine_words(plan).items()])


def quarantine_words(plan: Plan) -> dict[str, int]:
    """For each mask column the bits of which any quarantines a row."""
    words: dict[str, int] = {}
    for mask, bit in bits(plan, severity="quarantine").values():
        words[mask] = words.get(mask, 0) | bit
    return words


def reasons(plan: Plan, words: Mapping[str, npt.NDArray[np.int64]]) -> pa.Array:
    """The ids of the rules that quarantine each row, sorted, as lists of texts.

    Each list is made once for each combination of rules that occurs.

    Args:
        plan: Of the suite.
        words: The mask columns of the rows, by name.
    """
    import numpy as np
    import pyarrow as pa

    names = masks(plan)
    first = np.zeros(len(words[names[0]]), np.int64)
    place = first
    for name in names:
        _, inverse = np.unique(words[name], return_inverse=True)
        _, first, place = np.unique(
            place * (len(inverse) + 1) + inverse, return_index=True, return_inverse=True
        )
    named = sorted(bits(plan, severity="quarantine").items())
    lists = [[rule for rule, (mask, bit) in named if int(words[mask][row]) & bit] for row in first.tolist()]
    return pa.array(lists, pa.list_(pa.string())).take(pa.array(place))
