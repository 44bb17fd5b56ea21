"""A suite: the rules of one hop of one dataset, as a GX suite that can be read and hashed without GX."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from catalog.contract import Contract, Family, Hop, Severity

GX_VERSION: Final = "1.24.1"
GX_SEVERITY: Final[dict[Severity, str]] = {
    "warn": "info",
    "quarantine": "warning",
    "block": "critical",
    "trigger": "warning",
    "hold": "critical",
}
"""Lakegate's severities in GX's own words."""
FROM_GX: Final[dict[str, Severity]] = {"info": "warn", "warning": "quarantine", "critical": "block"}
"""What GX's words mean where a rule doesn't have one of Lakegate's."""


@dataclass(frozen=True)
class Rule:
    """One expectation: GX's type and arguments, with what follows when it fails.

    A row rule decides row by row (rows that break it can be quarantined), a table rule over the table.
    """

    id: str
    type: str
    kwargs: dict[str, Any]
    severity: Severity
    family: Family
    row_rule: bool

    def to_gx(self) -> dict[str, Any]:
        """The rule as GX's JSON of an expectation's configuration."""
        return {
            "type": self.type,
            "kwargs": self.kwargs,
            "severity": GX_SEVERITY[self.severity],
            "meta": {"lakegate": {"rule": self.id, "family": self.family, "severity": self.severity}},
        }


@dataclass(frozen=True)
class Suite:
    """The rules of one hop, in a stable order."""

    name: str
    hop: Hop
    rules: tuple[Rule, ...]

    def to_gx(self) -> dict[str, Any]:
        """The suite as GX's JSON (for `gx.ExpectationSuite(**suite)`), free of random ids and notes."""
        return {
            "name": self.name,
            "expectations": [rule.to_gx() for rule in self.rules],
            "meta": {"great_expectations_version": GX_VERSION},
        }

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON without the GX version: an upgrade of GX doesn't change it."""
        body = {key: value for key, value in self.to_gx().items() if key != "meta"}
        return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def table_of(contract: Contract, hop: Hop) -> str:
    """The table that a hop writes: `flights_raw` at raw, else the contract's own name."""
    return f"{contract.name}_raw" if hop == "raw" else contract.name
