"""Draw docs/pictures/terminal.svg: the demo's commands as a terminal shows them, long output cut.

Run as `python -m tools.terminal_picture` in a checkout: it makes the demo in a home of its own, which takes a
minute.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURE: Final = ROOT / "docs" / "pictures" / "terminal.svg"
COMMANDS: Final = (
    ("demo", r"  (raw|processed|features) ", 4, 3),
    ("quarantine flights --limit 2", "", 4, 0),
    ("replay flights --dry-run", "", 1, 0),
    ("verify flights@v6", "", 1, 0),
)
"""Each command, how its shown lines begin, and how many of these from the beginning and from the end."""
WIDTH: Final = 104


def shown(command: str, begin: str, first: int, last: int, *, home: str) -> list[str]:
    """Lines of what a command prints, with a word for those that are left out."""
    call = [Path(sys.executable).with_name("lakegate"), *command.split(), "--home", home]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line and re.match(begin, line)]
    cut = lines[:first]
    if len(lines) > first + last:
        cut.append("  ...")
    if last:
        cut += lines[-last:]
    return [line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..." for line in cut]


def main() -> None:
    """Run the commands and write the picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as home:
        for command, begin, first, last in COMMANDS:
            console.print(Text(f"$ lakegate {command}", style="bold green"))
            for line in shown(command, begin, first, last, home=home):
                console.print(Text(line), soft_wrap=True)
            console.print()
        shown("down", "", 0, 0, home=home)
    console.save_svg(str(PICTURE), title="lakegate", theme=DIMMED_MONOKAI)
    # The picture names a font that it would fetch; a page of documentation fetches nothing.
    text = PICTURE.read_text(encoding="utf-8")
    while (start := text.find("@font-face")) >= 0:
        text = text[:start] + text[text.index("}", start) + 1 :].lstrip()
    PICTURE.write_text(text.replace("Fira Code, monospace", "Menlo, Consolas, monospace"), encoding="utf-8")


if __name__ == "__main__":
    main()
