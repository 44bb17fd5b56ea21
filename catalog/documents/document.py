"""YAML and JSON documents that know the line of each of their parts, for messages with file and line."""

from __future__ import annotations

import difflib
import json
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from catalog.documents.meanings import meant
from catalog.documents.yaml_reader import DEPTH, Steps, read_yaml
from lakegate.errors import ContractError

__all__ = ["Document", "Steps", "parse_yaml", "read_json", "read_text", "suggest"]

_HALVES: Final = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
MAX_BYTES: Final = 1024 * 1024
"""Far above any contract; a data file saved under a contract's name must not stop the others."""
_BRACKETS: Final = re.compile(r"[\[\]{}]|^[ ]*(?:[-?] +){20}", re.MULTILINE)
"""A bracket, or a line that opens twenty sequences at once."""


@dataclass(frozen=True)
class Document:
    """A document as plain dicts, lists and scalars (dates stay text), never changed.

    `lines` has the line of each part, from 1.
    """

    path: Path
    data: Any
    lines: dict[Steps, int] = field(repr=False)

    def line(self, *steps: str | int) -> int:
        """The line of a part; of the nearest part around it where it is missing."""
        while steps and steps not in self.lines:
            steps = steps[:-1]
        return self.lines.get(steps, 1)

    def error(self, what: str, *steps: str | int, fix: str) -> ContractError:
        """A mistake at a part of this document."""
        return ContractError(what, where=f"{self.path}:{self.line(*steps)}", fix=fix)


def suggest(word: object, known: Iterable[str]) -> str:
    """What to write instead of an unknown word: a known one that means the same or is like it, or all."""
    options = sorted(set(known))
    if (same := meant(word, frozenset(options))) is not None:
        return f"did you mean {same!r}?"
    by_lower = {option.lower(): option for option in reversed(options)}
    if close := difflib.get_close_matches(str(word).lower(), by_lower, n=1):
        return f"did you mean {by_lower[close[0]]!r}?"
    return f"use one of: {', '.join(options)}" if options else "remove it"


def read_text(path: Path) -> str:
    """The text of a small UTF-8 file.

    Raises:
        ContractError: It can't be read, is too large, or isn't UTF-8.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            size = (status := os.fstat(file.fileno())).st_size
            if not stat.S_ISREG(status.st_mode):  # a device, or a pipe that nobody writes to, never ends
                raise ContractError("it is no regular file", where=str(path), fix="put a file there")
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        what = f"the file can't be read ({error.strerror})"
        raise ContractError(what, where=str(path), fix="put the file there and make it readable") from error
    if len(raw) > MAX_BYTES:
        what = f"the file has {max(size, len(raw))} bytes, more than {MAX_BYTES}"
        fix = "data belongs into a drop; keep contracts and suites small"
        raise ContractError(what, where=str(path), fix=fix)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ContractError(
            "the file is not UTF-8", where=f"{path}:{line}", fix="save it as UTF-8"
        ) from error


def parse_yaml(path: Path, text: str) -> Document:
    """The YAML document that a file holds.

    Raises:
        ContractError: It has a syntax error or the same key twice.
    """
    _check_depth(path, text)
    try:
        data, lines = read_yaml(path, text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        what = f"not valid YAML: {error.problem or error.context}"
        fix = "correct the YAML there; indentation, quotes and colons are the usual cause"
        raise ContractError(what, where=where, fix=fix) from error
    except (yaml.YAMLError, ValueError) as error:
        what = f"not valid YAML ({type(error).__name__})"
        fix = "correct the YAML; one document, plain values, not nested without end"
        raise ContractError(what, where=str(path), fix=fix) from error
    return Document(path, data, lines)


def _check_depth(path: Path, text: str) -> None:
    """Refuse a text that nests too deeply for a parser, which takes time with the square of the depth.

    Brackets in texts and comments count too; those that open are closed as a rule.
    """
    depth = 0
    for found in _BRACKETS.finditer(text):
        if found[0] in "[{":
            depth += 1
        elif found[0] in "]}":
            depth = max(0, depth - 1)
        else:
            depth = DEPTH + 1
        if depth > DEPTH:
            line = text.count("\n", 0, found.end()) + 1
            fix = f"write it flatter: {DEPTH} brackets at most"
            raise ContractError("it is nested too deeply to be read", where=f"{path}:{line}", fix=fix)


def read_json(path: Path) -> Document:
    """Read a JSON document.

    Raises:
        ContractError: It can't be read or has a syntax error.
    """
    text = read_text(path)
    _check_depth(path, text)
    try:
        data = json.loads(text)
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        what = f"not valid JSON: {error.msg}" if isinstance(error, json.JSONDecodeError) else "not valid JSON"
        raise ContractError(what, where=f"{path}:{line}", fix="correct the JSON at that line") from error
    # Lines come from the YAML reader, as JSON is YAML but for two things: tabs between tokens,
    # and characters that are written as two halves (here only the line counts, not what a text says).
    return Document(path, data, parse_yaml(path, _HALVES.sub(r"\\ufffd", text.replace("\t", " "))).lines)
