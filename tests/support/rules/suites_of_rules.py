"""Suites of rules with row conditions, drawn of a table of rules."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from hypothesis import strategies as st

from catalog.rules.expectation_types import EXPECTATIONS
from tests.support.rules.nasty_tables import TYPES, VALUES

Kwargs = dict[str, Any]
Drawn = st.SearchStrategy[Kwargs]


def some_of(**more: st.SearchStrategy[Any]) -> Drawn:
    return st.fixed_dictionaries({}, optional=more)


def all_of(**more: st.SearchStrategy[Any]) -> Drawn:
    return st.fixed_dictionaries(dict(more))


def together(*parts: Drawn) -> Drawn:
    return st.tuples(*parts).map(
        lambda found: {name: value for part in found for name, value in part.items()}
    )


_OPERATORS: Final = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
_SQL: Final = st.sampled_from(
    [
        "first > 1",
        "name is not null",
        "name = 'it\\'s' or flag",
        "not flag",
        "real > 0.5D",
        "second in (1, 2, null)",
        "day >= date'2013-01-31'",
        "char_length(name) > 1 and first is null",
        "at < timestamp'2020-01-01 00:00:00'",
        "coalesce(other, name) like 'a%'",
    ]
)


def _comparison(name: str) -> Drawn:
    # GX writes a double as a decimal, which Sail casts the column to, and most of its values don't fit.
    values = VALUES["integer" if TYPES[name] == "double" else TYPES[name]]
    one = st.tuples(_OPERATORS, values)
    more = st.tuples(st.sampled_from(["IN", "NOT_IN"]), st.lists(values, min_size=1, max_size=3))
    found = one if name == "flag" else one | more  # GX takes no list of true and false
    return found.map(
        lambda pair: {
            "type": "comparison",
            "column": {"name": name},
            "operator": pair[0],
            "parameter": pair[1],
        }
    )


def _nullity(name: str) -> Drawn:
    return st.booleans().map(lambda null: {"type": "nullity", "column": {"name": name}, "is_null": null})


def conditions() -> Drawn:
    """A row condition, as Spark SQL or as GX's JSON, as the arguments of a rule."""
    part = st.sampled_from([*TYPES]).flatmap(lambda name: _comparison(name) | _nullity(name))
    whole = part | all_of(
        type=st.sampled_from(["and", "or"]), conditions=st.lists(part, min_size=2, max_size=3)
    )
    return all_of(row_condition=_SQL, condition_parser=st.just("spark")) | all_of(row_condition=whole)


def suites(
    kinds: Mapping[str, Drawn], *, unconditional: AbstractSet[str]
) -> st.SearchStrategy[list[tuple[str, Kwargs]]]:
    """A rule of each type, half of them asked of the rows that one condition names."""
    return conditions().flatmap(
        lambda condition: st.tuples(*(_rule(*item, condition, unconditional) for item in kinds.items())).map(
            list
        )
    )


def _rule(
    name: str, made: Drawn, condition: Kwargs, unconditional: AbstractSet[str]
) -> st.SearchStrategy[tuple[str, Kwargs]]:
    kind = EXPECTATIONS[name]
    chosen = [{}, condition] if "row_condition" in kind.takes and name not in unconditional else [{}]
    mostly = [{}, {"mostly": 0.2}, {"mostly": 0.5}, {"mostly": 0.9}, {"mostly": 1}] if kind.row_rule else [{}]
    return together(made, st.sampled_from(chosen), st.sampled_from(mostly)).map(lambda kwargs: (name, kwargs))
