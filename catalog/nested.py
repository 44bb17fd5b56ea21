"""What a column that holds JSON is to hold: its fields, their types, and the checks that follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Check = Literal["type", "required", "unexpected"]


@dataclass(frozen=True)
class Nested:
    """A value in JSON: its type by the standard's word, the fields of an object, the items of an array.

    An object without `fields`, or an array without `items`, may hold anything. `required`: present and not
    null.
    """

    type: str
    required: bool = False
    fields: tuple[tuple[str, Nested], ...] = ()
    items: Nested | None = None

    def checks(self, path: str = "") -> Iterator[tuple[Check, str, str]]:
        """The checks of such a value, as check, path in the column and type, in a fixed order."""
        yield "type", path, self.type
        if self.fields:
            yield "unexpected", path, self.type
        inner = [(f"{path}.{name}", field) for name, field in self.fields]
        if self.items:
            inner.append((f"{path}[]", self.items))
        for place, value in inner:
            if value.required:
                yield "required", place, value.type
            yield from value.checks(place)
