"""Change a contract in a copy of the demo's catalog."""

from __future__ import annotations

from pathlib import Path


def change(lake: Path, name: str, old: str, new: str) -> tuple[Path, int]:
    """Replace one text in a contract; its file and the line of the change."""
    path = lake / "catalog" / "contracts" / f"{name}.odcs.yaml"
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new, 1))
    lead = len(new) - len(new.lstrip("\n "))
    return path, text[: text.index(old)].count("\n") + new[:lead].count("\n") + 1
