"""What is taken for JSON: what the standard's grammar says, each member named once, not too deep."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.parsing.json_checks import MAX_DEPTH, read_json
from tests.support.parsing.json_texts import PIECES, damaged, written

STRING = r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
WORD = r"null|true|false|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
TOKEN = re.compile(rf"[ \t\n\r]*(?:(?P<s>{STRING})|(?P<v>{WORD})|(?P<sign>[][{{}}:,]))[ \t\n\r]*")
HELD = re.compile(r"\[(?:[sv](?:,[sv])*)?\]|\{(?:s:[sv](?:,s:[sv])*)?\}")
"""An array or object that holds no other."""


def grammatical(text: str) -> bool:
    """Whether RFC 8259 calls it JSON, by another road than a parser's: what holds nothing else is a value,
    again and again.
    """
    place, signs = 0, ""
    while place < len(text):
        if (found := TOKEN.match(text, place)) is None:
            return False
        place, signs = found.end(), signs + (found["sign"] or str(found.lastgroup))
    while (fewer := HELD.sub("v", signs)) != signs:
        signs = fewer
    return signs in ("s", "v")


def names_twice(text: str) -> bool:
    """Whether an object of a JSON text names a member twice."""
    sizes = list[tuple[int, int]]()

    def members(pairs: list[tuple[str, Any]]) -> None:
        sizes.append((len(pairs), len({name for name, _ in pairs})))

    json.loads(text, object_pairs_hook=members, parse_int=str)
    return any(given != different for given, different in sizes)


def taken(text: str) -> bool:
    try:
        read_json(text)
    except ValueError:
        return False
    return True


pieces = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)


@settings(max_examples=2000)
@given(written | damaged() | pieces)
def test_text_is_json_where_the_standard_says_so(text: str) -> None:
    assert taken(text) == (grammatical(text) and not names_twice(text))


def test_object_names_each_member_once_however_it_is_written() -> None:
    twice = ['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '[{"b":{"a":1,"c":[],"a":2}}]', '{"":1,"":2}']
    once = ['{"a":1,"A":1}', '{"a":{"a":1},"b":{"a":1}}', '[{"a":1},{"a":1}]', '{"a\\\\":1,"a":2}']
    assert [taken(text) for text in (*twice, *once)] == [False] * 4 + [True] * 4


@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_text_may_be_nested_so_deep_and_no_deeper(pair: str) -> None:
    member = '{"a":' if pair == "{}" else "["
    deep = [
        member * (depth - 1) + pair + pair[1] * (depth - 1)
        for depth in (MAX_DEPTH, MAX_DEPTH + 1, 5000, 500_000)
    ]
    assert [taken(text) for text in (*deep, "1", "[" + ",".join(["[]"] * 100) + "]")] == [
        True,
        False,
        False,
        False,
        True,
        True,
    ]
