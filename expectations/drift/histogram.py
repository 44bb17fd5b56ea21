"""Histograms that merge: those of a table's files make the table's.

The bins of numbers are fixed and don't depend on the data: each power of two is cut into 64 equal parts, for
either sign, so a bin is at most 1/64 of its values wide (the log-linear bins of HDR histograms and of
OpenTelemetry's exponential ones). Zero, NULL, NaN and the infinities are counted apart. Whole numbers below
128 have a bin each.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from catalog.contract import Column

Kind = Literal["integer", "double", "class", "presence"]
"""Numbers in bins, values counted one by one, or (personal columns and times) only how many there are."""

PARTS: Final = 64
"""Bins to a power of two."""
REACH: Final = 62
"""Numbers of 2^62 and more, and those below 2^-62, share a bin each."""
TINY: Final = 1
HUGE: Final = 2 * REACH * PARTS + TINY + 1
INFINITE: Final = HUGE + 1
MOST_CLASSES: Final = 1000
"""Distinct values up to which they are counted one by one."""


def code_of(number: float) -> int:
    """The bin of a number (not NaN): codes grow with numbers, 0 is zero, -x has the negative code of x."""
    size = abs(number)
    if size == 0:
        return 0
    if math.isinf(size):
        code = INFINITE
    elif size >= 2.0**REACH:
        code = HUGE
    elif size < 2.0**-REACH:
        code = TINY
    else:
        fraction, exponent = math.frexp(size)
        code = (exponent - 1 + REACH) * PARTS + math.floor((2 * fraction - 1) * PARTS) + TINY + 1
    return code if number > 0 else -code


def span(code: int, *, whole: bool) -> tuple[float, float]:
    """The least and the greatest value of a bin; a `whole` column has whole numbers only.

    A whole number beyond 2^53 counts as the nearest double.
    """
    if code < 0:
        low, high = span(-code, whole=whole)
        return -high, -low
    if code in (0, INFINITE):
        return (0.0, 0.0) if code == 0 else (math.inf, math.inf)
    if code == HUGE:
        return 2.0**REACH, sys.float_info.max
    power, part = divmod(code - TINY - 1, PARTS)
    low = 0.0 if code == TINY else math.ldexp(1 + part / PARTS, power - REACH)
    high = 2.0**-REACH if code == TINY else math.ldexp(1 + (part + 1) / PARTS, power - REACH)
    if not whole:
        return low, high
    least = math.ceil(low)
    return float(least), float(max(math.ceil(high) - 1, least))


@dataclass(frozen=True)
class Histogram:
    """One column: `rows` seen, of them `nulls` and `nan`, and counts by bin or by class.

    `too_many` says that there were more distinct values than are counted one by one; it has no classes then.
    """

    kind: Kind
    rows: int = 0
    nulls: int = 0
    nan: int = 0
    bins: Mapping[int, int] = field(default_factory=dict)
    classes: Mapping[str, int] = field(default_factory=dict)
    too_many: bool = False

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers in bins."""
        return self.kind in ("integer", "double")

    def span(self, code: int) -> tuple[float, float]:
        """The least and greatest value of one of its bins."""
        return span(code, whole=self.kind == "integer")

    def to_json(self) -> dict[str, Any]:
        """As JSON: counts as sorted pairs, and nothing that is empty."""
        made = {
            "kind": self.kind,
            "rows": self.rows,
            "nulls": self.nulls,
            "nan": self.nan,
            "bins": [[code, self.bins[code]] for code in sorted(self.bins)],
            "classes": [[name, self.classes[name]] for name in sorted(self.classes)],
            "too_many": self.too_many,
        }
        return {name: value for name, value in made.items() if value or name in ("kind", "rows", "nulls")}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Histogram:
        """What `to_json` gave."""
        return cls(
            kind=given["kind"],
            rows=given["rows"],
            nulls=given["nulls"],
            nan=given.get("nan", 0),
            bins={code: count for code, count in given.get("bins", ())},  # noqa: C416 - pairs come as lists
            classes={name: count for name, count in given.get("classes", ())},  # noqa: C416
            too_many=given.get("too_many", False),
        )


def merge(one: Histogram, other: Histogram) -> Histogram:
    """The histogram of the rows of both: the same in any order and grouping. One of no rows changes nothing.

    Raises:
        ValueError: They are of two kinds of column.
    """
    if one.kind != other.kind:
        what = f"a histogram of kind {one.kind} can't be merged with one of kind {other.kind}"
        raise ValueError(what)
    classes = Counter(one.classes) + Counter(other.classes)
    too_many = one.too_many or other.too_many or len(classes) > MOST_CLASSES
    return Histogram(
        kind=one.kind,
        rows=one.rows + other.rows,
        nulls=one.nulls + other.nulls,
        nan=one.nan + other.nan,
        bins=dict(Counter(one.bins) + Counter(other.bins)),
        classes={} if too_many else dict(classes),
        too_many=too_many,
    )


@dataclass(frozen=True)
class Histograms:
    """The histograms of a file, drop or table, by column; a column counts the rows of parts that have it."""

    rows: int = 0
    columns: Mapping[str, Histogram] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON, columns by name."""
        return {
            "rows": self.rows,
            "columns": {name: self.columns[name].to_json() for name in sorted(self.columns)},
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Histograms:
        """What `to_json` gave."""
        return cls(
            given["rows"], {name: Histogram.from_json(item) for name, item in given["columns"].items()}
        )

    def text(self) -> str:
        """The canonical JSON: the same bytes for the same counts."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def merge_all(one: Histograms, other: Histograms) -> Histograms:
    """The histograms of the rows of both, column by column.

    Raises:
        ValueError: A column is of two kinds.
    """
    columns = {**one.columns, **other.columns}
    for name in one.columns.keys() & other.columns.keys():
        columns[name] = merge(one.columns[name], other.columns[name])
    return Histograms(one.rows + other.rows, columns)


def kind_of(column: Column) -> Kind:
    """What is counted of a column: no values of personal ones (promise P6), nor of times (they grow)."""
    if not column.counted:
        return "presence"
    if column.type in ("string", "boolean"):
        return "class"
    return "integer" if column.type == "integer" else "double"


def as_kind(histogram: Histogram | None, kind: Kind) -> Histogram | None:
    """A histogram as its column is counted now: without values if personal, None if of another type."""
    if histogram is None or histogram.kind == kind:
        return histogram
    return Histogram("presence", histogram.rows, nulls=histogram.nulls) if kind == "presence" else None
