"""The demo's catalog, and suite files that extend its datasets."""

from __future__ import annotations

from catalog.files import load_catalog
from expectations.suite import Suite
from tests.support.places import ROOT

CATALOG = load_catalog(ROOT)
FLIGHTS = CATALOG.get("flights")


def ids(suite: Suite) -> list[str]:
    return [rule.id for rule in suite.rules]
