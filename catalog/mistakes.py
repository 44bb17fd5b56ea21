"""All mistakes of a contract, suite file or SQL at once: each part is read, whatever else is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from catalog.documents.document import Steps
from catalog.may_be import Part
from lakegate.errors import ContractError

T = TypeVar("T")
SHOWN: Final = 20
"""Most mistakes of one contract that are reported."""
_FOLLOWS: Final = (KeyError, IndexError, TypeError, AttributeError, ValueError)
"""What code raises that reads a part that the standard refuses."""


class Mistakes:
    """The mistakes found so far.

    `lax` is set where the standard's own check found some, so that parts may be missing or be anything.
    """

    def __init__(self, refused: Iterable[tuple[Steps, ContractError]] = ()) -> None:
        pairs = list(refused)
        self.found, self.lax = [error for _, error in pairs], bool(pairs)
        self.places = [steps for steps, _ in pairs]
        self.spoilt: dict[str, set[Part]] = {}
        """Columns of which something is wrong, and what that leaves open of each."""

    @property
    def unnamed(self) -> set[str]:
        """Columns that will get another name: mistakes that name them are not reported."""
        return {name for name, parts in self.spoilt.items() if "name" in parts}

    def apart(self) -> Mistakes:
        """No mistakes yet, of the same document."""
        other = Mistakes()
        other.lax, other.spoilt = self.lax, self.spoilt
        return other

    def attempt(self, read: Callable[[], T], default: Any) -> T:
        """What a part says; the default where it has a mistake."""
        read_as: list[T] = []
        with self.noting():
            read_as.append(read())
        return read_as[0] if read_as else default

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note the mistake that is met, instead of raising it."""
        try:
            yield
        except ContractError as error:
            self.add(error)
        except _FOLLOWS:
            if not self.lax:
                raise

    def add(self, error: ContractError) -> None:
        """Note a mistake and its others, unless it follows from one in a column, or was noted."""
        others, error.others = error.others, ()
        follows = any(repr(name) in error.what for name in self.unnamed)
        if not follows and all((error.where, error.what) != (item.where, item.what) for item in self.found):
            self.found.append(error)
        for other in others:
            self.add(ContractError(other.what, where=other.where, fix=other.fix))

    def end(self) -> None:
        """Raise what was found.

        Raises:
            ContractError: The first mistake by line, with the others.
        """
        if self.found:
            raise joined(self.found)


def joined(found: Iterable[ContractError]) -> ContractError:
    """Several mistakes as one error: the first by line, and the others with it."""
    first, *others = sorted(found, key=lambda error: (error.where.rpartition(":")[0], _line(error)))
    if len(others) >= SHOWN:
        more, where = f"{len(others) - SHOWN + 1} more mistakes", first.where.rpartition(":")[0]
        others[SHOWN - 1 :] = [ContractError(more, where=where, fix="mend these first")]
    first.others = tuple(others)
    return first


def _line(error: ContractError) -> int:
    line = error.where.rpartition(":")[2]
    return int(line) if line.isdecimal() else 0
