"""What a contestant is given and what it gives back, as JSON: the one thing that all of them share.

A contestant is `python -m benchmarks.rivals.programs.<name> CASE.json`; the last line that it prints is its
outcome.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Case:
    """A delivery to judge, and where the result goes.

    `url` with `key_id` and `secret` is lakeFS's S3 gateway and `place` a bucket and prefix there, or a local
    folder where there is no `url`; `place` holds the reference as `airports.parquet` and takes the two tables
    `trips` and `quarantine`. `home` and `project` are Lakegate's own.
    """

    csv: str
    rows: int
    columns: int
    rules: int
    dirty: bool
    place: str
    scratch: str
    url: str = ""
    key_id: str = ""
    secret: str = ""
    home: str = ""
    project: str = ""
    kind: Literal["lakegate", "lakefs", "local"] = "lakefs"

    @property
    def name(self) -> str:
        """The case in a few words, as results list it."""
        return f"{self.rows:_} x {self.columns}, {self.rules} rules, {'dirty' if self.dirty else 'clean'}"


@dataclass
class Outcome:
    """Rows of both tables, rows that break each rule, and seconds by step."""

    valid: int = 0
    quarantined: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    content: str = ""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.steps[name] = round(self.steps.get(name, 0.0) + time.perf_counter() - start, 3)


def run_program(run: Callable[[Case, Outcome], None]) -> None:
    """Run a contestant on the case that the command line names, and print its outcome."""
    case, found = Case(**json.loads(Path(sys.argv[1]).read_text())), Outcome()
    run(case, found)
    print(json.dumps(asdict(found)), flush=True)


def write_case(path: Path, case: Case) -> None:
    """Write a contestant's case; it holds keys, so it is its owner's only."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(case)))
