"""Tries beyond the first are bounded by what succeeds, whatever the number of callers."""

from __future__ import annotations

import pytest
import tenacity

from lake.lakefs import client
from lake.lakefs.client import EARNED_BY, RESERVE, TRIES, Budget, Calls
from lakegate.errors import Transient
from lakegate.home import Endpoint


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.setattr(client.tenacity, "wait_random_exponential", lambda **_: tenacity.wait_none())
    return Calls(Endpoint("http://127.0.0.1:9", "none", "none"))


class Outage:
    """Fails so many times, then answers."""

    def __init__(self, failures: float) -> None:
        self.left, self.tries = failures, 0

    def __call__(self) -> str:
        self.tries += 1
        if self.left > 0:
            self.left -= 1
            raise OSError
        return "answer"


def test_call_is_tried_again_and_answers(called: Calls) -> None:
    outage = Outage(TRIES - 1)
    assert called._call(outage, doing="asking") == "answer"
    assert outage.tries == TRIES


def test_outage_is_not_pressed_with_more_than_the_reserve(called: Calls) -> None:
    outage = Outage(float("inf"))
    for _ in range(100):
        with pytest.raises(Transient):
            called._call(outage, doing="asking")
    assert outage.tries == 100 + RESERVE


def test_call_that_succeeds_earns_more_tries(called: Calls) -> None:
    outage = Outage(float("inf"))
    for _ in range(100):
        with pytest.raises(Transient):
            called._call(outage, doing="asking")
    for _ in range(2 * EARNED_BY):
        assert called._call(lambda: "answer", doing="asking") == "answer"
    pressed = outage.tries
    for _ in range(10):
        with pytest.raises(Transient):
            called._call(outage, doing="asking")
    assert outage.tries == pressed + 10 + 2


def test_budget_is_never_more_than_its_reserve() -> None:
    budget = Budget()
    for _ in range(1000):
        budget.earn()
    assert sum(budget.take() for _ in range(1000)) == RESERVE
