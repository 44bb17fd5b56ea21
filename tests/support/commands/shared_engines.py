"""What processes of tests keep, and a user's makes anew once in its life:
they carry out hundreds of commands.

A Sail outlives the command that started it. Dagster's migrations are read once,
which each opening of an instance does.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import lake.engine.startup
from lake.engine.sail import Sail

MOST = 2
"""That are kept at a time: those that were asked last."""


class Kept(Sail):
    """One that goes on when its engine ends it, and takes one session after the other."""

    def __init__(self, settings: Mapping[str, str | None], *, guarded: bool) -> None:
        super().__init__(settings, guarded=guarded)
        self.end, self.close = self.close, lambda: None  # type: ignore[assignment]
        self._said = ""

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def _port(self) -> str:
        self._said = self._said or super()._port()
        return self._said


def keep_sails() -> None:
    """Have this process's engines begin with a Sail that is there, where one of their settings is:
    the same keys at the same lakeFS.
    """
    kept: dict[Any, Kept] = {}

    def begin(settings: Mapping[str, str | None], *, guarded: bool) -> Sail:
        asked = (*sorted(settings.items(), key=str), guarded)
        found = kept.pop(asked, None)
        kept[asked] = found if found is not None and found.lives else Kept(settings, guarded=guarded)
        for old in list(kept)[:-MOST]:
            kept.pop(old).end()
        return kept[asked]

    lake.engine.startup.Sail = begin  # type: ignore[assignment,misc]


def keep_migrations() -> None:
    """Have alembic read each of Dagster's folders of migrations now, and once:
    each opening of an instance reads dozens of files.
    """
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from dagster._core.storage.sql import get_alembic_config

    from assets.instance import DATABASES

    folders: dict[str | None, ScriptDirectory] = {}
    read = ScriptDirectory.from_config

    def kept(config: Config) -> ScriptDirectory:
        where = config.get_main_option("script_location")
        if where not in folders:
            folders[where] = read(config)
        return folders[where]

    ScriptDirectory.from_config = kept  # type: ignore[method-assign,assignment]
    for module in DATABASES.values():
        kept(get_alembic_config(str(importlib.import_module(module).__file__))).get_current_head()
