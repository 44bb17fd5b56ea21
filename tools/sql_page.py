"""Writes docs/sql.md, what SQL may hold: `make docs`. A unit test compares page and code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from catalog.expressions.functions import AGGREGATES, LEFT_OFF, ROW_FUNCTIONS, WINDOWED, Function

PAGE = Path(__file__).resolve().parents[1] / "docs" / "sql.md"
HEAD = """# What SQL may hold

Written by `make docs` from the code; don't edit it by hand.

SQL is in a rule's `row_condition`, the `condition` of `expect_rows_to_satisfy`, and the SQL file of a feature
table. What it may hold is a list, and each function and operator on it ran on both engines over a table of
edge values (NULL, NaN, infinite numbers, empty and non-ASCII text, years 1 and 9999) with the same results:
`tests/parity/test_functions.py`. What is not on the list is refused when the contract is read.

## Conditions

A condition reads one row's own columns: comparisons, `and`, `or`, `not`, `between`, `in`, `is null`, `like`,
`rlike`, `case`, `||`, arithmetic, casts, intervals, and the functions below. It is read, checked and written
anew: no text of a contract reaches an engine.

- **Types have to fit.** Text and a number are not compared (`y = 9` where `y` is text: write `'9'`, or cast).
  A text literal beside a date or timestamp is that time (`day >= '2013-01-31'`), and has to be one.
- **Whole numbers are computed exactly**, in decimals of up to 38 digits; `n * 0.19` is exact too. What could
  need more is refused: cast to `int` what is small, or compute with `cast(n as double)`. `/` gives a double.
  Beside a double everything is one.
- **What only data can decide is NULL**: a division by zero (`/`, `%`, `div`), a cast of text that is none
  (`cast(y as bigint)`), a number that does not fit the type that it is cast to. No data makes a condition
  fail. A condition that is NULL keeps its rule, and a rule does not judge a row whose `row_condition` is
  NULL; where that is not meant, say so: `n <> 0 and total / n = mean`, `cast(y as bigint) is not null`.
- Text is cast in the spellings that a contract's columns are read in ([contracts.md](contracts.md)), without
  `NaN` and `inf`: `' 12 '` is 12, `'1e3'` a double and no bigint, `'tRuE'` true, digits of other alphabets
  NULL. Numbers with a fraction and timestamps are not cast to text: engines write them differently. A double
  below 10^28 can be cast to a decimal, which rounds it as `round` does.
- NaN is greater than all numbers and equal to itself, as Spark has it; -0.0 is 0.0. Times without an offset
  are UTC.
"""
LETTERS: Final = {
    "s": "text",
    "n": "number",
    "f": "number",
    "b": "condition",
    "d": "date",
    "t": "timestamp",
    "m": "date or timestamp",
    "x": "value",
    "k": "whole number",
    "c": "whole number, 0 or more",
    "o": "written number, 1 or more",
    "p": "written pattern",
    "w": "word",
}
GIVES: Final = {"exact": "whole number", "double": "double", "string": "text", "same": "as its arguments"}


def page() -> str:
    """The whole page."""
    lines = [HEAD, "| function | gives |", "|---|---|"]
    lines += [
        f"| {_call(name, function)} | {GIVES.get(function.gives, function.gives)} |"
        for name, function in sorted(ROW_FUNCTIONS.items())
    ]
    return "\n".join([*lines, *_features(), *_left_off(), ""])


def _call(name: str, function: Function) -> str:
    needed, _, more = function.takes.partition("?")
    again, needed = needed.endswith("*"), needed.removesuffix("*")
    words = LETTERS | {"w": " / ".join(function.words)}
    parts = [*(words[letter] for letter in needed), *(f"[{words[letter]}]" for letter in more)]
    return f"`{name}`({', '.join(parts)}{', ...' if again else ''})"


FEATURES: Final = """
## The SQL of features

One SELECT over the contract's inputs, with joins, groups, sets, subqueries and windows. It is read, checked
and written anew as conditions are, so all that is said above holds: types have to fit, a division by zero or
a cast that fails is NULL, whole numbers are exact. A mistake is reported with its line and expression when
the contract is read. It may use the functions above, and these of several rows: AGGREGATES; over a window
WINDOWED.

- **A column has its contract's type**: whole numbers for `integer`, any number for `number`; cast in the SQL
  what is another.
- **No whole number wraps**: one of more than 18 digits in an `integer` column stops the version, with the
  column and the number of rows.
- **NULL is left out of sums and counts**, so what can't be cast or divided is too: `count_if(x is null)`
  tells how much that is.
- `sum` and `avg` add up whole numbers and decimals: cast doubles first, as in `sum(cast(x as decimal(38,
  9)))`. The sum is NULL where one of its numbers has more than 27 digits, those behind the point included.
- `percentile` and `median` take whole numbers and a share of 0, 0.25, 0.5, 0.75 or 1; NULL where one lies
  beyond 2^51.
- `/` gives a double, of decimals too. Doubles that are grouped, counted apart, ordered or the greatest: there
  is one NaN, above all numbers, and one zero.
- What rows that tie could change (`row_number`, `lag`, `first_value` and their like, frames by `rows`, LIMIT)
  needs an order that names each row: `_drop, _row` of every table that is joined (of an input that is a
  feature table: its contract's key), or all that is grouped by or selected distinct. A full join leaves none.
- Sets are `union`, `union all`, `intersect` and `except`. DISTINCT may be in `count`, `sum`, `avg`, `min`,
  `max` and what tests for any or every.
- A subquery in the place of a value gives one row: `(select max(a) from t)`; `in (select ...)` may be in
  WHERE or HAVING, beside AND alone (elsewhere: `exists`), no subquery in ON. One that uses columns of the
  query around it is `exists` or an aggregate, of one SELECT whose WHERE says so by equalities alone (`i.a =
  o.a and ...`), of columns of one type, no doubles, and of the query right around it. A place in a text that
  is computed counts from its beginning.
"""


def _features() -> Iterator[str]:
    listed = {"AGGREGATES": AGGREGATES, "WINDOWED": WINDOWED}
    text = FEATURES.rstrip()
    for word, names in listed.items():
        text = text.replace(word, ", ".join(f"`{name}`" for name in sorted(names)))
    yield text


def _left_off() -> Iterator[str]:
    yield "\n## Left off, and why\n"
    for reason in dict.fromkeys(LEFT_OFF.values()):
        names = ", ".join(f"`{name}`" for name in sorted(LEFT_OFF) if LEFT_OFF[name] == reason)
        yield f"- {names}: {reason}."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
