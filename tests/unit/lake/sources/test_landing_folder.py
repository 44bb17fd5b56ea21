"""The landing folder by itself: what stands still, and how a file leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.sources import Extract, landing_folder
from lake.sources.archive_file import BLOCKED, DONE, put_away
from lake.sources.file_state import FileState
from lake.sources.landing_folder import UNCHANGED_SECONDS, Memory, landing_folders, unchanged_files

DROP = "ab" * 32
LATER = UNCHANGED_SECONDS + 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "landing" / "flights"
    found.mkdir(parents=True)
    return found


def _look(folder: Path, memory: Memory, now: float) -> list[str]:
    return [extract.path.name for extract in unchanged_files(folder, memory, now=now)]


def _delivery(folder: Path, name: str = "a.csv", text: str = "x") -> tuple[Path, FileState]:
    (folder / name).write_text(text)
    memory = Memory()
    _look(folder, memory, 0.0)
    assert name in _look(folder, memory, LATER)
    return folder / name, memory.files[f"flights/{name}"]


def test_file_is_taken_at_the_second_look_that_finds_it_unchanged(folder: Path) -> None:
    (folder / "a.csv").write_text("x")
    memory = Memory()
    assert _look(folder, memory, 0.0) == []
    assert _look(folder, memory, UNCHANGED_SECONDS / 2) == []
    assert _look(folder, memory, LATER) == ["a.csv"]


def test_growing_file_is_not_touched_until_it_stands_still(folder: Path) -> None:
    memory = Memory()
    for step in range(3):
        (folder / "a.csv").write_text("x" * (step + 1))
        assert _look(folder, memory, step * LATER) == []
    assert _look(folder, memory, 3 * LATER) == ["a.csv"]


@pytest.mark.parametrize("name", ["a.csv.part", "a.csv.PART", "a.tmp", ".a.csv", ".done"])
def test_half_written_and_hidden_names_are_not_touched(folder: Path, name: str) -> None:
    (folder / name).write_text("x")
    memory = Memory()
    _look(folder, memory, 0.0)
    assert _look(folder, memory, LATER) == []


def test_links_and_folders_are_not_touched(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (folder / "link.csv").symlink_to(tmp_path / "secret")
    (folder / "sub").mkdir()
    memory = Memory()
    _look(folder, memory, 0.0)
    assert _look(folder, memory, LATER) == []


def test_memory_survives_as_a_cursor_and_an_unreadable_one_costs_only_another_look(folder: Path) -> None:
    (folder / "a.csv").write_text("x")
    memory = Memory()
    _look(folder, memory, 0.0)
    assert _look(folder, Memory.from_text(memory.to_text()), LATER) == ["a.csv"]
    for text in (None, "", "null", "{}", '{"format": 2}', "[1]"):
        assert _look(folder, Memory.from_text(text), LATER) == []


def test_files_that_are_gone_are_forgotten(folder: Path) -> None:
    (folder / "a.csv").write_text("x")
    memory = Memory()
    _look(folder, memory, 0.0)
    (folder / "a.csv").unlink()
    landing_folders(folder.parent, memory, [])
    assert memory.files == {}


def test_remark_is_made_once() -> None:
    memory = Memory()
    assert memory.once("unknown folder")
    assert not Memory.from_text(memory.to_text()).once("unknown folder")


def test_published_file_moves_and_a_second_of_its_name_is_told_apart(folder: Path) -> None:
    assert put_away(*_delivery(folder), DONE, drop=DROP) == folder / ".done" / "a.csv"
    assert put_away(*_delivery(folder, text="y"), DONE, drop=DROP) == folder / ".done" / "a~abababababab.csv"
    assert (
        put_away(*_delivery(folder, text="z"), DONE, drop=DROP) == folder / ".done" / "a~abababababab~2.csv"
    )
    assert (folder / ".done" / "a.csv").read_text() == "x"


def test_file_that_was_written_again_meanwhile_stays(folder: Path) -> None:
    path, state = _delivery(folder)
    path.write_text("something else")
    assert put_away(path, state, DONE, drop=DROP) is None
    assert path.exists()


def test_moving_twice_does_nothing_the_second_time(folder: Path) -> None:
    delivery = _delivery(folder)
    put_away(*delivery, DONE, drop=DROP)
    assert put_away(*delivery, DONE, drop=DROP) is None


def test_blocked_file_has_its_note_beside_it(folder: Path) -> None:
    target = put_away(*_delivery(folder), BLOCKED, drop=DROP, note="why")
    assert target == folder / ".blocked" / "a.csv"
    assert (folder / ".blocked" / "a.csv.txt").read_text() == "why"


def test_move_that_died_after_its_note_is_done_again_under_the_same_name(folder: Path) -> None:
    (folder / ".blocked").mkdir()
    (folder / ".blocked" / "a.csv.txt").write_text("from the dead one")
    assert put_away(*_delivery(folder), BLOCKED, drop=DROP, note="why") == folder / ".blocked" / "a.csv"
    assert (folder / ".blocked" / "a.csv.txt").read_text() == "why"


def test_note_never_takes_the_place_of_a_blocked_file(folder: Path) -> None:
    put_away(*_delivery(folder, "a.csv.txt", "data"), BLOCKED, drop=DROP, note="note of the text file")
    put_away(*_delivery(folder, "a.csv"), BLOCKED, drop=DROP, note="note of a.csv")
    assert (folder / ".blocked" / "a.csv.txt").read_text() == "data"
    assert (folder / ".blocked" / "a~abababababab.csv.txt").read_text() == "note of a.csv"


def test_source_shows_a_file_until_it_is_put_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.csv").write_text("x")
    memory, clock = Memory(), iter(range(0, 100, int(LATER)))
    monkeypatch.setattr(landing_folder.time, "time", lambda: float(next(clock)))
    (source,) = landing_folders(folder.parent, memory, ["flights"])
    assert list(source.poll("")) == []
    (extract,) = source.poll("")
    assert (extract.dataset, extract.path) == ("flights", folder / "a.csv")
    assert (extract.position, extract.drop) == ("", None)
    source.received(extract, DROP)
    memory = Memory.from_text(memory.to_text())
    (source,) = landing_folders(folder.parent, memory, ["flights"])
    (again,) = source.poll("")
    assert (again.id, again.drop) == (extract.id, DROP)
    assert source.put_away(again, DROP)
    assert (folder / ".done" / "a.csv").read_text() == "x"
    assert not source.put_away(again, DROP)
    assert list(source.poll("")) == []


def test_source_leaves_a_refused_file_with_its_note(folder: Path) -> None:
    (path, state), memory = _delivery(folder), Memory()
    memory.files["flights/a.csv"] = state
    (source,) = landing_folders(folder.parent, memory, ["flights"])
    extract = Extract("flights", path, state.delivery_id("flights", path.name))
    path.write_text("something else")
    assert not source.put_away(extract, DROP, note="why")
    memory.files["flights/a.csv"] = _delivery(folder)[1]
    assert source.put_away(extract, DROP, note="why")
    assert (folder / ".blocked" / "a.csv.txt").read_text() == "why"


def test_folders_of_datasets_are_made_and_hidden_ones_are_none(tmp_path: Path) -> None:
    for name in (".hidden", "other"):
        (tmp_path / name).mkdir()
    assert [source.place for source in landing_folders(tmp_path, Memory(), ["flights"])] == [
        "landing/flights/",
        "landing/other/",
    ]
