"""A breaker opens when transient failures go on, probes once after its cool-down,
and closes when an attempt succeeds.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from lake.runtime.circuit_breaker import COOL_DOWN, IN_A_ROW, PROBE, RECENT, Breaker, open_breakers
from lakegate.errors import DataRejected, Transient
from lakegate.settings import Settings


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Source:
    """A source that fails or answers."""

    def __init__(self, folder: Path) -> None:
        self.settings, self.clock, self.made = Settings.load(home=folder, project=folder), Clock(), 0
        self.breaker = Breaker(self.settings, "rides", now=self.clock)

    def attempt(self, outcome: str) -> bool:
        """Whether an attempt was made."""
        made = self.made
        with suppress(Transient), self.breaker.attempt():
            self.made += 1
            if outcome == "f":
                raise Transient("away")
        return self.made > made


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path)


def test_breaker_opens_after_failures_in_a_row_and_lets_nobody_through(source: Source) -> None:
    assert all(source.attempt("f") for _ in range(IN_A_ROW))
    assert not any(source.attempt("s") for _ in range(10))
    assert list(open_breakers(source.settings)) == ["rides"]
    with pytest.raises(Transient, match="rides waits: 5 attempts in a row"), source.breaker.attempt():
        pass


def test_probe_goes_through_after_the_cool_down_and_closes_the_breaker(source: Source) -> None:
    for _ in range(IN_A_ROW):
        source.attempt("f")
    source.clock.now += COOL_DOWN + 1
    other = Breaker(source.settings, "rides", now=source.clock)
    with source.breaker.attempt(), pytest.raises(Transient), other.attempt():
        pass
    assert source.attempt("s")
    assert open_breakers(source.settings) == {}


def test_probes_that_fail_make_the_cool_down_longer(source: Source) -> None:
    for _ in range(IN_A_ROW):
        source.attempt("f")
    source.clock.now += COOL_DOWN + 1
    assert source.attempt("f")
    source.clock.now += COOL_DOWN + 1
    assert not source.attempt("s")
    source.clock.now += COOL_DOWN
    assert source.attempt("s")


def test_probe_whose_process_died_is_given_up(source: Source) -> None:
    for _ in range(IN_A_ROW):
        source.attempt("f")
    source.clock.now += COOL_DOWN + 1
    source.breaker._admit()
    assert not source.attempt("s")
    source.clock.now += PROBE
    assert source.attempt("s")


def test_breaker_opens_when_most_of_the_last_attempts_failed(source: Source) -> None:
    for _ in range(RECENT // 4):
        assert all(source.attempt(outcome) for outcome in "fsff")
    assert not source.attempt("s")


def test_failure_that_is_not_transient_does_not_count(source: Source) -> None:
    for _ in range(3 * RECENT):
        with pytest.raises(DataRejected), source.breaker.attempt():
            raise DataRejected("no")
    assert source.attempt("s")


def test_damaged_file_is_as_good_as_none(source: Source, tmp_path: Path) -> None:
    for _ in range(IN_A_ROW):
        source.attempt("f")
    (path,) = (tmp_path / "breakers").rglob("*.json")
    path.write_text("{")
    assert source.attempt("s")


def test_attempts_that_began_before_it_opened_make_the_wait_no_longer(source: Source) -> None:
    with suppress(Transient), source.breaker.attempt():
        for _ in range(IN_A_ROW):
            source.attempt("f")
        raise Transient("away, like the others")
    source.clock.now += COOL_DOWN + 1
    assert source.attempt("s")


def test_probe_that_comes_to_no_answer_holds_no_other_up(source: Source) -> None:
    for _ in range(IN_A_ROW):
        source.attempt("f")
    source.clock.now += COOL_DOWN + 1
    with suppress(DataRejected), source.breaker.attempt():
        raise DataRejected("refused")
    assert source.attempt("s")
