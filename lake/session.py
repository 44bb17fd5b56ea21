"""An open lake: what every step of a run works with, made once per process."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, cast

from filelock import SoftFileLease

from catalog.files import Catalog, load_catalog
from lake import paths
from lake.engine.engine import Engine
from lake.engine.environment import prepare_environment
from lake.engine.reference_cache import ReferenceCache
from lake.engine.startup import preload
from lake.lakefs.repository import MAIN, Repository
from lake.migrations.migrate import migrate
from lake.runtime.leases import at_once, lease_at, wait_for
from lake.runtime.scratch import scratch, sweep
from lake.runtime.step_timer import Watcher
from lake.server.lifecycle import ensure_server
from lake.server.port_owner import is_own
from lake.versions.publish import Published
from lakegate.files.ranges import Ranges
from lakegate.home import Endpoint, to_stderr
from lakegate.names import VersionName
from lakegate.settings import Settings

Say = Callable[[str], None]
C = TypeVar("C", bound="Cache")


class Cache(Protocol):
    """Values that a session holds between hops for the package that owns the kind; the lake has them all."""

    @classmethod
    def of(cls, session: Session) -> Self:
        """An empty cache."""

    def caching(self) -> contextlib.AbstractContextManager[None]:
        """Hold added values until this ends; a session enters it once."""


@dataclass
class Session:
    """One tenant's lake, opened. Repository and engine are readied at their first use."""

    settings: Settings
    endpoint: Endpoint
    _repository: Repository
    watcher: Watcher | None = None
    log: Say = to_stderr
    """Called with each message about work that takes time."""
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Id of the run in this process: Dagster's, where it is one of its runs."""
    backfill: bool = False
    """Whether this run lets other runs go first."""
    dry_run: bool = False
    """Whether nothing may be written now, in the lake or the home."""
    listeners: list[Any] = field(default_factory=list)
    """Who is sent the events of its hops: each a `lake.hops.events.Listener`."""
    finished: dict[VersionName, Published] = field(default_factory=dict)
    """Versions that this process has seen merged, tagged and retained; they never change."""
    swept: set[VersionName] = field(default_factory=set)
    """Those of them whose dead candidates are deleted."""
    orders: dict[tuple[str, str], int | float | str] = field(default_factory=dict)
    """The values that order drops, by dataset and SHA-256; they never change."""
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    """The names under which drops were delivered, as far as this process knows."""
    unmarked: set[tuple[str, str]] = field(default_factory=set)
    """Drops, by dataset and SHA-256, whose content this process received first: none was refused before."""
    measured: dict[str, Ranges] = field(default_factory=dict)
    """Hashes of ranges of written files, by path, until their version's proofs hold them."""
    proved: dict[str, frozenset[str] | None] = field(default_factory=dict)
    """By a file's physical address: its columns that this process has proved; None: all of the file."""
    _caches: dict[object, Cache] = field(default_factory=dict)
    _caching: contextlib.ExitStack | None = None
    _leases: dict[str, SoftFileLease] = field(default_factory=dict)
    _ready: bool = False
    _readying: threading.Lock = field(default_factory=threading.Lock)

    @property
    def repository(self) -> Repository:
        """The tenant's repository; the first use creates it where it is missing, and migrates an older one.

        Raises:
            LakegateError: lakeFS doesn't respond, or refuses it; or a later release migrated it.
        """
        with self._readying:
            if not self._ready:
                self._repository.create()
                self._repository.branch(paths.LEDGER, MAIN)
                migrate(self.settings.home, self._repository, lease=self.settings.lease, say=self.log)
                self._ready = True
        return self._repository

    @cached_property
    def catalog(self) -> Catalog:
        """The project's contracts, broken ones among them."""
        return load_catalog(self.settings.project, cache=self.settings.home.cache)

    @cached_property
    def engine(self) -> Engine:
        """The engine of this process."""
        return Engine(self.settings, self.endpoint)

    @cached_property
    def references(self) -> ReferenceCache:
        """The pinned references that this process has copied."""
        return ReferenceCache(self.engine)

    def cache(self, kind: type[C]) -> C:
        """The session's one cache of a kind, made at its first use; it holds values only while `caching`."""
        if (found := self._caches.get(kind)) is None:
            found = self._caches[kind] = kind.of(self)
            if self._caching is not None:
                self._caching.enter_context(found.caching())
        return cast("C", found)

    @contextlib.contextmanager
    def caching(self) -> Iterator[None]:
        """Let caches hold values until the outermost of these ends."""
        if self._caching is not None:
            yield
            return
        with contextlib.ExitStack() as held:
            self._caching = held
            held.enter_context(self.references.caching())
            for cache in self._caches.values():
                held.enter_context(cache.caching())
            try:
                yield
            finally:
                self._caching = None

    def renew_engine(self) -> None:
        """Restart the engine where it needs it; call this between drops, when no frame is used any more."""
        if self.engine.renew():
            self.references.forget()

    def ready_ahead(self) -> None:
        """Ready the repository and import the engine's packages in another thread, a second and more of work.

        What fails there fails again, and is raised, at its first use.
        """
        pool = ThreadPoolExecutor(1, thread_name_prefix="ready")
        pool.submit(lambda: self.repository)
        pool.submit(preload)
        pool.shutdown(wait=False)

    def scratch(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """A path in the scratch folder that is gone afterwards."""
        return scratch(self.settings, name)

    @contextlib.contextmanager
    def lease(self, name: str) -> Iterator[None]:
        """Hold this home's lease of that name, a table's for example (re-entrant).

        It only makes conflicts rare; correctness comes from the compare-and-set in `publish`. Waiting runs
        queue for the lease `<name>.door`, one of them at a time waits for the lease itself. Backfills first
        queue for `<name>.backfills` and hold that to the end, so that other runs wait for one backfill at
        most.
        """
        lease = self._lease(name)
        with contextlib.ExitStack() as held:
            if lease.is_locked:
                held.enter_context(lease)
            elif not self.backfill and (free := at_once(lease)) is not None:
                held.enter_context(free)
            else:
                if self.backfill:
                    held.enter_context(wait_for(self._lease(f"{name}.backfills")))
                with wait_for(self._lease(f"{name}.door")):
                    held.enter_context(wait_for(lease))
            yield

    @contextlib.contextmanager
    def try_lease(self, name: str) -> Iterator[bool]:
        """Hold the lease of that name where nobody holds it, and yield whether this does."""
        held = at_once(self._lease(name))
        with held or contextlib.nullcontext():
            yield held is not None

    def _lease(self, name: str) -> SoftFileLease:
        if (lease := self._leases.get(name)) is None:
            path = self.settings.home.locks / self.settings.tenant / f"{name}.lease"
            lease = self._leases[name] = lease_at(path, seconds=self.settings.lease)
        return lease

    def report_step(self, table: str, step: str) -> None:
        """Report to the watcher, if any, where the run is."""
        if self.watcher is not None:
            self.watcher(table, step)


def open_session(
    settings: Settings, *, say: Say = to_stderr, watcher: Watcher | None = None, ready: bool = True
) -> Session:
    """Open the lake: start the embedded lakeFS where it is needed, and ready the tenant's repository.

    Args:
        settings: Name home, tenant and lakeFS.
        say: Called with each message about work that takes time.
        watcher: Called with each step of each hop.
        ready: Whether to ready the repository now; else at its first use, which may be beside other work.

    Raises:
        LakegateError: The home can't be written, lakeFS can't be started, or refuses the repository.
        Transient: An external lakeFS does not respond.
    """
    prepare_environment()
    settings.home.prepare(say=say)
    sweep(settings)
    endpoint = ensure_server(settings, say=say)
    namespace = f"local://{settings.repository}"
    if settings.lakefs_namespace:
        namespace = f"{settings.lakefs_namespace.rstrip('/')}/{settings.tenant}"
    local = settings.lakefs is None and settings.lakefs_namespace is None

    def reconnect() -> Endpoint:
        session.endpoint = ensure_server(settings, say=say)
        return session.endpoint

    def proved() -> bool:
        return settings.lakefs is not None or is_own(settings.home)

    repository = Repository(
        endpoint,
        settings.repository,
        namespace=namespace,
        blocks=settings.home.blocks if local else None,
        reconnect=reconnect,
        proved=proved,
    )
    session = Session(settings, endpoint, repository, watcher, say)
    if ready:
        _ = session.repository
    return session
