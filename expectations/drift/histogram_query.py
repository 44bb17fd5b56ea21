"""The histograms of many columns of a frame, in one query whose results are equal on every engine.

Each number becomes a key: its column's place and its bin in one whole number. One aggregation by that number
counts the keys of all columns, one more counts texts and booleans. No bin depends on how an engine rounds a
logarithm: division by a power of two, subtraction of 1 and multiplication by 64 are exact in binary floating
point; where the guessed exponent is one too great (or small) next to a power of two, the part comes out as -1
(or 64), which is the same bin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from catalog.expressions.spark_sql import quoted
from expectations.drift.histogram import (
    HUGE,
    INFINITE,
    MOST_CLASSES,
    PARTS,
    REACH,
    TINY,
    Histogram,
    Histograms,
    Kind,
)
from expectations.typed_frame import HELPER, Collect

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_NAN: Final = INFINITE + 1
_NULL: Final = INFINITE + 2
_MIDDLE: Final = 2**13
"""A key's place for bin 0."""
_KEYS: Final = 2**14
"""Keys that a column has."""
_COLUMN, _CLASS, _KEY, _ROWS, _DISTINCT, _MANY = (
    f"{HELPER}{name}" for name in ("column", "class", "key", "rows", "distinct", "many")
)


def _steps(place: int) -> tuple[str, ...]:
    """The columns, each made of those before, that lead from a number to its key."""
    number, size, scaled, guess, power, key = (
        f"{HELPER}{name}{place}" for name in ("number", "size", "scaled", "guess", "power", "key")
    )
    tiny, huge = f"{2.0**-REACH!r}D", f"{2.0**REACH!r}D"
    usual = f"not isnan({number}) and {size} >= {tiny} and {size} < {huge}"
    raised = f"case when {size} >= 1D then {size} else {size} * {huge} end"
    part = f"cast(floor(({scaled} / {power} - 1D) * {PARTS}D) as int)"
    code = (
        f"case when {number} is null then {_NULL} when isnan({number}) then {_NAN} when {size} = 0D then 0 "
        f"else case when {number} < 0D then -1 else 1 end * case when {size} < {tiny} then {TINY} "
        f"when {size} = double('inf') then {INFINITE} when {size} >= {huge} then {HUGE} "
        f"else ({guess} + case when {size} >= 1D then {REACH} else 0 end) * {PARTS} "
        f"+ {part} + {TINY + 1} end end"
    )
    return (
        f"abs({number}) as {size}",
        # At least 1 and below 2^62, so that its power of two is a whole number that shiftleft makes.
        f"case when {usual} then {raised} else 1D end as {scaled}",
        f"cast(floor(log2({scaled})) as int) as {guess}",
        f"cast(shiftleft(1L, {guess}) as double) as {power}",
        f"{place * _KEYS + _MIDDLE} + {code} as {key}",
    )


def _counted_numbers(frame: DataFrame, names: Mapping[int, str]) -> DataFrame:
    numbers = [f"cast({quoted(name)} as double) as {HELPER}number{place}" for place, name in names.items()]
    made = frame.selectExpr(*numbers)
    for step in zip(*(_steps(place) for place in names), strict=True):
        made = made.selectExpr("*", *step)
    names_of_keys = [f"{HELPER}key{place}" for place in names]
    stacked = f"stack({len(names)}, {', '.join(names_of_keys)}) as ({_KEY})"
    counts = made.selectExpr(*names_of_keys).selectExpr(stacked).groupBy(_KEY).count()
    return counts.selectExpr(
        f"cast({_KEY} as bigint) as {_KEY}",
        f"cast(null as string) as {_CLASS}",
        f"false as {_MANY}",
        f"count as {_ROWS}",
    )


def _counted_classes(frame: DataFrame, names: Mapping[int, str], kinds: Mapping[str, Kind]) -> DataFrame:
    """The classes of a column that has too many become one row."""
    parts = []
    for place, name in names.items():
        value, present = (
            f"cast({quoted(name)} as string)",
            f"case when {quoted(name)} is not null then '' end",
        )
        parts.append(f"{place}, {value if kinds[name] == 'class' else present}")
    stacked = frame.selectExpr(f"stack({len(names)}, {', '.join(parts)}) as ({_COLUMN}, {_CLASS})")
    too_many = f"count({_CLASS}) over (partition by {_COLUMN}) > {MOST_CLASSES} as {_DISTINCT}"
    counted = stacked.groupBy(_COLUMN, _CLASS).count().selectExpr("*", too_many)
    rows = counted.selectExpr(
        f"cast({_COLUMN} * {_KEYS} + {_MIDDLE} as bigint) as {_KEY}",
        f"case when not {_DISTINCT} then {_CLASS} end as {_CLASS}",
        f"{_DISTINCT} and {_CLASS} is not null as {_MANY}",
        "count",
    )
    return rows.groupBy(_KEY, _CLASS, _MANY).agg({"count": "sum"}).toDF(_KEY, _CLASS, _MANY, _ROWS)


def counted_bins(frame: DataFrame, kinds: Mapping[str, Kind]) -> DataFrame:
    """One row for each column and bin or class: key, class, whether the column has too many classes, rows.

    The key is the column's place in `kinds`, and the bin.
    """
    numbers = {place: name for place, name in enumerate(kinds) if kinds[name] in ("integer", "double")}
    others = {place: name for place, name in enumerate(kinds) if place not in numbers}
    if not others:
        return _counted_numbers(frame, numbers)
    classes = _counted_classes(frame, others, kinds)
    return _counted_numbers(frame, numbers).unionAll(classes) if numbers else classes


def count_histograms(
    frame: DataFrame,
    kinds: Mapping[str, Kind],
    collect: Collect,
    *,
    passing: str = "true",
) -> Histograms:
    """The histograms of a frame's rows.

    Args:
        frame: Typed rows, or labelled ones.
        kinds: What to count of each column (`Plan.histograms`).
        collect: Fetches a small frame's rows.
        passing: SQL for the rows that count, such as `not (...)` the quarantined ones.
    """
    if not kinds:
        return Histograms()
    chosen = frame if passing == "true" else frame.where(passing)
    found: dict[int, list[_Count]] = {place: [] for place in range(len(kinds))}
    for key, name, many, rows in collect(counted_bins(chosen, kinds)):
        place, code = divmod(int(key), _KEYS)
        found[place].append((code - _MIDDLE, name, bool(many), int(rows)))
    columns = {name: _histogram(kind, found[place]) for place, (name, kind) in enumerate(kinds.items())}
    return Histograms(max(item.rows for item in columns.values()), columns)


_Count = tuple[int, str | None, bool, int]


def _histogram(kind: Kind, counts: list[_Count]) -> Histogram:
    rows = sum(count for *_, count in counts)
    if kind in ("integer", "double"):
        bins = {code: count for code, *_, count in sorted(counts)}
        return Histogram(kind, rows, nulls=bins.pop(_NULL, 0), nan=bins.pop(_NAN, 0), bins=bins)
    classes = {name: count for _, name, _, count in counts if name is not None}
    return Histogram(
        kind,
        rows,
        nulls=sum(count for _, name, many, count in counts if name is None and not many),
        classes={name: classes[name] for name in sorted(classes)} if kind == "class" else {},
        too_many=any(many for _, _, many, _ in counts),
    )
