"""Delta logs that a process has open: it goes on with one where nobody else wrote since, instead of reading it again."""

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
    """Where delta-rs finds a table's log, and the table as it opened it last."""

    uri: str
    options: dict[str, str] = field(default_factory=dict, repr=False)
    table: DeltaTable | None = None

    def opened(self) -> DeltaTable | None:
        """The table as its log tells it now; None where there is none."""
        from lake.tables.delta_rs import DeltaTable, TableNotFoundError

        with contextlib.suppress(TableNotFoundError):
            if self.table is None:
                self.table = DeltaTable(self.uri, storage_options=self.options)
            else:
                self.table.update_incremental()
        return self.table


@dataclass
class OpenLog:
    """A log that this process wrote, which it goes on with where nobody else wrote since."""

    folder: Path
    log: Log
    close: Callable[[], object]

    @classmethod
    def made(cls, session: Session) -> OpenLog:
        """An empty folder for one."""
        stack = contextlib.ExitStack()
        table = stack.enter_context(session.scratch("log")) / "table"
        (table / FOLDER).mkdir(parents=True)
        return cls(table, Log(str(table)), stack.close)

    def is_of(self, repository: Repository, ref: str, path: str) -> bool:
        """Whether the log of the tree `ref` ends with the entry that this one ends with: entries name files that no other attempt writes."""
        last = max((file.name for file in (self.folder / FOLDER).glob("*.json")), default="")
        if not last:
            return False
        found = {
            item.path: item
            for item in repository.listing(ref, f"{path}/{FOLDER}/", after=f"{path}/{FOLDER}/{last[:20]}")
        }
        same = found.get(f"{path}/{FOLDER}/{last}")
        block = repository.local(repository.physical(same.physical_address)) if same is not None else None
        if (
            block is None
            or not block.is_file()
            or block.read_bytes() != (self.folder / FOLDER / last).read_bytes()
        ):
            return False
        return not any(item.endswith(".json") and item > f"{path}/{FOLDER}/{last}" for item in found)


class DeltaLogCache:
    """Those of the tables that this process wrote, by their paths."""

    def __init__(self) -> None:
        self._kept: dict[str, OpenLog] = {}
        self._held = 0

    @classmethod
    def of(cls, _: Session) -> DeltaLogCache:
        """Those of a session."""
        return cls()

    @contextlib.contextmanager
    def caching(self) -> Iterator[None]:
        """What is given back within stays until the outermost of these ends."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            while not self._held and self._kept:
                self._kept.popitem()[1].close()

    def take(self, path: str) -> OpenLog | None:
        """The one of a table, which nobody else has then."""
        return self._kept.pop(path, None)

    def give(self, path: str, log: OpenLog) -> None:
        """Keep one, or close it where nothing is at hand."""
        if self._held:
            self._kept[path] = log
        else:
            log.close()
