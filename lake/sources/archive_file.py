"""A file leaves the landing folder: to `.done/`, or to `.blocked/` with a note beside it.

Each move is one rename, after the note was written: a process that dies in between leaves a file that the
next poll moves.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from catalog.contract import Contract
from lake.sources.file_state import FileState, read_state
from lakegate.atomic import AS_OTHER_FILES, write_atomically
from lakegate.media import line, message

DONE: Final = ".done"
BLOCKED: Final = ".blocked"

_REFUSED: Final = """\
Correct the file and put it into the folder above under its name (under another where its name is what \
refused it), or correct the contract
and put this file there again: it is then judged anew."""
_ON_HOLD: Final = (
    "It was held when this was written. Once it is approved it is published from there; this file is not "
    "needed for it."
)


def put_away(path: Path, state: FileState, into: str, *, drop: str, note: str | None = None) -> Path | None:
    """Move a delivered file into a folder beside it; None where it is gone or was written again meanwhile.

    Args:
        path: The file.
        state: What it was like when it was received.
        into: DONE or BLOCKED.
        drop: SHA-256 of its bytes; its first digits distinguish it from an earlier file of the same name.
        note: Text of the `<name>.txt` beside it.
    """
    if not state.same(read_state(path)):
        return None
    folder = path.parent / into
    folder.mkdir(exist_ok=True)
    numbered = (f"~{drop[:12]}~{number}" for number in itertools.count(2))
    marks = itertools.chain(["", f"~{drop[:12]}"], numbered)
    names = (folder / f"{path.stem}{mark}{path.suffix}" for mark in marks)
    target = next(name for name in names if not _taken(name))
    if note is not None:
        write_atomically(_note(target), note, mode=AS_OTHER_FILES)
    try:
        path.rename(target)
    except FileNotFoundError:
        return None
    return target


def note_of(
    contract: Contract,
    file: str,
    *,
    drop: str,
    reason: str,
    rules: Sequence[Mapping[str, Any]],
    held: bool = False,
) -> str:
    """The note beside a blocked file: which rules refused it, whom to ask and what to do; no value of a row.

    Args:
        contract: Of its dataset.
        file: Its name.
        drop: SHA-256 of its bytes.
        reason: Why it was blocked.
        rules: What was found of each rule.
        held: It waits for an approval.
    """
    broken = [rule for rule in rules if rule["failed"]]
    listed = [
        f"  {line(rule['rule'])} ({rule['family']}, {rule['severity']}): {rule['failed']}" for rule in broken
    ]
    lines = [
        f"{line(file)} was not published.",
        "",
        f"dataset  {contract.name}",
        f"drop     {drop}",
        f"reason   {message(reason)}",
        "",
        *(["rules", *listed, ""] if broken else []),
        f"owner    {line(contract.owner or 'not named in the contract')}",
        *([f"help     {message(contract.support)}"] if contract.support else []),
        "",
        "The delivery is stored in the lake's raw area.",
        _ON_HOLD if held else _REFUSED,
        "",
    ]
    return "\n".join(lines)


def _taken(path: Path) -> bool:
    """Whether a file has the name, or a blocked file's note; the note of a move that died doesn't count."""
    return path.exists() or path.is_symlink() or _note(_note(path)).exists()


def _note(target: Path) -> Path:
    return target.with_name(f"{target.name}.txt")
