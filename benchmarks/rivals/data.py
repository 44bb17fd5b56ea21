"""Deliveries for the benchmark: seeded, made chunk by chunk, the same bytes every time.

A dirty delivery has a fault in one row of five, each of the twelve rules' faults as often as any other, and
two faults in one dirty row of ten. Notes hold commas now and then, so some fields are quoted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from benchmarks.rivals.rules import ATTRIBUTES, CARRIERS, CLASSES, FLAGS, WIDE

SEED: Final = 20130101
CHUNK: Final = 250_000
DIRTY, TWICE = 0.2, 0.1
"""Rows that have a fault, and the share of them that has two."""
FIRST: Final = np.datetime64("2023-01-01T00:00:00", "s")
YEAR: Final = 365 * 86_400
FAULTS: Final = 12
_ODD, _KEYS = 6_364_136_223_846_793_005, 1 << 40
"""An odd factor makes each number below 2^40 another one: keys in no order, none of them twice."""

_WORDS: Final = (
    "gate",
    "crew",
    "late",
    "slot",
    "fuel",
    "cabin",
    "baggage",
    "weather",
    "tower",
    "boarding",
    "ready",
    "checked",
    "Zürich",
)


def reference_codes() -> list[str]:
    """The 1,458 airports' codes."""
    made = np.random.default_rng(SEED).choice(26**3 - 1, 1458, replace=False)  # ZZZ is never one
    return sorted({"".join(chr(65 + int(code) // 26**place % 26) for place in (2, 1, 0)) for code in made})


def write_reference(path: Path) -> None:
    """The airports: code, name, latitude, longitude."""
    codes, rng = reference_codes(), np.random.default_rng(SEED)
    places = {
        name: np.round(rng.uniform(-limit, limit, len(codes)), 4)
        for name, limit in (("lat", 90), ("lon", 180))
    }
    pl.DataFrame(
        {"faa": codes, "name": [f"Airport of {code.title()}" for code in codes], **places}
    ).write_csv(path)


def write_delivery(path: Path, *, rows: int, columns: int, dirty: bool) -> None:
    """A delivery of `rows` records."""
    with path.open("wb") as file:
        for start in range(0, rows, CHUNK):
            chunk = _chunk(start, min(CHUNK, rows - start), columns=columns, dirty=dirty)
            chunk.write_csv(file, include_header=start == 0)


def _chunk(start: int, rows: int, *, columns: int, dirty: bool) -> pl.DataFrame:
    rng = np.random.default_rng([SEED, start])
    left = rng.integers(0, YEAR, rows)
    texts = {
        "id": pl.Series(_keys(np.arange(start, start + rows))).cast(pl.String),
        "departed": _times(left),
        "arrived": _times(left + rng.integers(1800, 40_000, rows)),
        "distance": pl.Series(np.round(rng.gamma(3.0, 350.0, rows).clip(20, 2900), 1)).cast(pl.String),
        "carrier": _picked(rng, CARRIERS, rows),
        "origin": _picked(rng, reference_codes()[::5], rows),
        "tail": _picked(rng, _tails(), rows),
        "note": _picked(rng, _notes(), rows),
    }
    if dirty:
        texts = _spoiled(rng, texts, start)
    if columns == WIDE:
        pools = (_codes(), _notes(longest=30), FLAGS, CLASSES)
        texts |= {name: _picked(rng, pools[index % 4], rows) for index, name in enumerate(ATTRIBUTES)}
    return pl.DataFrame(texts)


def _keys(numbers: Any) -> Any:
    return (numbers.astype(np.uint64) * np.uint64(_ODD) + np.uint64(12_345)) % np.uint64(_KEYS) + np.uint64(1)


def _times(seconds: Any) -> pl.Series:
    return pl.Series((FIRST + seconds.astype("timedelta64[s]")).astype("datetime64[ms]")).dt.strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def _picked(rng: np.random.Generator, pool: Any, rows: int) -> pl.Series:
    return pl.Series(list(pool)).gather(rng.integers(0, len(pool), rows).astype(np.uint32))


def _tails() -> list[str]:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    return [f"N{number}{letters[number % 24]}{letters[number // 24 % 24]}" for number in range(100, 4000)]


def _codes() -> list[str]:
    return [
        f"{CARRIERS[number % 16].translate(str.maketrans('0123456789', 'ABCDEFGHJK'))}X-{number:04}"
        for number in range(5000)
    ]


def _notes(*, longest: int = 60) -> list[str]:
    rng, found = np.random.default_rng(SEED), []
    for number in range(20_000):
        words = " ".join(_WORDS[word] for word in rng.integers(0, len(_WORDS), rng.integers(1, 7)))[
            : longest - 6
        ].strip()
        found.append(f"{words}, {number % 999}" if number % 100 == 0 else f"{words} {number % 999}")
    return found


def _spoiled(rng: np.random.Generator, texts: dict[str, pl.Series], start: int) -> dict[str, pl.Series]:
    """The columns with a fault in a row of five, and a second one in some."""
    rows = len(texts["id"])
    chosen = np.flatnonzero(rng.random(rows) < DIRTY)
    again = chosen[rng.random(len(chosen)) < TWICE]
    places = np.concatenate([chosen, again])
    fault = rng.integers(0, FAULTS, len(places))
    found = {name: series.clone() for name, series in texts.items()}

    def put(number: int, name: str, value: Any) -> None:
        at = places[fault == number]
        found[name] = found[name].scatter(at.astype(np.uint32), value(at) if callable(value) else value)

    for number, (name, wrong) in enumerate(
        (("id", "n/a"), ("departed", "yesterday"), ("arrived", "31/12/2023"), ("distance", "far"))
    ):
        put(number, name, wrong)
    put(4, "id", None)
    put(
        5, "id", lambda at: pl.Series(_keys((at + start) // 2)).cast(pl.String)
    )  # the key of a row before it, anywhere in the file
    put(6, "origin", "ZZZ")
    put(7, "distance", "-12.5")
    put(8, "carrier", "XX")
    put(9, "tail", "D-ABYT")
    put(10, "note", "delayed " * 12)
    put(11, "arrived", lambda at: texts["departed"].gather(at.astype(np.uint32)))
    return found
