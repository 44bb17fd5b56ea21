"""The least source with positions: a list of byte strings, each at the position of its place.

A script too, whose argument is a plan in JSON: it receives what came, as a sensor does, and dies at a step.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lake.hops.receive import receive
from lake.ledger.receipts import Advance, Drop, last_position
from lake.session import Session, open_session
from lake.sources import Extract, Source
from lakegate.settings import Settings


@dataclass
class ListSource(Source):
    """Deliveries of one dataset, each on disk from when it is asked for until the next is."""

    dataset: str
    contents: Sequence[bytes]
    folder: Path
    name: str = "list"
    place: str = "a list"

    def poll(self, position: str) -> Iterator[Extract]:
        done = int(position or 0)
        for number, content in enumerate(self.contents[done:], start=done + 1):
            path = self.folder / f"delivery-{number}-{os.getpid()}.csv"
            path.write_bytes(content)
            try:
                yield Extract(self.dataset, path, f"list-{number}", str(number))
            finally:
                path.unlink()


def take(session: Session, source: Source, reach: Callable[[str], None] = lambda _: None) -> list[Drop]:
    """Receive all that came since the newest receipt."""
    position, found = last_position(session, source.name), list[Drop]()
    for extract in source.poll(position):
        reach("polled")
        advance = Advance(source.name, position, extract.position)
        found.append(receive(session, extract.dataset, extract.path, advance=advance))
        position = extract.position
        reach("received")
    return found


def main(plan: dict[str, Any]) -> None:
    """Take in the list, and die where the plan says."""
    left = int(plan["occurrence"])

    def reach(step: str) -> None:
        nonlocal left
        left -= step == plan["step"]
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = Settings.load(home=plan["home"], project=plan["project"])
    session = open_session(settings, watcher=lambda _, step: reach(step))
    contents = [text.encode() for text in plan["contents"]]
    take(session, ListSource(plan["dataset"], contents, Path(plan["folder"])), reach)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
