"""Reconciliation: look for what attempts that died left behind, mend it where that is safe, report the rest.

Each attempt holds a lease (see `Session.lease`). Where a table's lease is free nobody publishes the table,
and what its attempts left is dead.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lake import paths
from lake.hops.published import cache_published
from lake.lakefs.branches import CANDIDATE, RECEIVE, RECORD, kind_and_table
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.ledger.repair import lacks, missing_records, missing_records_of, write_missing
from lake.ledger.version_records import QUEUE
from lake.maintenance.known_versions import published_names
from lake.maintenance.manifest_copies import rebuild_manifests
from lake.maintenance.reconciled_up_to import (
    Position,
    Published,
    published_since,
    read_position,
    write_position,
)
from lake.session import Session
from lake.versions.recover import recover
from lake.versions.tags import give_name
from lakegate.errors import IntegrityError
from lakegate.names import VersionName

Outcome = Literal["mended", "would mend", "left"]


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be. `note` is how it is mended, or why it is left and what to do."""

    what: str
    where: str
    outcome: Outcome
    note: str


def reconcile(session: Session, *, dry_run: bool = False) -> list[Finding]:
    """Look at everything that may have been left behind; `dry_run`: mend nothing."""
    return _Reconciliation(session, dry_run).all()


def mend(session: Session) -> list[Finding]:
    """Mend what was left behind since everything was last found right; once a day look at everything."""
    before, commit, now = read_position(session), session.repository.commit_of(MAIN), time.time()
    since = published_since(session, before) if before is not None else None
    found = _Reconciliation(session, dry_run=False, since=since).all()
    if all(item.outcome == "mended" for item in found):
        write_position(session, Position(commit, now if before is None or since is None else before.at))
    return found


@dataclass(frozen=True)
class _Reconciliation:
    session: Session
    dry_run: bool
    since: list[Published] | None = None
    """The versions to look at; None: all."""

    def all(self) -> list[Finding]:
        """Everything that was found."""
        return [
            *self.spooled(),
            *self.branches(),
            *self.names(),
            *self.unrecorded(),
            *self.main(),
            *self.copies(),
        ]

    @property
    def mended(self) -> Outcome:
        """The outcome of what may be mended."""
        return "would mend" if self.dry_run else "mended"

    def spooled(self) -> Iterator[Finding]:
        """Records of the ledger that waited for lakeFS."""
        waiting = records.spooled(self.session)
        if waiting and not self.dry_run:
            records.unspool(self.session)
        what = "a record of the ledger waited in the spool"
        for name in waiting:
            yield Finding(what, name, self.mended, "by writing it into the lake")

    def branches(self) -> Iterator[Finding]:
        """Branches of attempts, and branches that are not Lakegate's."""
        for branch in self.session.repository.branches_but("keep-"):
            kind, table = kind_and_table(branch)
            leases = {CANDIDATE: table, RECEIVE: f"receive_{table}", RECORD: QUEUE}
            if kind in leases:
                yield self._attempt(branch, leases[kind])
            elif branch not in (MAIN, paths.LEDGER) and VersionName.from_keep_branch(branch) is None:
                how = "delete it in lakeFS, if nobody needs it"
                yield Finding("a branch that is none of Lakegate's", branch, "left", how)

    def _attempt(self, branch: str, lease: str) -> Finding:
        """A branch of an attempt, which holds the lease as long as it works."""
        with self.session.try_lease(lease) as free:
            # The leases of other homes on a lakeFS elsewhere can't be seen from here.
            if not free or self.session.settings.lakefs is not None:
                return Finding("a branch of an attempt", branch, "left", "it is at work, or another home's")
            if not self.dry_run:
                self.session.repository.delete_branch(branch)
        return Finding("a branch of an attempt that died", branch, self.mended, "by deleting it")

    def names(self) -> Iterator[Finding]:
        """Versions that were merged and lack their tag or their retention branch."""
        repository = self.session.repository
        if self.since is None:
            # Main first, at one commit: what it names was tagged since, or is about to be.
            names = published_names(self.session, repository.commit_of(MAIN))
            there = {*repository.tags(""), *repository.branches("keep-")}
        else:
            names = {item.name for item in self.since}
            refs = [ref for name in names for ref in (name.tag, name.keep_branch)]
            there = {ref for ref in refs if repository.resolve(ref) is not None}
        for name in sorted(names):
            if {name.tag, name.keep_branch} <= there:
                continue
            with self.session.lease(name.table):  # an attempt that was about to name it has done so
                named = {"tag": name.tag, "retention branch": name.keep_branch}
                missing = [what for what, ref in named.items() if repository.resolve(ref) is None]
            if missing and repository.get(MAIN, paths.expired(name.table, name.number)) is None:
                yield self._unnamed(name, f"a version without {' and '.join(missing)}")

    def _unnamed(self, name: VersionName, what: str) -> Finding:
        try:
            published = recover(self.session.repository, name)
            if not self.dry_run:
                give_name(self.session.repository, published)
                cache_published(self.session, published)
        except IntegrityError as error:
            return Finding(what, str(name), "left", error.what)
        how = "by making it, of the commit that published the version"
        return Finding(what, str(name), self.mended, how)

    def unrecorded(self) -> Iterator[Finding]:
        """What main says of drops and the ledger doesn't."""
        session = self.session
        if self.since is None:
            found = list(missing_records(session))
        else:
            published = ((item.dataset, item.cause, item.name.table) for item in self.since)
            found = list(missing_records_of(session, published))
        for gap in found:
            with session.lease(gap.table):  # an attempt that was about to write the record has done so
                if not lacks(session, gap):
                    continue
            if not self.dry_run:
                write_missing(session, gap)
            what, where = f"no record that a drop is {gap.state}", f"{gap.table} {gap.cause[:12]}"
            yield Finding(what, where, self.mended, "by writing it, from what main says")

    def main(self) -> Iterator[Finding]:
        """What lies uncommitted on main."""
        what = "an uncommitted object on main, which stops every publish"
        for path in self.session.repository.uncommitted(MAIN):
            yield Finding(what, path, "left", "find out who wrote it, then reset it in lakeFS")

    def copies(self) -> Iterator[Finding]:
        """The home's copies of manifests, a cache."""
        names = None if self.since is None else [item.name for item in self.since]
        if copied := rebuild_manifests(self.session, names, dry_run=self.dry_run):
            folder, how = self.session.settings.home.root / "manifests", f"by copying {copied} from the lake"
            yield Finding("home's copies of manifests", str(folder), self.mended, how)
