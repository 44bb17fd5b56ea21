"""Files of one call: some at a time where nobody asks for an order, all at once where an order decides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from expectations.verdict import Verdict
from lake.hops.job import HopResult
from lake.pipeline import call_checks
from lake.pipeline import ingest as module
from lake.pipeline.ingest import TOGETHER, DropResult, ingest

FILES = 3 * TOGETHER + 5


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str]]:
    """What was done, in its order; nothing is really received or carried."""
    found: list[tuple[str, str]] = []

    def receive(_: Any, __: str, path: Path, **___: Any) -> Any:
        found.append(("receive", path.name))
        return SimpleNamespace(sha256=path.read_text(), name=path.name)

    def carry(_: Any, __: Any, drops: list[Any], **___: Any) -> Iterator[DropResult]:
        for drop in drops:
            found.append(("carry", drop.name))
            yield DropResult(
                "rides",
                drop.sha256,
                (HopResult("raw", "rides_raw", Verdict.PASSED, "rides_raw@v1", {}, []),),
                drop.name,
            )

    def carry_waiting(*_: Any, tried: set[str], **__: Any) -> Iterator[DropResult]:
        found.append(("waiting", str(len(tried))))
        return iter(())

    monkeypatch.setattr(module, "receive", receive)
    monkeypatch.setattr(module, "process_drops", carry)
    monkeypatch.setattr(module, "carry_waiting", carry_waiting)
    monkeypatch.setattr(call_checks, "build_suite", lambda *_: None)
    return found


def carried(
    tmp_path: Path, *, mode: str = "append", order_by: str | None = None, contents: range = range(FILES)
) -> list[DropResult]:
    files = []
    for number, content in enumerate(contents):
        files.append(tmp_path / f"{number:03}.csv")
        files[-1].write_text(str(content))
    contract = SimpleNamespace(name="rides", kind="dataset", write_mode=mode, order_by=order_by)
    settings = SimpleNamespace(project=tmp_path, home=SimpleNamespace(root=tmp_path))
    session: Any = SimpleNamespace(
        catalog=SimpleNamespace(get=lambda _: contract), settings=settings, caching=nullcontext
    )
    return ingest(session, "rides", files)


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_some_files_at_a_time_are_received_and_carried_in_their_order(
    events: list[tuple[str, str]], tmp_path: Path, mode: str
) -> None:
    assert len(carried(tmp_path, mode=mode)) == FILES
    ahead = most = 0
    for what, _ in events:
        ahead += {"receive": 1, "carry": -1}.get(what, 0)
        most = max(most, ahead)
    assert most == TOGETHER
    for verb in ("receive", "carry"):
        assert [name for what, name in events if what == verb] == [
            f"{number:03}.csv" for number in range(FILES)
        ]
    assert events[-1] == ("waiting", str(FILES))


@pytest.mark.parametrize(("mode", "order_by"), [("append", "day"), ("replace", None)])
def test_files_are_all_received_first_where_an_order_decides(
    events: list[tuple[str, str]], tmp_path: Path, mode: str, order_by: str | None
) -> None:
    carried(tmp_path, mode=mode, order_by=order_by)
    assert [what for what, _ in events] == ["receive"] * FILES + ["carry"] * FILES + ["waiting"]


def test_same_content_is_carried_once_however_far_apart_its_files_are(
    events: list[tuple[str, str]], tmp_path: Path
) -> None:
    contents = [*range(TOGETHER + 3), 0, 1]
    results = carried(tmp_path, contents=contents)  # type: ignore[arg-type]
    assert [result.drop for result in results] == [str(number) for number in range(TOGETHER + 3)]
    assert sum(what == "carry" for what, _ in events) == TOGETHER + 3
    assert sum(what == "receive" for what, _ in events) == TOGETHER + 5
