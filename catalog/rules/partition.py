"""What is wrong with a partition that a column's shares are compared with: values or bins, with weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Any, Final

from catalog.contract import Column
from catalog.rules.mistake import Mistake, number

_FIX: Final = "write {values: [a, b], weights: [0.5, 0.5]}, or {bins: [0, 1, 2], weights: [0.5, 0.5]}"
_ROUNDING: Final = 1e-5


def partition_mistakes(column: Column, kwargs: dict[str, Any], *, fit: bool) -> Iterator[Mistake]:
    """What is wrong with a partition for a column; `fit` says whether its values are of the column's type."""
    given, threshold = kwargs["partition_object"], kwargs["threshold"]
    tail, inner = kwargs.get("tail_weight_holdout") or 0, kwargs.get("internal_weight_holdout") or 0
    if not number(threshold) or threshold < 0:
        yield Mistake(f"threshold is {threshold!r}", "threshold", "write a number, 0 or more, such as 0.1")
    for name, share in (("tail_weight_holdout", tail), ("internal_weight_holdout", inner)):
        if not number(share) or not 0 <= share < 1:
            yield Mistake(f"{name} is {share!r}", name, "write a share from 0 to less than 1")
            return
    if (wrong := _shape(given)) is not None:
        yield Mistake(f"partition_object: {wrong}", "partition_object", _FIX)
    elif "values" in given:
        yield from _of_values(column, given, inner, fit=fit)
    elif column.type not in ("integer", "double"):
        what = f"bins are of numbers, and column {column.name!r} is of type {column.type}"
        yield Mistake(what, "partition_object", _FIX)
    else:
        yield from _of_bins(given, tail, inner, bucketize=kwargs.get("bucketize_data", True))


def _shape(given: Any) -> str | None:
    known = {"values", "bins", "weights", "tail_weights"}
    if not isinstance(given, dict) or not {"weights"} < given.keys() <= known:
        return "it has neither values and weights nor bins and weights"
    if ("values" in given) == ("bins" in given) or ("values" in given and "tail_weights" in given):
        return "it has values or bins, and tail_weights with bins alone"
    parts, weights = given.get("values", given.get("bins")), given["weights"]
    every = [weights, given.get("tail_weights", [0, 0])]
    if not isinstance(parts, list) or not all(map(_is_weights, every)):
        return "weights are numbers, 0 or more, in a list"
    if len(parts) != len(weights) + ("bins" in given) or len(every[1]) != len("ab") or len(parts) < 1:
        return "each value has one weight, each bin has one between its edges, tail_weights are two"
    total = math.fsum(chain.from_iterable(every))
    return f"its weights add up to {total:.6g}, not to 1" if abs(total - 1) > _ROUNDING else None


def _is_weights(value: Any) -> bool:
    return isinstance(value, list) and all(number(item) and item >= 0 for item in value)


def _of_values(column: Column, given: dict[str, Any], inner: float, *, fit: bool) -> Iterator[Mistake]:
    values = given["values"]
    if column.personal:
        what = f"column {column.name!r} is personal, and a rule's values are part of every result"
        yield Mistake(what, "partition_object", "leave the rule out")
    elif not fit or len({repr(value) for value in values}) < len(values):
        what = f"its values are not different values of column {column.name!r}, of type {column.type}"
        yield Mistake(what, "partition_object", _FIX)
    elif inner:
        yield Mistake("internal_weight_holdout is for bins", "internal_weight_holdout", "leave it out")


def _of_bins(given: dict[str, Any], tail: float, inner: float, *, bucketize: object) -> Iterator[Mistake]:
    bins = given["bins"]
    numbers = [edge for edge in bins if number(edge) or (isinstance(edge, float) and math.isinf(edge))]
    if len(numbers) < len(bins) or any(low >= high for low, high in pairwise(bins)):
        yield Mistake("its bins are not numbers that rise", "partition_object", _FIX)
        return
    ends = [math.isinf(bins[0]), math.isinf(bins[-1])]
    if bucketize is False:
        yield Mistake("bucketize_data: false is for values", "bucketize_data", "leave it out")
    if "tail_weights" in given and (tail or any(ends)):
        what = "it has tail_weights beside a tail_weight_holdout, or infinite ends"
        yield Mistake(what, "partition_object", "keep one of them")
    if all(ends) and tail:
        yield Mistake("nothing lies beyond infinite ends", "tail_weight_holdout", "leave it out")
    if tail + inner >= 1:
        yield Mistake("the holdouts leave nothing to the bins", "tail_weight_holdout", "make them smaller")
