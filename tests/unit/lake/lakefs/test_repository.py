"""What lies at the beginning of a long list is had without the rest of it."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from lake.lakefs.repository import Repository
from lakegate.home import Endpoint


class Lists:
    """A lakeFS that lists commits and branches, and counts what it listed."""

    def __init__(self, commits: int, branches: list[str]) -> None:
        self.commits, self.branches, self.listed = (
            [f"c{number}" for number in range(commits)],
            sorted(branches),
            0,
        )
        self.repository = Repository(
            Endpoint("http://127.0.0.1:9", "key", "secret"), "rides", namespace="local://rides"
        )
        self.repository.__dict__["_api"] = SimpleNamespace(
            refs_api=SimpleNamespace(log_commits=self.log),
            branches_api=SimpleNamespace(list_branches=self.list),
        )

    def log(self, _: str, __: str, *, after: str, amount: int) -> Any:
        return self.page(self.commits, self.commits.index(after) + 1 if after else 0, amount)

    def list(self, _: str, *, after: str, amount: int, prefix: str = "") -> Any:
        assert prefix == ""
        return self.page(self.branches, sum(name <= after for name in self.branches), amount)

    def page(self, every: list[str], start: int, amount: int) -> Any:
        page = every[start : start + amount]
        self.listed += len(page)
        more = start + amount < len(every)
        results = [SimpleNamespace(id=item, metadata=None) for item in page]
        return SimpleNamespace(
            results=results, pagination=SimpleNamespace(has_more=more, next_offset=page[-1] if page else "")
        )


OTHERS = ["candidate-a", "ledger", "main", "receive-b"]


@pytest.mark.parametrize("versions", [100, 300])
def test_new_objects_on_main_are_had_without_all_that_was(versions: int) -> None:
    lake = Lists(versions, [])
    assert [commit for commit, _ in itertools.islice(lake.repository.history(), 3)] == ["c0", "c1", "c2"]
    assert lake.listed < 50


@pytest.mark.parametrize("versions", [100, 300])
def test_branches_that_keep_versions_are_passed_over(versions: int) -> None:
    lake = Lists(0, [*OTHERS, *(f"keep-rides-v{number}" for number in range(versions))])
    assert lake.repository.branches_but("keep-") == OTHERS
    assert lake.listed < 50


def test_listing_gives_everything_where_everything_is_wanted() -> None:
    attempts = [f"candidate-{number:04}" for number in range(1200)]
    lake = Lists(2500, [*attempts, *OTHERS, "keep-rides-v1"])
    assert [commit for commit, _ in lake.repository.history()] == lake.commits
    assert lake.repository.branches_but("keep-") == sorted([*attempts, *OTHERS])
