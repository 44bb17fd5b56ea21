"""What a contract says to Lakegate under the standard's customProperties: known names, and their values."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

from catalog.column_names import suggest_column
from catalog.contract import Column, Contract, Kind, WriteMode
from catalog.documents.document import Document, Steps, suggest
from lakegate.errors import ContractError

VENDOR: Final = "lakegate"
TOP: Final = (
    "kind",
    "writeMode",
    "orderBy",
    "upsert",
    "file",
    "maxQuarantined",
    "maxShrink",
    "drift",
    "duplicateKeys",
    "unexpectedColumns",
    "sameName",
    "source",
    "sql",
    "driver",
    "inputs",
    "accessPatterns",
    "retention",
)
_RELATIONSHIP: Final = ("severity",)
_QUALITY: Final = ("hop", "family")
BUDGET: Final = "write a share from 0 to 1, such as 0.1, or {rows: 100}, or both: {share: 0.1, rows: 100}"


@dataclass(frozen=True)
class Custom:
    """The custom properties of one place in a document: value and place of each."""

    document: Document
    steps: Steps
    found: dict[str, tuple[Any, Steps]]

    def error(self, name: str, what: str, *inside: str, fix: str) -> ContractError:
        """A mistake at a property, or at a key in its value; of a missing one, at the custom properties."""
        at = self.found[name][1] if name in self.found else (*self.steps, "customProperties")
        return self.document.error(what, *at, *inside, fix=fix)

    def column(self, name: str, contract: Contract, column: Any, *inside: str) -> Column:
        """A column that a property names.

        Raises:
            ContractError: The contract has no such column.
        """
        for known in contract.columns:
            if known.name == column:
                return known
        fix = suggest_column(column, contract.columns)
        raise self.error(name, f"{contract.name} has no column {column!r}", *inside, fix=fix)

    def get(self, name: str) -> Any:
        """A property's value, None where it isn't there."""
        return self.found[name][0] if name in self.found else None

    def word(self, name: str, words: Collection[str], *, default: str | None = None) -> str:
        """A property that takes one of a few words.

        Raises:
            ContractError: It takes another, or is missing and has no default.
        """
        value = self.get(name)
        if value is None and default is not None:
            return default
        if value is None:
            example = f"- {{property: {name}, value: {next(iter(words))}}}"
            fix = f"write under customProperties: {example}; the value is one of: {', '.join(words)}"
            raise self.error(name, f"the custom property {name!r} is missing", fix=fix)
        if value not in words:
            raise self.error(name, f"{name} can't be {value!r}", fix=suggest(value, words))
        return str(value)

    def text(self, name: str) -> str | None:
        """A property that takes text; None where it isn't there."""
        value = self.get(name)
        if value is not None and not (isinstance(value, str) and value):
            raise self.error(name, f"{name} is {value!r}", fix="write text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A property that takes a list of texts; empty where it isn't there."""
        value = self.get(name)
        if value is not None and not are_texts(value):
            raise self.error(name, f"{name} is {value!r}"[:200], fix="write a list of texts, such as [a, b]")
        return tuple(value or ())

    def budget(self, name: str) -> tuple[float | None, int | None]:
        """A property that bounds rows by a share, a number (`{rows: 100}`), or both; None: no bound."""
        if name not in self.found:
            return None, None
        value = self.get(name)
        return budget_of(value, self.error(name, f"{name} is {value!r}"[:200], fix=BUDGET))

    def mapping(self, name: str, keys: Collection[str], *, or_else: str = "") -> dict[str, Any]:
        """A property that takes a mapping with known keys; empty where it isn't there.

        Args:
            name: The property's.
            keys: Those that the mapping may have.
            or_else: What else it takes, for the message.
        """
        value = self.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            fix = f"write {or_else}a mapping with any of: {', '.join(keys)}"
            raise self.error(name, f"{name} is {value!r}"[:200], fix=fix)
        for key in value.keys() - set(keys):
            raise self.error(name, f"unknown key {key!r} in {name}", key, fix=suggest(key, keys))
        return value


def read_custom(document: Document, *steps: str | int) -> Custom:
    """The custom properties that Lakegate reads at one place, without other vendors'.

    A misspelt one is read as what it means, so that it isn't reported as missing; `custom_mistakes` reports
    it.
    """
    found, misspelt = dict[str, tuple[Any, Steps]](), dict[str, tuple[Any, Steps]]()
    known = _known(steps)
    for i, entry in enumerate(_part(document, steps).get("customProperties", ())):
        name, value = entry["property"], (entry["value"], (*steps, "customProperties", i, "value"))
        if not _ours(entry.get("vendor", VENDOR)):
            continue
        if name in known:
            found.setdefault(name, value)
        else:
            for meant in difflib.get_close_matches(name, known, n=1):
                misspelt.setdefault(meant, value)
    return Custom(document, steps, misspelt | found)


def _part(document: Document, steps: Steps) -> Any:
    part = document.data
    for step in steps:
        part = part[step]
    return part


def _ours(vendor: str) -> bool:
    return difflib.SequenceMatcher(None, vendor.lower(), VENDOR).ratio() > 0.8  # noqa: PLR2004 - two letters off


def custom_mistakes(document: Document) -> Iterator[ContractError]:
    """What is wrong with the custom properties in a document; other vendors' are not checked."""
    for steps in _places(document.data, ()):
        yield from _unread(document, _part(document, steps)["customProperties"], steps)


def _unread(document: Document, entries: list[dict[str, Any]], steps: Steps) -> Iterator[ContractError]:
    seen, known = set[str](), _known(steps)
    for i, entry in enumerate(entries):
        name, vendor, at = entry["property"], entry.get("vendor", VENDOR), (*steps, "customProperties", i)
        if vendor != VENDOR:
            if _ours(vendor):
                fix = f"did you mean {VENDOR!r}?"
                yield document.error(f"unknown vendor {vendor!r}", *at, "vendor", fix=fix)
        elif name not in known:
            hint = suggest(name, known) if known else "Lakegate reads none here"
            fix = f"{hint}; where it is meant for another tool, add its vendor"
            yield document.error(f"unknown custom property {name!r}", *at, "property", fix=fix)
        elif name in seen:
            what = f"the custom property {name!r} comes twice"
            yield document.error(what, *at, "property", fix="keep one of them")
        seen.add(name)


def kind_of(custom: Custom) -> Kind:
    """Dataset or feature; a dataset where nothing is said."""
    return "feature" if custom.word("kind", get_args(Kind), default="dataset") == "feature" else "dataset"


def write_mode_of(custom: Custom, kind: Kind) -> WriteMode:
    """How a drop changes the table; a feature table is always replaced.

    Raises:
        ContractError: Missing for a dataset, or not to be had.
    """
    if kind == "feature":
        custom.word("writeMode", ("replace",), default="replace")
        return "replace"
    return cast("WriteMode", custom.word("writeMode", get_args(WriteMode)))


def _known(steps: Steps) -> tuple[str, ...]:
    if not steps:
        return TOP
    words = [step for step in steps if isinstance(step, str)]
    if words[0] != "schema":
        return ()
    return {"relationships": _RELATIONSHIP, "quality": _QUALITY}.get(words[-1], ())


def _places(data: Any, steps: Steps) -> Iterator[Steps]:
    if isinstance(data, dict):
        if "customProperties" in data:
            yield steps
        for key, value in data.items():
            if key not in ("customProperties", "implementation"):
                yield from _places(value, (*steps, key))
    elif isinstance(data, list):
        for i, value in enumerate(data):
            yield from _places(value, (*steps, i))


def are_texts(value: Any) -> bool:
    """Whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def budget_of(value: Any, mistake: ContractError) -> tuple[float | None, int | None]:
    """How many rows may be lost: a share and a number, each None where it is not given.

    Raises:
        ContractError: The mistake, where the value is no budget.
    """
    given = value if isinstance(value, dict) and value else {"share": value}
    share, rows = given.get("share"), given.get("rows")
    if given.keys() - {"share", "rows"} or (share is None and rows is None):
        raise mistake
    if share is not None and not (type(share) in (int, float) and 0 <= share <= 1):
        raise mistake
    if rows is not None and (type(rows) is not int or rows < 0):
        raise mistake
    return (None if share is None else float(share)), rows
