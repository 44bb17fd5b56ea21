"""P5: a format of dates or times that a contract may state takes the same texts, as the same values,
on both engines.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from catalog.odcs.time_patterns import ALLOWED, pattern_mistake
from lake.engine.engine import Engine
from tests.support.parsing.read_values import read, shown
from tests.support.parsing.texts_of_values import Texts


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


DAY: Final = date(2024, 1, 5)
NOON: Final = at(2024, 1, 31, 10, 11, 12)
OFFSETS: Final = (
    "Z",
    "z",
    "+02:00",
    "+0200",
    "+02",
    "+2",
    "-05:30",
    "-0530",
    "+00:00",
    "+0000",
    "GMT+2",
    "UTC",
    "EST",
    "+19:00",
    "+02:00:30",
    "",
)


def zoned(letters: str, **taken: datetime) -> tuple[str, Texts]:
    """A format with an offset, and what it makes of each spelling of one."""
    found = dict.fromkeys(OFFSETS) | {
        text.replace("p", "+").replace("m", "-").replace("_", ":"): value for text, value in taken.items()
    }
    return f"yyyy-MM-dd HH:mm:ss {letters}", {
        f"2024-07-01 10:00:00 {text}": value for text, value in found.items()
    }


EIGHT, HALF, TEN = at(2024, 7, 1, 8), at(2024, 7, 1, 15, 30), at(2024, 7, 1, 10)
COLONS: Final = {"p02_00": EIGHT, "m05_30": HALF, "p00_00": TEN}
DIGITS: Final = {"p0200": EIGHT, "m0530": HALF, "p0000": TEN}
DATES: Final[dict[str, Texts]] = {
    "yyyy-MM-dd": {"2024-01-05": DAY}
    | dict.fromkeys(["+2024-01-05", "2024-1-5", "24-01-05", "12024-01-05", "2024-02-30", "2024-01-05x"]),
    "yyyyMMdd": {"20240105": DAY} | dict.fromkeys(["2024015", "202401050", "2024-01-05", "20240230"]),
    "dd.MM.yy": {"05.01.24": DAY, "05.01.99": date(2099, 1, 5)}
    | dict.fromkeys(["5.1.24", "05.01.2024", "05x01x24"]),
    "d/M/yyyy": {"5/1/2024": DAY, "05/01/2024": DAY}
    | dict.fromkeys(["005/1/2024", "31/4/2024", "5/13/2024"]),
    "MMM d, yyyy": dict.fromkeys(["Jan 5, 2024", "jan 5, 2024", "JAN 05, 2024"], DAY)
    | {"May 5, 2024": date(2024, 5, 5)}
    | dict.fromkeys(["January 5, 2024", "Mai 5, 2024", "Sept 5, 2024", "Jan 5 2024"]),
    "d MMMM yyyy": dict.fromkeys(["5 January 2024", "05 january 2024", "5 JANUARY 2024"], DAY)
    | {"5 May 2024": date(2024, 5, 5)}
    | dict.fromkeys(["5 Jan 2024", "5 Januar 2024"]),
    "dd-MMM-yy": {"05-JAN-24": DAY} | dict.fromkeys(["05-January-24", "5-Jan-24"]),
    "yyyy年MM月dd日": {"2024年01月05日": DAY} | dict.fromkeys(["2024年1月5日", "2024-01-05"]),
}
TIMES: Final[dict[str, Texts]] = {
    "yyyy-MM-dd HH:mm:ss": {"2024-01-31 10:11:12": NOON}
    | dict.fromkeys(
        [
            "2024-01-31 1:11:12",
            "2024-01-31 24:00:00",
            "2024-01-31 10:11:60",
            "2024-01-31 10:60:12",
            "2024-01-31 10:11",
        ]
    ),
    "yyyy-MM-dd H:m:s": {
        "2024-01-31 1:2:3": at(2024, 1, 31, 1, 2, 3),
        "2024-01-31 01:02:03": at(2024, 1, 31, 1, 2, 3),
    }
    | dict.fromkeys(["2024-01-31 24:1:1", "2024-01-31 001:1:1"]),
    "yyyy-MM-dd HH:mm": {"2024-01-31 10:11": at(2024, 1, 31, 10, 11), "2024-01-31 10:11:12": None},
    "yyyy-MM-dd HH": {"2024-01-31 10": at(2024, 1, 31, 10), "2024-01-31": None},
    "yyyyMMddHHmmss": {"20240131101112": NOON, "2024013110111": None},
    "yyyy-MM-dd'T'HH:mm:ss'Z'": {"2024-01-31T10:11:12Z": NOON, "2024-01-31T10:11:12": None},
    "yyyy-MM-dd''HH:mm": {"2024-01-31'10:11": at(2024, 1, 31, 10, 11)},
    "dd/MM/yyyy hh:mm:ss a": {
        "31/01/2024 10:11:12 AM": NOON,
        "31/01/2024 10:11:12 am": NOON,
        "31/01/2024 12:00:00 AM": at(2024, 1, 31),
        "31/01/2024 12:00:00 PM": at(2024, 1, 31, 12),
    }
    | dict.fromkeys(
        [
            "31/01/2024 00:11:12 AM",
            "31/01/2024 13:11:12 PM",
            "31/01/2024 10:11:12 a.m.",
            "31/01/2024 10:11:12",
        ]
    ),
    "M/d/yyyy h:mm a": {
        "1/5/2024 3:04 PM": at(2024, 1, 5, 15, 4),
        "01/05/2024 03:04 pm": at(2024, 1, 5, 15, 4),
        "1/5/2024 0:04 AM": None,
    },
    **{
        f"yyyy-MM-dd HH:mm:ss.{'S' * width}": {
            "2024-01-31 10:11:12.1": NOON.replace(microsecond=100_000),
            f"2024-01-31 10:11:12.{'123456'[:width]}": NOON.replace(
                microsecond=int("123456"[:width].ljust(6, "0"))
            ),
            f"2024-01-31 10:11:12.{'1234567'[: width + 1]}": None,
            "2024-01-31 10:11:12": None,
        }
        for width in range(1, 7)
    },
    "yyyy-MM-dd HH:mm:ss,SSS": {
        "2024-01-31 10:11:12,123": NOON.replace(microsecond=123_000),
        "2024-01-31 10:11:12.123": None,
    },
    **dict(
        [
            zoned("XXX", Z=TEN, **COLONS),
            zoned("XX", Z=TEN, **DIGITS),
            zoned("xxx", **COLONS),
            zoned("xx", **DIGITS),
            zoned("Z", **DIGITS),
        ]
    ),
    "yyyy-MM-dd'T'HH:mm:ss.SSSXXX": {
        "2024-07-01T10:00:00.5+02:00": EIGHT.replace(microsecond=500_000),
        "2024-07-01T10:00:00+02:00": None,
    },
}
REFUSED: Final = (
    *(
        "yyyy-MM-dd HH:mm:ss VV",
        "yyyy-MM-dd HH:mm:ss z",
        "yyyy-MM-dd HH:mm:ss O",
        "yyyy-MM-dd HH:mm:ss X",
        "yyyy-MM-dd HH:mm:ss x",
    ),
    *(
        "y-M-d",
        "yyy-MM-dd",
        "yyyyy-MM-dd",
        "MMMMM d, yyyy",
        "yyyy-MM-dd HH:mm:ss.SSSSSSSSS",
        "yyyy-MM-dd KK:mm",
        "yyyy-MM",
        "uuuu-MM-dd",
    ),
    *(
        "yyyyMMddHHmmssSSS",
        "dMyyyy",
        "yyyy-MM-dd hh:mm",
        "yyyy-MM-dd HH:mm a",
        "yyyy-MM-dd mm",
        "yyyy-MM-dd[ HH]",
        "yyyy-MM-dd yy",
        "EEE yyyy-MM-dd",
    ),
    *("yyyy-MM-dd'T", "DD-MM-yyyy", "dd/mm/yyyy", "YYYY-MM-dd", "yyyy-MM-ddThh"),
)
KINDS: Final = [
    *(("date", pattern, texts) for pattern, texts in DATES.items()),
    *(("timestamp", pattern, texts) for pattern, texts in TIMES.items()),
]


def check(engine: Engine, folder: Path) -> None:
    asked: Any = [(kind, pattern, list(texts)) for kind, pattern, texts in KINDS]
    for (_, pattern, texts), found in zip(KINDS, read(engine, folder, asked, parsed=False), strict=True):
        told = {text: shown(value) for text, value in zip(texts, found, strict=True)}
        assert told == {text: shown(value) for text, value in texts.items()}, pattern


def test_each_format_takes_its_own_texts_on_sail(sail_engine: Engine, tmp_path: Path) -> None:
    check(sail_engine, tmp_path)


@pytest.mark.spark
def test_each_format_takes_its_own_texts_on_spark(spark_engine: Engine, tmp_path: Path) -> None:
    check(spark_engine, tmp_path)


def test_each_letter_that_is_allowed_is_tried_and_the_rest_is_refused() -> None:
    tried = {
        found[0]
        for _, pattern, _ in KINDS
        for found in re.finditer(r"([A-Za-z])\1*", re.sub("'[^']*'", "", pattern))
    }
    assert tried == set(ALLOWED)
    assert [pattern for _, pattern, _ in KINDS if pattern_mistake(pattern)] == []
    assert [pattern for pattern in REFUSED if not pattern_mistake(pattern)] == []
