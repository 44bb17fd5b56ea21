"""A lake of the user's own: a folder of contracts, suites and SQL, without Python."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from lakegate.errors import LakegateError, UsageError

_FOLDERS: Final = ("catalog/contracts", "catalog/sql", "expectations/suites")
_FILES: Final = {
    "README.md": "README.md",
    "workspace.yaml": "workspace.yaml",
    "catalog/contracts/sensor_readings.odcs.yaml.txt": "sensor_readings.odcs.yaml.txt",
}
"""Where each template goes. The contract ends in .txt: it is an example until it is renamed."""

_IGNORE: Final = ".gitignore"
_IGNORED: Final = """\
# Lakegate's state: data, keys and Dagster's runs, none of which belongs into a repository.
/.lakegate/
"""

_KEEP: Final = ".gitkeep"
"""Git drops empty folders, and without catalog/contracts the folder would no longer be a lake."""


def init_project(folder: Path) -> list[Path]:
    """Write a bare lake into a new, empty or so far unrelated folder; nothing that is there is changed.

    Returns:
        The files written.

    Raises:
        UsageError: The folder is a file, is a lake already, or holds a file of the same name.
        LakegateError: It can't be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", fix="name a new folder")
    targets = {folder / name: template for name, template in _FILES.items()}
    if taken := [path for path in (folder / "catalog", folder / "expectations", *targets) if path.exists()]:
        what = f"{taken[0]} is there already"
        raise UsageError(what, where=str(folder), fix="name a new folder; nothing was written")
    written: list[Path] = []
    try:
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True)
            targets[folder / name / _KEEP] = ""
        if not (folder / _IGNORE).exists():  # in a repository that is there already it is somebody's
            (folder / _IGNORE).write_text(_IGNORED, encoding="utf-8")
            written.append(folder / _IGNORE)
        for path, template in targets.items():
            text = (files("catalog") / "templates" / template).read_text(encoding="utf-8") if template else ""
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        what = f"the folder can't be written ({error.strerror})"
        raise LakegateError(what, where=str(folder), fix="make it writable, or name another") from error
    return sorted([*targets, *written])
