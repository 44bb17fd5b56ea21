"""Texts of each kind of column, and the value that each is on every engine, or None."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any, Final

from catalog.contract import ColumnType
from expectations.spellings import FALSE, INFINITE, INFINITE_BELOW, NOT_A_NUMBER, TRUE

NAN: Final = float("nan")
INTEGERS: Final = {
    "0": 0,
    "-0": 0,
    "+5": 5,
    "007": 7,
    "-007": -7,
    "9007199254740993": 9007199254740993,
    "9" * 18: 10**18 - 1,
    " 12 ": 12,
    **dict.fromkeys(
        [
            "1" + "0" * 18,
            "9223372036854775807",
            "5.0",
            "1e3",
            "1,234",
            "1_000",
            "١٢",
            "0x1F",
            "NaN",
            "",
            "--5",
            "5-",
        ]
    ),
}
NUMBERS: Final = {
    "5.": 5.0,
    ".5": 0.5,
    "+.5e+3": 500.0,
    "-0": -0.0,
    "-0.0": -0.0,
    "0e999": 0.0,
    "0.000e-400": 0.0,
    " 1.5 ": 1.5,
    "007.50": 7.5,
    "1.7976931348623157e308": 1.7976931348623157e308,
    "9" * 308: 1e308,
    "1e-320": 1e-320,
    "5e-324": 5e-324,
    "2.5e-324": 5e-324,
    **dict.fromkeys(NOT_A_NUMBER, NAN),
    **dict.fromkeys(INFINITE, math.inf),
    **dict.fromkeys(INFINITE_BELOW, -math.inf),
    **dict.fromkeys(
        [
            "1e400",
            "-1e400",
            "1.8e308",
            "-1.8e308",
            "9" * 310,
            "1e309",
            "1e-400",
            "-1e-400",
            "2.4e-324",
            "." + "0" * 400 + "1",
        ]
    ),
    **dict.fromkeys(
        [
            "nan",
            "NAN",
            "Inf",
            "INF",
            "infinity",
            "-INFINITY",
            "+NaN",
            "1e0400",
            "1d",
            "0x1p3",
            "1,5",
            ".",
            "e5",
            "1 2",
        ]
    ),
}
BOOLEANS: Final = {
    **dict.fromkeys(TRUE, True),
    **dict.fromkeys(FALSE, False),
    **dict.fromkeys(["tRuE", "yes", "no", "Y", "on", "2", "01", ""]),
}
DATES: Final = {
    **{text: date.fromisoformat(text) for text in ("0001-01-01", "1582-10-10", "2000-02-29", "9999-12-31")},
    **dict.fromkeys(
        [
            "0000-01-01",
            "0000-12-31",
            "1900-02-29",
            "2024-13-01",
            "2024-1-1",
            "20240101",
            "10000-01-01",
            "2024-01-01T00:00:00",
        ]
    ),
}
TIMES: Final = {
    "0000-12-31T23:00:00-02:00": datetime(1, 1, 1, 1, tzinfo=UTC),
    **{
        text: datetime.fromisoformat(text if text[-1] == "Z" or text[-6] in "+-" else f"{text}Z").astimezone(
            UTC
        )
        for text in (
            *(
                "2024-01-01T10:00:00Z",
                "2024-01-01 10:00:00",
                "2024-01-01T10:00:00+01:00",
                "2024-01-01T10:00:00.1Z",
                "1883-11-18T12:00:00Z",
            ),
            *(
                "1969-12-31T23:59:59.999999Z",
                "0001-01-01T00:00:00Z",
                "0001-01-01T00:00:00",
                "0001-01-01T00:00:00-18:00",
            ),
            *(
                "0001-01-01T02:00:00+02:00",
                "9999-12-31T23:59:59Z",
                "9999-12-31T23:59:59.999999Z",
                "9999-12-31T21:59:59-02:00",
            ),
        )
    },
    **dict.fromkeys(
        [
            *(
                "0000-06-01T00:00:00Z",
                "0000-12-31T23:59:59.999999Z",
                "0000-12-31T22:00:00-01:59",
                "0001-01-01T00:00:00+02:00",
            ),
            *(
                "0001-01-01T01:59:59+02:00",
                "9999-12-31T23:59:59-02:00",
                "9999-12-31T23:59:59.999999-00:01",
                "2024-01-01T24:00:00Z",
            ),
            *(
                "2024-01-01T10:00:60Z",
                "2024-01-01T10:00:00+19:00",
                "2024-01-01T10:00:00.1234567Z",
                "2024-01-01T10:00",
                "1704103200",
            ),
            *(
                "2024-02-30T00:00:00Z",
                "2024-01-01t10:00:00z",
                "2024-01-01T10:00:00+0100",
                "2024-01-01T10:00:00 Europe/Berlin",
            ),
        ]
    ),
}
BY_DAY: Final = {
    "01/02/2024": date(2024, 2, 1),
    "01/01/0001": date.min,
    "31/12/9999": date.max,
} | dict.fromkeys(["01/01/0000", "31/12/0000", "32/01/2024", "2024-01-01"])
BY_MOMENT: Final = {"01/02/2024 10:11:12": datetime(2024, 2, 1, 10, 11, 12, tzinfo=UTC)} | dict.fromkeys(
    ["01/01/0000 00:00:00", "x"]
)
BY_OFFSET: Final = {
    "01/02/2024 10:00:00 +02:00": datetime(2024, 2, 1, 8, tzinfo=UTC),
    "01/01/0001 02:00:00 +02:00": datetime(1, 1, 1, tzinfo=UTC),
} | dict.fromkeys(["01/01/0001 01:59:59 +02:00", "31/12/9999 23:00:00 -02:00"])
Texts = dict[str, Any]
KINDS: Final[list[tuple[ColumnType, str | None, Texts]]] = [
    ("integer", None, INTEGERS),
    ("double", None, NUMBERS),
    ("boolean", None, BOOLEANS),
    ("date", None, DATES),
    ("timestamp", None, TIMES),
    ("date", "dd/MM/yyyy", BY_DAY),
    ("timestamp", "dd/MM/yyyy HH:mm:ss", BY_MOMENT),
    ("timestamp", "dd/MM/yyyy HH:mm:ss XXX", BY_OFFSET),
]
