"""YAML as plain values that know their lines, from libyaml's events: ten times as fast as pure Python.

libyaml builds its own trees by recursion in C, which some thousand brackets end with a segmentation fault;
events nest nothing, so the depth is bounded here. It resolves plain scalars by YAML 1.1 (`no` is false,
`1:30` is 90); here YAML 1.2 is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.events import AliasEvent, DocumentStartEvent, Event, ScalarEvent, SequenceStartEvent

from lakegate.errors import ContractError

Steps = tuple[str | int, ...]
"""The way to a part of a document: keys and list positions from the root."""

DEPTH: Final = 100
"""Most levels, or brackets within each other; far above any contract, where a nested field takes two."""
_TAG: Final = "tag:yaml.org,2002:"
_PLAIN: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("null", re.compile(r"~|null|Null|NULL|")),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("int", re.compile(r"[-+]?(0b[01_]+|0o?[0-7_]+|[0-9][0-9_]*|0x[0-9a-fA-F_]+)")),
    (
        "float",
        re.compile(
            r"[-+]?([0-9][0-9_]*\.[0-9_]*([eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+|\.[0-9][0-9_]*([eE][-+][0-9]+)?"
            r"|\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN"
        ),
    ),
)
"""What an unquoted scalar is, of YAML 1.2's core schema; anything else is text, dates among them."""
_BASES: Final = {"0x": 16, "0o": 8, "0b": 2}


def read_yaml(path: Path, text: str) -> tuple[Any, dict[Steps, int]]:
    """The values of a YAML document, and the line of each part, from 1.

    Raises:
        ContractError: It is more than one document, a key comes twice, a value can't be read, or it nests
            too deeply.
        YAMLError: It is no YAML.
    """
    reader = _Reader(path, text, yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    return reader.document(), reader.lines


class _Reader:
    def __init__(self, path: Path, text: str, events: Iterator[Event]) -> None:
        self.path, self.text, self.events, self.lines = path, text, events, dict[Steps, int]()

    def document(self) -> Any:
        """The one document of the stream; None where there is none."""
        next(self.events)  # the stream's start
        if not isinstance(next(self.events), DocumentStartEvent):
            return None
        found = self.value(next(self.events), ())
        next(self.events)  # the document's end
        if isinstance(more := next(self.events), DocumentStartEvent):
            raise self.error("another document begins", _line(more), "write one document in a file")
        return found

    def value(self, event: Event, steps: Steps) -> Any:
        """The value that begins with an event."""
        line = _line(event)
        self.lines.setdefault(steps, line)
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            # An alias lets a few lines unfold to more than memory holds, and gives one part two lines.
            raise self.error("anchors and aliases are not read", line, "write the part out")
        if isinstance(event, ScalarEvent):
            return self.scalar(event, line)
        if len(steps) >= DEPTH:
            fix = "no contract or suite does: is a bracket not closed?"
            raise self.error(f"it nests deeper than {DEPTH} levels", line, fix)
        if isinstance(event, SequenceStartEvent):
            items = enumerate(self._until(yaml.SequenceEndEvent))
            return [self.value(item, (*steps, i)) for i, item in items]
        return self.mapping(steps)

    def mapping(self, steps: Steps) -> dict[str, Any]:
        """The rest of a mapping."""
        found: dict[str, Any] = {}
        for key in self._until(yaml.MappingEndEvent):
            at = _line(key)
            if not isinstance(key, ScalarEvent) or key.anchor is not None:
                fix = "write `key: value`, the key in quotes where it needs them"
                raise self.error("a key is no plain text", at, fix)
            start = key.start_mark.index if key.start_mark else 0
            if self.text[start - 1 : start] == "?":  # a key to YAML 1.1, text to 1.2
                raise self.error("a text in brackets begins with ?", at, "put it in quotes")
            if key.value in found:
                raise self.error(f"the key {key.value!r} comes twice", at, "keep one of them")
            self.lines[*steps, key.value] = at
            found[key.value] = self.value(next(self.events), (*steps, key.value))
        return found

    def scalar(self, event: ScalarEvent, line: int) -> Any:
        """A number, text, true, false or None."""
        tag, text = _tag(event), event.value
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() == "true"
        if tag in ("int", "float"):
            number = text.replace("_", "").lower()
            if (special := number.lstrip("+-")) in (".inf", ".nan"):
                what = f"{special} is no number to compare with"
                raise self.error(what, line, "write a number, or quote the text")
            return float(number) if tag == "float" else int(number, _BASES.get(special[:2], 10))
        if tag in ("str", "timestamp"):
            return text
        raise self.error(f"the YAML tag {tag!r} is not read", line, "write a plain value")

    def error(self, what: str, line: int, fix: str) -> ContractError:
        """A mistake on a line of the file."""
        return ContractError(what, where=f"{self.path}:{line}", fix=fix)

    def _until(self, end: type[Event]) -> Iterator[Event]:
        while not isinstance(event := next(self.events), end):
            yield event


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _tag(event: ScalarEvent) -> str:
    if event.tag is not None and event.tag != "!":
        return str(event.tag).removeprefix(_TAG)
    if not event.implicit[0]:
        return "str"
    return next((tag for tag, pattern in _PLAIN if pattern.fullmatch(event.value)), "str")
