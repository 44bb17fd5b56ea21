"""Work done ahead, beside what its results are used for: waiting for a store, and hashing, cost little then."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Final, TypeVar

AHEAD: Final = 16 * 1024**2
"""Bytes that calls which run ahead may take up together; one runs ahead however many it takes."""

CALL: Final = 1024**2
"""Bytes that a call counts for at least, so that not all are made at once."""

T = TypeVar("T")
Call = tuple[int, Callable[[], T]]
"""What makes something, and the bytes that it takes up."""


def ahead(pool: Executor, calls: Iterable[Call[T]]) -> Iterator[T]:
    """What the calls return, in their order; the next ones are made while somebody works with one."""
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
