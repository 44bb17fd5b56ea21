"""The relationships of a contract: foreign keys of one or more columns, from words to values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, cast

from catalog.contract import Column, Relationship, Severity
from catalog.documents.document import Document, Steps, suggest
from catalog.mistakes import Mistakes
from catalog.odcs.custom_properties import read_custom
from catalog.odcs.schema import OBJECT

_REFERENCE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)\.([A-Za-z_][A-Za-z0-9_-]*)")


def relationships(
    document: Document,
    name: str,
    known: tuple[Column, ...],
    severities: Sequence[Severity],
    mistakes: Mistakes,
) -> list[tuple[Relationship, Steps]]:
    """The foreign keys, each with its place in the document; `severities` are those that one may have.

    One that names a column that isn't there, or has no severity, is noted as a mistake and left out.
    """
    table = document.data["schema"][0]
    found: list[tuple[Relationship, Steps]] = []
    for i, item in enumerate(table["properties"]):
        for j, given in enumerate(item.get("relationships", ())):
            at = (*OBJECT, "properties", i, "relationships", j)
            with mistakes.noting():
                found.append((_relationship(document, given, at, (known[i].name,), severities), at))
    for j, given in enumerate(table.get("relationships", ())):
        at = (*OBJECT, "relationships", j)
        with mistakes.noting():
            own = _own(document, name, known, given, at)
            found.append((_relationship(document, given, at, own, severities), at))
    for i, (item, at) in enumerate(found):
        if any((item.columns, item.to) == (other.columns, other.to) for other, _ in found[:i]):
            what = f"{', '.join(item.columns)} points at {item.to} twice"
            mistakes.add(document.error(what, *at, "to", fix="keep one of the relationships"))
    return found


def _own(
    document: Document, name: str, known: tuple[Column, ...], given: dict[str, Any], at: Steps
) -> tuple[str, ...]:
    pairs = [_split(document, text, (*at, "from")) for text in _listed(given["from"])]
    names = [column.name for column in known]
    for owner, column in pairs:
        if owner != name or column not in names:
            fix = suggest(f"{name}.{column}", [f"{name}.{item}" for item in names])
            raise document.error(f"{owner}.{column} is no column of {name}", *at, "from", fix=fix)
    return tuple(column for _, column in pairs)


def _relationship(
    document: Document, given: dict[str, Any], at: Steps, own: tuple[str, ...], severities: Sequence[Severity]
) -> Relationship:
    pairs = [_split(document, text, (*at, "to")) for text in _listed(given["to"])]
    tables = sorted({table for table, _ in pairs})
    if len(tables) != 1 or len(pairs) != len(own):
        what = f"{len(own)} columns point at {len(pairs)} of {', '.join(tables)}"
        raise document.error(what, *at, "to", fix="name as many columns of one dataset")
    severity = cast("Severity", read_custom(document, *at).word("severity", severities))
    return Relationship(own, pairs[0][0], tuple(column for _, column in pairs), severity)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _split(document: Document, text: str, at: Steps) -> tuple[str, str]:
    if (match := _REFERENCE.fullmatch(text)) is None:
        raise document.error(f"{text!r} is no reference", *at, fix="write dataset.column")
    return match[1], match[2]
