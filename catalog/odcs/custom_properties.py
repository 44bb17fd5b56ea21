"""What a contract says to Lakegate under the standard's customProperties: which words there are, and their values."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

from catalog.contract import FileFormat, FileKind, Kind, WriteMode
from catalog.documents.document import Document, Steps, suggest
from catalog.odcs.budget import BUDGET, budget_of
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
_FILE: Final = (
    "format",
    "delimiter",
    "nullValues",
    "maxLines",
    "maxBytes",
    "maxColumns",
    "maxUnreadable",
    "finalLineEnd",
)
_SOURCE: Final = ("name", "query", "licence")


@dataclass(frozen=True)
class Custom:
    """The custom properties of one place in a document: value and place of each."""

    document: Document
    steps: Steps
    found: dict[str, tuple[Any, Steps]]

    def error(self, name: str, what: str, *, fix: str) -> ContractError:
        """A mistake at a property, or at the place where it should stand."""
        return self.document.error(
            what, *(self.found[name][1] if name in self.found else (*self.steps, "customProperties")), fix=fix
        )

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
            fix = f"write under customProperties: - {{property: {name}, value: {next(iter(words))}}}; the value is one of: {', '.join(words)}"
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
        if value is not None and not _texts(value):
            raise self.error(name, f"{name} is {value!r}"[:200], fix="write a list of texts, such as [a, b]")
        return tuple(value or ())

    def budget(self, name: str) -> tuple[float | None, int | None]:
        """A property that bounds rows by a share, `0.1`, or by `{share: 0.1, rows: 100}`; None for what it doesn't bound."""
        if name not in self.found:
            return None, None
        return budget_of(
            self.get(name), lambda: self.error(name, f"{name} is {self.get(name)!r}"[:200], fix=BUDGET)
        )

    def mapping(self, name: str, keys: Collection[str], *, or_else: str = "") -> dict[str, Any]:
        """A property that takes a mapping with known keys; empty where it isn't there. `or_else` says what else it takes."""
        value = self.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.error(
                name,
                f"{name} is {value!r}"[:200],
                fix=f"write {or_else}a mapping with any of: {', '.join(keys)}",
            )
        for key in value.keys() - set(keys):
            what = f"unknown key {key!r} in {name}"
            raise self.document.error(what, *self.found[name][1], key, fix=suggest(key, keys))
        return value


def read_custom(document: Document, *steps: str | int) -> Custom:
    """The custom properties that Lakegate reads at one place, those of another vendor left alone; `custom_mistakes` tells of wrong ones."""
    part = document.data
    for step in steps:
        part = part[step]
    found: dict[str, tuple[Any, Steps]] = {}
    known = _known(steps)
    entries = [
        (i, entry)
        for i, entry in enumerate(part.get("customProperties", ()))
        if _ours(entry.get("vendor", VENDOR))
    ]
    for i, entry in sorted(entries, key=lambda item: item[1]["property"] not in known):
        # A misspelt one is a mistake, and read as what it was meant to be, so that nothing is told to be missing.
        if (
            named := [entry["property"]]
            if entry["property"] in known
            else difflib.get_close_matches(entry["property"], known, n=1)
        ):
            found.setdefault(named[0], (entry["value"], (*steps, "customProperties", i, "value")))
    return Custom(document, steps, found)


def _ours(vendor: str) -> bool:
    return difflib.SequenceMatcher(None, vendor.lower(), VENDOR).ratio() > 0.8  # noqa: PLR2004 - two letters off


def custom_mistakes(document: Document) -> Iterator[ContractError]:
    """What is wrong with the custom properties of a document, wherever they stand; those of another vendor are left alone."""
    for steps in _places(document.data, ()):
        part = document.data
        for step in steps:
            part = part[step]
        yield from _unread(document, part["customProperties"], steps)


def _unread(document: Document, entries: list[dict[str, Any]], steps: Steps) -> Iterator[ContractError]:
    seen, known = set[str](), _known(steps)
    for i, entry in enumerate(entries):
        name, vendor, at = entry["property"], entry.get("vendor", VENDOR), (*steps, "customProperties", i)
        if vendor != VENDOR:
            if _ours(vendor):
                yield document.error(
                    f"unknown vendor {vendor!r}", *at, "vendor", fix=f"did you mean {VENDOR!r}?"
                )
        elif name not in known:
            hint = suggest(name, known) if known else "Lakegate reads none here"
            fix = f"{hint}; where it is meant for another tool, add its vendor"
            yield document.error(f"unknown custom property {name!r}", *at, "property", fix=fix)
        elif name in seen:
            yield document.error(
                f"the custom property {name!r} stands twice", *at, "property", fix="keep one of them"
            )
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


def file_format(custom: Custom) -> FileFormat:
    """How a delivered file is to be read. An empty field is always null, `nullValues` come on top.

    Raises:
        ContractError: An option is unknown or has a value that it can't have.
    """
    given = custom.mapping("file", _FILE)
    default = FileFormat()

    def bad(key: str, fix: str) -> ContractError:
        return custom.document.error(f"{key} is {given[key]!r}", *custom.found["file"][1], key, fix=fix)

    kind, kinds = given.get("format", default.kind), get_args(FileKind)
    if kind not in kinds:
        raise bad("format", suggest(kind, kinds))
    delimiter = given.get("delimiter", default.delimiter)
    if (
        not isinstance(delimiter, str)
        or len(delimiter) != 1
        or not delimiter.isascii()
        or delimiter in '"\r\n'
        or delimiter.isalnum()
    ):
        raise bad("delimiter", 'write one ASCII character in quotes, such as "," or ";" or "\\t"')
    if not _texts(nulls := given.get("nullValues", [])):
        raise bad("nullValues", "write a list of texts, such as [NA]; quote numbers")
    if given.get("finalLineEnd", "required") != "required":
        raise bad("finalLineEnd", "write required, or leave it out")
    share, rows = budget_of(
        given.get("maxUnreadable", default.max_unreadable), lambda: bad("maxUnreadable", BUDGET)
    )
    for key in ("maxLines", "maxBytes", "maxColumns"):
        if key in given and (type(given[key]) is not int or given[key] < 1):
            raise bad(key, "write a whole number, 1 or more")
    return FileFormat(
        kind=kind,
        delimiter=delimiter,
        null_values=tuple(dict.fromkeys(("", *nulls))),
        max_lines=given.get("maxLines", default.max_lines),
        max_bytes=given.get("maxBytes", default.max_bytes),
        max_columns=given.get("maxColumns", default.max_columns),
        max_unreadable=share,
        max_unreadable_rows=rows,
        final_line_end="finalLineEnd" in given,
    )


def source_of(custom: Custom) -> dict[str, Any]:
    """Where the data comes from.

    Raises:
        ContractError: A key is unknown or its value no text.
    """
    given = custom.mapping("source", _SOURCE)
    for key, value in given.items():
        if not isinstance(value, str):
            raise custom.document.error(
                f"{key} is {value!r}"[:200], *custom.found["source"][1], key, fix="write text"
            )
    return dict(given)


def _known(steps: Steps) -> tuple[str, ...]:
    if not steps:
        return TOP
    words = [step for step in steps if isinstance(step, str)]
    return (
        {"relationships": _RELATIONSHIP, "quality": _QUALITY}.get(words[-1], ())
        if words[0] == "schema"
        else ()
    )


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


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
