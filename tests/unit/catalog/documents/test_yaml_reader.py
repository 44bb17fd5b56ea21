"""YAML is read by libyaml's events: values, lines and resolution are those of a pure YAML 1.2 parser,
and no text ends the process.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, SequenceNode

from catalog.documents.document import parse_yaml
from catalog.documents.yaml_reader import DEPTH, read_yaml
from lakegate.errors import ContractError
from tests.support.places import ROOT

CONTRACTS = ROOT / "catalog" / "contracts"
HERE = Path("x.odcs.yaml")

# What begins with ? or : in brackets is text in YAML 1.2 and none in libyaml: told, by a test below,
# and not guessed.
words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"]), max_size=12
) | st.sampled_from(
    [
        "no",
        "yes",
        "on",
        "1:30",
        "010",
        "0o17",
        "1_000",
        "1e3",
        "~",
        "null",
        "true",
        "2020-01-01",
        "=",
        "<<",
        "a: b",
        "- x",
        "#",
        "0x1F",
        "",
    ]
)
words = words.filter(lambda text: not text.startswith(("?", ":")))
scalars = words | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none()
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)


def lines_of(node: Any, steps: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], int]:
    """The lines that ruamel's nodes tell."""
    found = {steps: node.start_mark.line + 1}
    if isinstance(node, SequenceNode):
        for i, item in enumerate(node.value):
            found |= lines_of(item, (*steps, i))
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            found |= lines_of(value, (*steps, str(key.value)))
            found[*steps, str(key.value)] = key.start_mark.line + 1
    return found


@pytest.mark.parametrize("path", sorted(CONTRACTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_values_and_lines_of_contracts_are_those_of_a_pure_parser(path: Path) -> None:
    text = path.read_text()
    data, lines = read_yaml(path, text)
    assert lines == lines_of(YAML(typ="safe", pure=True).compose(text))
    assert set(data) == set(YAML(typ="safe", pure=True).load(text))


@given(documents)
def test_yaml_is_read_back_with_its_lines(data: Any) -> None:
    from io import StringIO

    out = StringIO()
    YAML(typ="safe", pure=True).dump(data, out)
    found, lines = read_yaml(HERE, out.getvalue())
    assert found == data
    assert lines == lines_of(YAML(typ="safe", pure=True).compose(out.getvalue()))


def test_plain_scalars_are_those_of_yaml_1_2() -> None:
    text = (
        "a: no\nb: 1:30\nc: 010\nd: 1_000\ne: 2020-01-01\nf: 0x1F\n"
        "g: 1e3\nh: ~\ni:\nj: '1'\nk: !!str 1\nl: 0o17\nm: On\n"
    )
    found, _ = read_yaml(HERE, text)
    assert found == {
        "a": "no", "b": "1:30", "c": 10, "d": 1000, "e": "2020-01-01", "f": 31, "g": 1000.0, "h": None,
        "i": None, "j": "1", "k": "1",
        "l": 15, "m": "On",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, "- " * 200_000, "{a: " * 100_000, "? " * 100_000],
    ids=["flow", "block", "mapping", "key"],
)
def test_nesting_without_end_is_a_mistake_of_the_contract(text: str) -> None:
    with pytest.raises(ContractError):
        parse_yaml(HERE, text)


def test_nesting_as_deep_as_a_contract_may_is_read() -> None:
    found, _ = read_yaml(HERE, "[" * DEPTH + "]" * DEPTH)
    for _ in range(DEPTH - 1):
        (found,) = found
    assert found == []


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("a: 1\nb: &x 2\n", 2, "anchors"),
        ("a: 1\nb: 2\na: 3\n", 3, "twice"),
        ("a: 1\nb: .inf\n", 2, "no number"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("a: 1\nb: [1,\n", 3, "YAML"),
        ("a: 1\n? [b]\n: 2\n", 2, "a key"),
        ("a: 1\n\tb: 2\n", 2, "YAML"),
        ("a: 1\nb: [x, ?y]\n", 2, "begins with ?"),
        ("a: 1\nb: [:y]\n", 2, "YAML"),
        ("a: 1\nb: {?y: 1}\n", 2, "begins with ?"),
    ],
)
def test_mistakes_are_told_with_their_line(text: str, line: int, told: str) -> None:
    with pytest.raises(ContractError, match=told) as caught:
        parse_yaml(HERE, text)
    assert caught.value.where == f"{HERE}:{line}"
