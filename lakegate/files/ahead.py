"""Calls made ahead in other threads while their results are used: waiting and hashing cost little then."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Final, TypeVar

AHEAD: Final = 16 * 1024**2
"""Bytes that the calls made ahead may take together; one call may always be."""

CALL: Final = 1024**2
"""Least bytes that a call counts for, so that not all are made at once."""

T = TypeVar("T")
Call = tuple[int, Callable[[], T]]
"""The bytes that a result takes, and the call that makes it."""


def ahead(pool: Executor, calls: Iterable[Call[T]]) -> Iterator[T]:
    """What the calls return, in their order; the next calls are made while a result is used."""
    waiting, taken = deque[tuple[int, Future[T]]](), 0
    try:
        for size, call in calls:
            waiting.append((max(size, CALL), pool.submit(call)))
            taken += waiting[-1][0]
            while len(waiting) > 1 and taken > AHEAD:
                first, coming = waiting.popleft()
                taken -= first
                yield coming.result()
        while waiting:
            yield waiting.popleft()[1].result()
    finally:
        for _, coming in waiting:
            coming.cancel()
