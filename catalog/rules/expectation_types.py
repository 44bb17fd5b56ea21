"""All expectation types that a contract or a suite may use, by name."""

from __future__ import annotations

from typing import Final

from catalog.rules.expectation import Expectation
from catalog.rules.gx_types import GX_TYPES
from catalog.rules.own_types import LINE_END, NESTED_FIELDS, OWN_TYPES, REPEATED_HEADER

__all__ = ["EXPECTATIONS", "LINE_END", "NESTED_FIELDS", "OWN", "REPEATED_HEADER", "Expectation"]

EXPECTATIONS: Final = GX_TYPES | OWN_TYPES
OWN: Final = frozenset(OWN_TYPES)
"""Lakegate's own types."""
