"""A column's two names: its own, used everywhere, and the text of its header in a delivered file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from catalog.contract import Column
from catalog.documents.document import Document, Steps, suggest
from catalog.documents.visible_names import identifier, visible

_COLUMN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_YAML_WORDS: Final = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")


def header_line(header: str) -> str:
    """The YAML that maps a header to a column."""
    plain = _COLUMN_NAME.fullmatch(header) and header.lower() not in _YAML_WORDS
    return f"physicalName: {header if plain else json.dumps(header, ensure_ascii=not header.isprintable())}"


def read_name(document: Document, item: dict[str, Any], at: Steps) -> tuple[str, str | None]:
    """A column's name, and the header that brings it where that is another text.

    Raises:
        ContractError: The name is no identifier; the fix is what to write for such a header.
    """
    name, header = str(item["name"]), item.get("physicalName")
    if not _COLUMN_NAME.fullmatch(name):
        place = at[-1] + 1 if isinstance(at[-1], int) else 1
        lines = f"name: {identifier(name, place=place)} and {header_line(name if header is None else header)}"
        allowed = "a letter, then letters, digits and _ (names that begin with _ are Lakegate's)"
        fix = f"a column's name is {allowed}; write {lines}: the file's header stays as it is"
        raise document.error(f"{visible(name)} can't name a column", *at, "name", fix=fix)
    return name, None if header in (None, name) else str(header)


def suggest_column(word: object, columns: Iterable[Column]) -> str:
    """What to write instead of a name that is no column's, such as a header's."""
    known = list(columns)
    for column in known:
        if column.header == word:
            return f"write {column.name}: rules name the column, not its header"
    return suggest(word, [column.name for column in known])


def check_headers(document: Document, columns: Iterable[Column], at: Steps) -> None:
    """Check that each header of a delivered file brings one column.

    Raises:
        ContractError: Two columns want the same.
    """
    by_header: dict[str, str] = {}
    for place, column in enumerate(columns):
        if (other := by_header.setdefault(column.header, column.name)) != column.name:
            header = f"the header {visible(column.header)}"
            what = f"columns {other} and {column.name} are both delivered under {header}"
            key = "name" if column.delivered_as is None else "physicalName"
            fix = "give each the header that brings it as its physicalName, or leave one out"
            raise document.error(what, *at, place, key, fix=fix)
