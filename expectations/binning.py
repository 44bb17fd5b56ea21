"""The histograms of many columns of a frame, in one aggregation whose answers are whole numbers, the same on every engine.

Each row becomes one row a column (column's number, number, class); the bin is computed once for all of them. No bin depends on
how an engine rounds a logarithm: division by a power of two, subtraction of 1 and 64 times are exact in binary floating point, and
where the exponent guessed is one too great (or small) next to a power of two, the part comes out as -1 (or 64): the same bin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from catalog.spark_sql import quoted
from expectations.frame import HELPER
from expectations.histogram import HUGE, INFINITE, MOST_CLASSES, PARTS, REACH, TINY, Histogram, Histograms, Kind

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_NAN: Final = INFINITE + 1
_NO_NUMBER: Final = "cast(null as double)"
_NO_CLASS: Final = "cast(null as string)"


def _names(*names: str) -> tuple[str, ...]:
    return tuple(f"{HELPER}{name}" for name in names)


_COLUMN, _NUMBER, _CLASS, _SIZE, _SCALED, _POWER, _GUESS, _BIN, _ROWS, _DISTINCT, _MANY = _names(
    "column", "number", "class", "size", "scaled", "power", "guess", "bin", "rows", "distinct", "many"
)
_USUAL: Final = f"not isnan({_NUMBER}) and {_SIZE} >= {2.0**-REACH!r}D and {_SIZE} < {2.0**REACH!r}D"
_STEPS: Final[tuple[tuple[str, ...], ...]] = (
    (f"abs({_NUMBER}) as {_SIZE}",),
    # At least 1 and below 2^62, so that its power of two is a whole number that shiftleft makes.
    (f"case when {_USUAL} then case when {_SIZE} >= 1D then {_SIZE} else {_SIZE} * {2.0**REACH!r}D end else 1D end as {_SCALED}",),
    (f"cast(floor(log2({_SCALED})) as int) as {_GUESS}",),
    (f"cast(shiftleft(1L, {_GUESS}) as double) as {_POWER}",),
)
_PART: Final = f"floor(({_SCALED} / {_POWER} - 1D) * {PARTS}D)"
_CODE: Final = (
    f"case when {_NUMBER} is null then cast(null as int) when isnan({_NUMBER}) then {_NAN} when {_SIZE} = 0D then 0 "
    f"else case when {_NUMBER} < 0D then -1 else 1 end * case when {_SIZE} < {2.0**-REACH!r}D then {TINY} "
    f"when {_SIZE} = double('inf') then {INFINITE} when {_SIZE} >= {2.0**REACH!r}D then {HUGE} "
    f"else ({_GUESS} + case when {_SIZE} >= 1D then {REACH} else 0 end) * {PARTS} + cast({_PART} as int) + {TINY + 1} end end"
)


def _stacked(kinds: Mapping[str, Kind]) -> str:
    parts = []
    for number, (name, kind) in enumerate(kinds.items()):
        column = quoted(name)
        if kind in ("integer", "double"):
            parts.append(f"{number}, cast({column} as double), {_NO_CLASS}")
        else:
            shown = f"cast({column} as string)" if kind == "class" else f"case when {column} is not null then '' end"
            parts.append(f"{number}, {_NO_NUMBER}, {shown}")
    return f"stack({len(parts)}, {', '.join(parts)}) as ({_COLUMN}, {_NUMBER}, {_CLASS})"


def counted_bins(frame: DataFrame, kinds: Mapping[str, Kind]) -> DataFrame:
    """One row for each column and bin or class: the column's place in `kinds`, bin, class, whether it had too many, rows.

    Both bin and class are NULL where the value is. The classes of a column that has too many are one row.
    """
    made = frame.selectExpr(_stacked(kinds))
    for step in _STEPS:
        made = made.selectExpr("*", *step)
    grouped = made.selectExpr(_COLUMN, f"{_CODE} as {_BIN}", _CLASS).groupBy(_COLUMN, _BIN, _CLASS).count()
    if "class" not in kinds.values():
        return grouped.selectExpr(_COLUMN, _BIN, _CLASS, f"false as {_MANY}", f"count as {_ROWS}")
    many = f"{_DISTINCT} > {MOST_CLASSES}"
    counted = grouped.selectExpr("*", f"count({_CLASS}) over (partition by {_COLUMN}) as {_DISTINCT}")
    kept = counted.selectExpr(
        _COLUMN, _BIN, f"case when not {many} then {_CLASS} end as {_CLASS}", f"{many} and {_CLASS} is not null as {_MANY}", "count"
    )
    return kept.groupBy(_COLUMN, _BIN, _CLASS, _MANY).agg({"count": "sum"}).toDF(_COLUMN, _BIN, _CLASS, _MANY, _ROWS)


def count_histograms(
    frame: DataFrame, kinds: Mapping[str, Kind], collect: Callable[[DataFrame], list[Any]], *, passing: str = "true"
) -> Histograms:
    """The histograms of a frame's rows.

    Args:
        frame: Typed rows, or labelled ones.
        kinds: What to count of each column (`Plan.histograms`).
        collect: Fetches a small frame's rows; the engine's own, which tells errors without values.
        passing: SQL for the rows that count, such as `not (...)` those set aside.
    """
    if not kinds:
        return Histograms()
    chosen = frame if passing == "true" else frame.where(passing)
    found: dict[int, list[tuple[int | None, str | None, bool, int]]] = {number: [] for number in range(len(kinds))}
    for number, code, name, many, rows in collect(counted_bins(chosen, kinds)):
        found[int(number)].append((code, name, bool(many), int(rows)))
    columns = {name: _histogram(kind, found[number]) for number, (name, kind) in enumerate(kinds.items())}
    return Histograms(max(item.rows for item in columns.values()), columns)


def _histogram(kind: Kind, counts: list[tuple[int | None, str | None, bool, int]]) -> Histogram:
    return Histogram(
        kind=kind,
        rows=sum(rows for *_, rows in counts),
        nulls=sum(rows for code, name, many, rows in counts if code is None and name is None and not many),
        nan=sum(rows for code, *_, rows in counts if code == _NAN),
        bins={int(code): rows for code, *_, rows in sorted(counts, key=str) if code is not None and code != _NAN},
        classes={name: rows for _, name, _, rows in sorted(counts, key=str) if name is not None and kind == "class"},
        too_many=any(many for _, _, many, _ in counts),
    )
