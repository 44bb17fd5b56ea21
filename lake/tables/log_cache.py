"""Delta logs that a process holds open: it needn't read one again where nobody else wrote since."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lake.lakefs.repository import Repository

if TYPE_CHECKING:
    from lake.session import Session
    from lake.tables.delta_rs import DeltaTable

FOLDER: Final = "_delta_log"


@dataclass
class Log:
    """The address of a table's log for delta-rs, and the table as delta-rs last opened it."""

    uri: str
    options: dict[str, str] = field(default_factory=dict, repr=False)
    table: DeltaTable | None = None

    def opened(self) -> DeltaTable | None:
        """The table by its log now; None where there is none."""
        from lake.tables.delta_rs import DeltaTable, TableNotFoundError

        with contextlib.suppress(TableNotFoundError):
            if self.table is None:
                self.table = DeltaTable(self.uri, storage_options=self.options)
            else:
                self.table.update_incremental()
        return self.table


@dataclass
class OpenLog:
    """A log on this disk that this process wrote."""

    folder: Path
    log: Log
    close: Callable[[], object]

    @classmethod
    def made(cls, session: Session) -> OpenLog:
        """An empty log."""
        stack = contextlib.ExitStack()
        table = stack.enter_context(session.scratch("log")) / "table"
        (table / FOLDER).mkdir(parents=True)
        return cls(table, Log(str(table)), stack.close)

    def is_of(self, repository: Repository, ref: str, path: str) -> bool:
        """Whether the log of the tree `ref` ends with this log's last entry.

        Entries name files that no other attempt writes, so two logs with the same last entry are the same.
        """
        log, prefix = self.folder / FOLDER, f"{path}/{FOLDER}/"
        last = max((file.name for file in log.glob("*.json")), default="")
        found = repository.listing(ref, prefix, after=f"{prefix}{last[:20]}") if last else []
        entries = sorted((item for item in found if item.path.endswith(".json")), key=lambda item: item.path)
        if not entries or entries[-1].path != f"{prefix}{last}":
            return False
        block = repository.local(repository.physical(entries[-1].physical_address))
        return block is not None and block.is_file() and block.read_bytes() == (log / last).read_bytes()


class DeltaLogCache:
    """The open logs of the tables that this process wrote, by their paths."""

    def __init__(self) -> None:
        self._logs: dict[str, OpenLog] = {}
        self._caching = False

    @classmethod
    def of(cls, _: Session) -> DeltaLogCache:
        """An empty cache."""
        return cls()

    @contextlib.contextmanager
    def caching(self) -> Iterator[None]:
        """Hold logs until this ends; a session enters it once."""
        self._caching = True
        try:
            yield
        finally:
            self._caching = False
            while self._logs:
                self._logs.popitem()[1].close()

    def take(self, path: str) -> OpenLog | None:
        """Take a table's log out of the cache; None where it has none."""
        return self._logs.pop(path, None)

    def give(self, path: str, log: OpenLog) -> None:
        """Put a table's log back; it is closed where nothing is cached."""
        if self._caching:
            self._logs[path] = log
        else:
            log.close()
