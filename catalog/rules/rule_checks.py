"""What is wrong with a rule, before any data is read: its type, hop, severity and arguments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, get_args

from catalog.contract import Contract, Family, Hop, Severity
from catalog.documents.document import suggest
from catalog.rules.arguments import argument_mistakes
from catalog.rules.combined_arguments import combined_mistakes
from catalog.rules.expectation_types import EXPECTATIONS, Expectation
from catalog.rules.mistake import Mistake

FAMILIES: Final[tuple[Family, ...]] = get_args(Family)
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
TABLE_SEVERITIES: Final[tuple[Severity, ...]] = ("trigger", "hold")
"""Severities that only a table rule can have."""
ROW_SEVERITIES: Final = tuple(severity for severity in SEVERITIES if severity not in TABLE_SEVERITIES)
"""Severities that a row rule can have."""
FEATURE_SEVERITIES: Final = tuple(severity for severity in ROW_SEVERITIES if severity != "quarantine")
"""Severities that a row rule can have at features, where nothing is quarantined."""


def mistakes(
    contract: Contract, hop: Hop, type_: object, kwargs: dict[str, Any], severity: Severity
) -> Iterator[Mistake]:
    """What is wrong with a rule.

    Args:
        contract: The contract of its columns.
        hop: The hop at which it is checked.
        type_: Its expectation type.
        kwargs: Its arguments.
        severity: What it does when it is broken.
    """
    kind = EXPECTATIONS.get(str(type_))
    if kind is None:
        known = [name for name, item in EXPECTATIONS.items() if not item.generated]
        what = f"{str(type_)!r} is not an expectation type that Lakegate runs"
        yield Mistake(what, None, suggest(type_, known))
        return
    if kind.generated:
        fix = "leave it out; types, relationships and shares make it"
        yield Mistake(f"{type_} is made from the contract's schema", None, fix)
        return
    if hop not in kind.hops:
        why = "judges values, and raw holds bytes" if hop == "raw" else f"can't be checked at hop {hop}"
        yield Mistake(f"{type_} {why}", None, f"ask it at hop {' or '.join(sorted(kind.hops))}")
    yield from _severity(str(type_), kind, hop, severity)
    free = kind.arguments - kwargs.keys()
    unknown = {name: suggest(name, free) for name in sorted(kwargs.keys() - kind.arguments)}
    # An argument that a misspelt one means is not missing.
    meant = {name for name in free if f"did you mean {name!r}?" in unknown.values()}
    for name, fix in unknown.items():
        yield Mistake(f"{type_} has no argument {name!r}", name, fix)
    for name in sorted(kind.needs - kwargs.keys() - meant):
        yield Mistake(f"{type_} lacks its argument {name!r}", "", f"give it under kwargs: {name}")
    if kind.bounds and not kind.bounds & (kwargs.keys() | meant):
        yield Mistake(f"{type_} has no bound", "", f"give {' or '.join(sorted(kind.bounds))}")
    found = [
        item
        for name, value in kwargs.items()
        if name in kind.arguments
        for item in argument_mistakes(contract, kind, name, value)
    ]
    yield from found
    if not found and kind.needs <= kwargs.keys():
        yield from combined_mistakes(contract, str(type_), kwargs, severity)


def _severity(type_: str, kind: Expectation, hop: Hop, severity: Severity) -> Iterator[Mistake]:
    if severity == "quarantine" and (not kind.row_rule or hop == "features"):
        why, fix = "a feature table has no quarantine", "use warn or block"
        if not kind.row_rule:
            why = f"{type_} judges the table, so no row can be quarantined"
            fix = "use warn, trigger, hold or block"
        yield Mistake(f"severity quarantine: {why}", None, fix)
    if severity in TABLE_SEVERITIES and kind.row_rule:
        what = f"severity {severity}: {type_} judges rows, and only a table rule can {severity}"
        fix = "use warn or block" if hop == "features" else "use warn, quarantine or block"
        yield Mistake(what, None, fix)
    elif severity in TABLE_SEVERITIES and hop == "raw":
        fix = "use warn or block, or ask it at hop processed"
        yield Mistake(f"severity {severity} means nothing at hop raw", None, fix)
