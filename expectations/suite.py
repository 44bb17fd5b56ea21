"""A suite: the rules of one hop of one dataset, as a Great Expectations suite that needs no GX to be read or hashed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from catalog.contract import Family, Hop, Severity

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
"""What GX's words mean where Lakegate's own stands nowhere."""


@dataclass(frozen=True)
class Rule:
    """One expectation: GX's type and arguments, with what follows when it fails.

    A row rule decides row by row (its failures can be set aside), a table rule over the table.
    """

    id: str
    type: str
    kwargs: dict[str, Any]
    severity: Severity
    family: Family
    row_rule: bool


@dataclass(frozen=True)
class Suite:
    """The rules of one hop, in a stable order."""

    name: str
    hop: Hop
    rules: tuple[Rule, ...]

    def to_gx(self) -> dict[str, Any]:
        """The suite as GX's JSON (readable by `gx.ExpectationSuite(**suite)`), free of random ids and notes."""
        return {
            "name": self.name,
            "expectations": [
                {
                    "type": rule.type,
                    "kwargs": rule.kwargs,
                    "severity": GX_SEVERITY[rule.severity],
                    "meta": {"lakegate": {"rule": rule.id, "family": rule.family, "severity": rule.severity}},
                }
                for rule in self.rules
            ],
            "meta": {"great_expectations_version": GX_VERSION},
        }

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON without the GX version, so that an upgrade of GX alone changes nothing."""
        body = {key: value for key, value in self.to_gx().items() if key != "meta"}
        return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
