"""A mistake in a rule, as every check of rules reports it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mistake:
    """What is wrong, at which argument (None: the type; empty: the arguments as a whole), and what to do."""

    what: str
    argument: str | None
    fix: str


def number(value: Any) -> bool:
    """Whether a value is a finite number that a double can hold (true and false are none)."""
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:
        return False
