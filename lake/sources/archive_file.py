"""A file leaves the landing folder: to `.done/`, or to `.blocked/` with a note beside it.

Each move is one rename, after the note was written: whoever dies in between leaves a file that the next look moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from catalog.contract import Contract
from lake.sources.delivered_file import Delivery
from lakegate.atomic import AS_OTHER_FILES, write_atomically
from lakegate.media import line, message

DONE: Final = ".done"
BLOCKED: Final = ".blocked"


def put_away(delivery: Delivery, into: str, *, drop: str, note: str | None = None) -> Path | None:
    """Move a delivered file into a folder beside it; None where it is gone or was written again meanwhile.

    Args:
        delivery: The file as it was looked at.
        into: DONE or BLOCKED.
        drop: SHA-256 of its bytes; its first digits tell it from an earlier file of the same name.
        note: Text of the `<name>.txt` beside it.
    """
    if not delivery.untouched():
        return None
    folder = delivery.path.parent / into
    folder.mkdir(exist_ok=True)
    target = next(path for path in _names(folder, delivery.path, drop) if not _taken(path))
    if note is not None:
        write_atomically(_note(target), note, mode=AS_OTHER_FILES)
    try:
        delivery.path.rename(target)
    except FileNotFoundError:
        return None
    return target


_REFUSED: Final = (
    "Correct the file and put it into the folder above under its name (under another where its name is what refused it), or correct the contract",
    "and put this file there again: it is then judged anew.",
)
_ON_HOLD: Final = (
    "It was held when this was written. Once it is approved it is published from there; this file is not needed for it.",
)


def note_of(
    contract: Contract,
    file: str,
    *,
    drop: str,
    reason: str,
    rules: Sequence[Mapping[str, Any]],
    held: bool = False,
) -> str:
    """Why a file was blocked, which rules refused it, whom to ask and what to do; no value of a row."""
    lines = [
        f"{line(file)} was not published.",
        "",
        f"dataset  {contract.name}",
        f"drop     {drop}",
        f"reason   {message(reason)}",
        "",
    ]
    broken = [rule for rule in rules if rule["failed"]]
    if broken:
        lines += ["rules"]
        lines += [
            f"  {line(rule['rule'])} ({rule['family']}, {rule['severity']}): {rule['failed']}"
            for rule in broken
        ]
        lines += [""]
    lines += [f"owner    {line(contract.owner or 'not named in the contract')}"]
    if contract.support:
        lines += [f"help     {message(contract.support)}"]
    lines += ["", "The delivery is kept in the lake's raw area.", *(_ON_HOLD if held else _REFUSED), ""]
    return "\n".join(lines)


def _names(folder: Path, path: Path, drop: str) -> Iterator[Path]:
    yield folder / path.name
    yield folder / f"{path.stem}~{drop[:12]}{path.suffix}"
    number = 2
    while True:
        yield folder / f"{path.stem}~{drop[:12]}~{number}{path.suffix}"
        number += 1


def _taken(path: Path) -> bool:
    """Whether the name is in use by a file, or that of its note by a blocked file; a lone note is a dead move's."""
    return path.exists() or path.is_symlink() or _note(_note(path)).exists()


def _note(target: Path) -> Path:
    return target.with_name(f"{target.name}.txt")
