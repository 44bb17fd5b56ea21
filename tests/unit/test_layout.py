"""A stranger finds their way in this house: short modules, small folders, charters, plain words."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from pathlib import Path

import pytest

from tests.support.places import ROOT

SOURCE = ("assets", "catalog", "cli", "expectations", "lake", "lakegate", "sensors")
PLACES = (*SOURCE, "benchmarks", "tools", "tests")
MOST_LINES = 250
MOST_FILES = 16

GIVEN_UP = re.compile(
    r"(?:^|_)(standing|stands?|told|settled?|asked|carried|answers?|aside)(?=_|$)", re.IGNORECASE
)
"""Words that meant several things each; docs/glossary.md has those that took their places."""


def modules(*places: str) -> list[Path]:
    """All modules under these top-level folders."""
    return sorted(path for place in places for path in (ROOT / place).rglob("*.py"))


def words_given_up(source: str) -> list[str]:
    """The names in a module that hold one of these words."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    names = (token.string for token in tokens if token.type == tokenize.NAME)
    return [name for name in names if GIVEN_UP.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))]


@pytest.mark.parametrize("place", PLACES)
def test_modules_are_short(place: str) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in modules(place)
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert not long


@pytest.mark.parametrize("place", PLACES)
def test_folders_are_small(place: str) -> None:
    files = Counter(path.parent.relative_to(ROOT) for path in modules(place) if path.name != "__init__.py")
    assert {str(folder): count for folder, count in files.items() if count > MOST_FILES} == {}


@pytest.mark.parametrize("place", SOURCE)
def test_packages_open_with_a_charter(place: str) -> None:
    bare = [
        path
        for path in modules(place)
        if path.name == "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not bare


@pytest.mark.parametrize("place", SOURCE)
def test_names_use_no_word_of_several_meanings(place: str) -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in modules(place)
        if (names := words_given_up(path.read_text()))
    }
    assert not found


def test_given_up_words_are_found_in_names_of_any_spelling() -> None:
    assert words_given_up("told = 1\nrows_aside = TheAnswer = keep = understand = 2\n") == [
        "told",
        "rows_aside",
        "TheAnswer",
    ]
