"""Many write at once: each drop is judged in full, published in turn,
and nobody waits for a judgement that isn't his.
"""

from __future__ import annotations

import os

import pytest

from tests.crash.conftest import Tried
from tests.support.lakes.scene import Scene, answer, stopped

pytestmark = pytest.mark.server

WRITERS = int(os.environ.get("LAKEGATE_WRITERS", "4"))
"""8 by hand."""
DROPS = int(os.environ.get("LAKEGATE_WRITERS_DROPS", "12"))
"""40 by hand."""


def test_drop_is_judged_while_another_is_published_and_judged_again_for_its_keys(scene: Scene) -> None:
    """Rides 50 to 99 are in both: whoever is published first has them."""
    slow, quick = scene.drop("slow.csv", range(1, 101)), scene.drop("quick.csv", range(50, 201))
    first = scene.start(
        "ingest",
        "rides",
        slow,
        plan={"table": "rides", "step": "evaluate.done", "occurrence": 1, "does": "stop"},
    )
    with stopped(first):
        (done,) = scene.run("ingest", "rides", quick)
    (late,) = answer(first)
    assert [hop["name"] for hop in done["hops"]] == ["rides_raw@v2", "rides@v1"]
    assert [hop["name"] for hop in late["hops"]] == ["rides_raw@v1", "rides@v2"]
    assert late["hops"][1]["rows_valid"] == 49
    assert late["hops"][1]["rows_quarantined"] == 51
    assert scene.published()["rides"][-1]["rows_total"] == 49 + 150
    assert scene.left_over() == []


def test_one_of_two_overlapping_replaces_wins_and_the_other_is_told_which(scene: Scene, tried: Tried) -> None:
    first = scene.start(
        "ingest",
        "rates",
        scene.drop("slow.csv", range(1, 11)),
        plan={"table": "rates", "step": "evaluate.done", "occurrence": 1, "does": "stop"},
    )
    with stopped(first):
        scene.run("ingest", "rates", scene.drop("quick.csv", range(1, 21)))
    _, err = first.communicate(timeout=60)
    assert first.returncode == 1, err
    assert "rates@v1 was published since this delivery was judged" in err
    assert [version["name"] for version in scene.published()["rates"]] == ["rates@v1"]
    tried("P1 atomic", "two deliveries that replace a table at once: one wins, the other names it", 1)


def test_same_file_by_five_at_once_is_one_version(scene: Scene, tried: Tried) -> None:
    scene.run("ingest", "rates", scene.drop("rates.csv", range(1, 4)))  # the home is made and its server runs
    file = scene.drop("rides.csv", range(1, 101))
    told = [
        answer(process)[0]["hops"] for process in [scene.start("ingest", "rides", file) for _ in range(5)]
    ]
    assert sorted(hop["verdict"] for hops in told for hop in hops if hop["table"] == "rides") == [
        "quarantined",
        *["unchanged"] * 4,
    ]
    assert {hop["name"] for hops in told for hop in hops if hop["table"] == "rides"} == {"rides@v1"}
    assert scene.left_over() == []
    tried("P3 exactly once", "one file by five at once: one version, four times `unchanged`", 1)


def test_all_that_many_write_to_one_table_at_once_lands(scene: Scene, tried: Tried) -> None:
    files = [
        scene.drop(f"{number}.csv", range(1 + 100 * number, 101 + 100 * number)) for number in range(DROPS)
    ]
    processes = [scene.start("ingest", "rides", *files[number::WRITERS]) for number in range(WRITERS)]
    told = [
        hop
        for process in processes
        for drop in answer(process, timeout=300)
        for hop in drop["hops"]
        if hop["table"] == "rides"
    ]
    assert sorted(hop["version"] for hop in told) == list(range(1, DROPS + 1))
    assert {(hop["rows_valid"], hop["rows_quarantined"]) for hop in told} == {(99, 1)}
    assert scene.published()["rides"][-1]["rows_total"] == DROPS * 99
    assert scene.left_over() == []
    tried("P1 atomic", f"drops to one table by {WRITERS} writers at once", DROPS)
