"""A small file is written whole or not at all, by one writer or by many."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from lakegate.atomic import AS_OTHER_FILES, write_atomically


def test_file_is_its_owners_alone_whatever_the_umask_unless_it_is_to_be_as_others(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        write_atomically(tmp_path / "keys", "é")
        write_atomically(tmp_path / "note", b"\xff", mode=AS_OTHER_FILES)
        os.umask(0o027)
        write_atomically(tmp_path / "note-2", "x", mode=AS_OTHER_FILES, durable=True)
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("keys", "note", "note-2")] == [
        0o600,
        0o666,
        0o640,
    ]
    assert ((tmp_path / "keys").read_text(encoding="utf-8"), (tmp_path / "note").read_bytes()) == (
        "é",
        b"\xff",
    )


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_write_that_fails_leaves_what_was_there_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write_atomically(tmp_path / "state.json", "old")
    monkeypatch.setattr(*((os, "fsync", full) if broken == "fsync" else (Path, "replace", full)))
    with pytest.raises(OSError, match="No space"):
        write_atomically(tmp_path / "state.json", "new", durable=True)
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    assert (tmp_path / "state.json").read_text() == "old"


def test_reader_beside_many_writers_reads_one_of_them_whole(tmp_path: Path) -> None:
    path, texts = tmp_path / "state.json", [str(number) * 50_000 for number in range(8)]
    write_atomically(path, texts[0])
    writers = [
        threading.Thread(target=lambda text=text: [write_atomically(path, text) for _ in range(20)])
        for text in texts
    ]
    for writer in writers:
        writer.start()
    read = set()
    while any(writer.is_alive() for writer in writers):
        read.add(path.read_text())
    for writer in writers:
        writer.join()
    assert read <= {*texts}
    assert [found.name for found in tmp_path.iterdir()] == ["state.json"]


def test_name_as_long_as_a_folder_takes_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write_atomically(path, "note")
    assert path.read_text() == "note"
