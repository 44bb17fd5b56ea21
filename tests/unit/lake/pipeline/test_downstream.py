"""Features that follow a table: each is asked as often as something new could be missing from it,
and not once for each way to it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.verdict import Verdict
from lake.pipeline import downstream
from lake.session import Session
from lakegate.errors import LakegateError, Transient

LAYERS, WIDTH = 6, 3
READS = {
    f"f{layer}{place}": tuple(f"f{layer - 1}{other}" for other in range(WIDTH)) if layer else ("rides",)
    for layer in range(LAYERS)
    for place in range(WIDTH)
}
"""Layers of features, each of which reads all of the layer before."""


class Features:
    """Features that lack a version whenever one of their inputs has another than they were made of;
    some fail, or are stopped.
    """

    def __init__(
        self,
        reads: dict[str, tuple[str, ...]],
        *,
        failing: frozenset[str] = frozenset(),
        stopped: frozenset[str] = frozenset(),
    ) -> None:
        self.reads, self.failing, self.stopped, self.asked = reads, failing, stopped, Counter[str]()
        self.versions = Counter({"rides": 1})
        self.made_of = dict[str, tuple[int, ...]]()
        self.judged = dict[str, tuple[int, ...]]()
        contracts = {
            name: SimpleNamespace(name=name, kind="feature", inputs=inputs) for name, inputs in reads.items()
        }
        self.session = cast(
            "Session",
            SimpleNamespace(
                catalog=SimpleNamespace(contracts=contracts),
                settings=SimpleNamespace(home=SimpleNamespace(root=Path())),
            ),
        )

    def inputs(self, name: str) -> tuple[int, ...]:
        return tuple(self.versions[item] for item in self.reads[name])

    def carry(self, _: Session, contract: Any) -> Any:
        self.asked[contract.name] += 1
        if contract.name in self.failing:
            raise Transient("away")
        if self.made_of.get(contract.name) == self.inputs(contract.name) or 0 in self.inputs(contract.name):
            return None
        self.judged[contract.name] = self.inputs(contract.name)
        if contract.name in self.stopped:
            return SimpleNamespace(verdict=Verdict.BLOCKED)
        self.made_of[contract.name] = self.inputs(contract.name)
        self.versions[contract.name] += 1
        return SimpleNamespace(verdict=Verdict.PASSED)

    def follow(self, patch: pytest.MonkeyPatch) -> list[str]:
        """Carry what follows rides; returns who failed."""
        told = list[str]()

        def failed(name: str, error: LakegateError) -> None:
            assert isinstance(error, Transient)
            told.append(name)

        with patch.context() as patched:
            patched.setattr(downstream, "carry_features", self.carry)
            list(downstream.carry_followers(self.session, "rides", on_error=failed))
        return told


def test_followers_are_asked_once_where_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Features(READS)
    lake.follow(monkeypatch)
    lake.asked.clear()
    lake.follow(monkeypatch)
    assert lake.asked == dict.fromkeys(READS, 1)


def test_follower_of_one_that_needs_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Features(READS)
    lake.follow(monkeypatch)
    last = f"f{LAYERS - 1}0"
    del lake.made_of[last]  # who made those before it died before it
    lake.follow(monkeypatch)
    assert lake.made_of[last] == lake.inputs(last)


def test_follower_that_fails_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Features({"a": ("rides",), "b": ("rides",), "c": ("a", "b")})
    lake.follow(monkeypatch)
    lake.failing = frozenset("c")
    assert lake.follow(monkeypatch) == ["c"]


NAMES = "abcdef"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    reads=st.tuples(
        *(st.sets(st.sampled_from(("rides", *NAMES[:place])), min_size=1) for place in range(len(NAMES)))
    ),
    stopped=st.frozensets(st.sampled_from(NAMES), max_size=1),
)
def test_afterwards_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch, reads: tuple[set[str], ...], stopped: frozenset[str]
) -> None:
    lake = Features(
        {name: tuple(sorted(inputs)) for name, inputs in zip(NAMES, reads, strict=True)}, stopped=stopped
    )
    for _ in range(2):
        lake.follow(monkeypatch)
        for name in NAMES:
            assert lake.judged.get(name) == (None if 0 in lake.inputs(name) else lake.inputs(name))
        lake.versions["rides"] += 1
