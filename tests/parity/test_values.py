"""P5: each text becomes the same value on both engines, typed while it is parsed or by the engine;
and a value that readers can hold.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.engine.engine import Engine
from tests.support.parsing.read_values import read, shown
from tests.support.parsing.texts_of_values import KINDS


def check(engine: Engine, folder: Path) -> None:
    kinds = [(kind, pattern, list(texts)) for kind, pattern, texts in KINDS]
    for parsed in (True, False):
        for (kind, pattern, texts), found in zip(
            KINDS, read(engine, folder, kinds, parsed=parsed), strict=True
        ):
            told = [(text, shown(value)) for text, value in zip(texts, found, strict=True)]
            assert told == [(text, shown(value)) for text, value in texts.items()], (kind, pattern, parsed)


def test_each_text_is_its_value_or_none_on_sail(sail_engine: Engine, tmp_path: Path) -> None:
    check(sail_engine, tmp_path)


@pytest.mark.spark
def test_each_text_is_its_value_or_none_on_spark(spark_engine: Engine, tmp_path: Path) -> None:
    check(spark_engine, tmp_path)


def finite(text: str) -> float | None:
    """What a number in digits is, where a double has it, by another road than the code's:
    as a fraction of whole numbers.
    """
    mantissa, _, exponent = text.lower().partition("e")
    value = float(text)
    return (
        None
        if math.isinf(value)
        or (value == 0 and re.search("[1-9]", mantissa))
        or len(exponent.lstrip("+-")) > 3
        else value
    )


def numbers_of(engine: Engine, folder: Path) -> None:
    drawn: list[str] = []

    @settings(max_examples=300)
    @given(
        st.from_regex(
            r"[+-]?([0-9]{1,25}([.][0-9]{0,25})?|[.][0-9]{1,25})([eE][+-]?(3[0-4][0-9]|[0-9]{1,4}))?",
            fullmatch=True,
        )
    )
    def draw(text: str) -> None:
        drawn.append(text)

    draw()
    for parsed in (True, False):
        (found,) = read(engine, folder, [("double", None, drawn)], parsed=parsed)
        assert [(text, repr(value)) for text, value in zip(drawn, found, strict=True)] == [
            (text, repr(finite(text))) for text in drawn
        ]


def test_number_is_what_its_digits_say_on_sail(sail_engine: Engine, tmp_path: Path) -> None:
    numbers_of(sail_engine, tmp_path)


@pytest.mark.spark
def test_number_is_what_its_digits_say_on_spark(spark_engine: Engine, tmp_path: Path) -> None:
    numbers_of(spark_engine, tmp_path)
