"""Whose a lease is, and what becomes of one whose holder died as it took it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lake.runtime.leases import at_once, lease_at, wait_for
from lakegate.errors import UsageError


def empty(path: Path, *, age: float) -> Path:
    """What a process leaves that is killed after it made the file and before it wrote into it."""
    path.touch()
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_lease_has_one_holder_who_may_enter_again(tmp_path: Path) -> None:
    first, second = (lease_at(tmp_path / "locks" / "rides.lease", seconds=30) for _ in range(2))
    with wait_for(first):
        assert at_once(second) is None
        with wait_for(first):
            assert at_once(second) is None
        assert at_once(second) is None
    held = at_once(second)
    assert held is not None
    with held:
        assert at_once(first) is None


def test_lease_that_nobody_wrote_into_is_free_once_it_has_come_of_age(tmp_path: Path) -> None:
    lease = lease_at(empty(tmp_path / "rides.lease", age=1), seconds=30)
    assert at_once(lease) is None
    empty(tmp_path / "rides.lease", age=31)
    with wait_for(lease):
        assert (tmp_path / "rides.lease").stat().st_size > 0


def test_waiter_sees_a_lease_come_of_age(tmp_path: Path) -> None:
    lease = lease_at(empty(tmp_path / "rides.lease", age=0), seconds=0.3)
    started = time.monotonic()
    with wait_for(lease):
        assert 0.2 < time.monotonic() - started < 10


def test_times_of_silence_that_differ_on_one_home_are_refused(tmp_path: Path) -> None:
    with (
        wait_for(lease_at(tmp_path / "rides.lease", seconds=30)),
        pytest.raises(UsageError, match=r"works on this home with another LAKEGATE_LEASE"),
    ):
        wait_for(lease_at(tmp_path / "rides.lease", seconds=31))
