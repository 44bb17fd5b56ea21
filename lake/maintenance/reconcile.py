"""Reconciliation: what attempts that died left behind is looked for, and mended where that is safe beyond doubt; the rest is told.

Who is at work holds a lease (see `Session.lease`): where a table's can be had at once, nobody publishes it, and what its attempts left is
dead.
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
from lake.maintenance.manifest_copies import rebuild_manifests
from lake.maintenance.reconciled_up_to import (
    Position,
    Published,
    published_since,
    read_position,
    write_position,
)
from lake.maintenance.verify import published_names
from lake.session import Session
from lake.versions.recover import recover
from lake.versions.tags import give_name
from lakegate.errors import IntegrityError
from lakegate.names import VersionName

Outcome = Literal["mended", "would mend", "left"]


@dataclass(frozen=True)
class Finding:
    """Something that was not as it should be, and what became of it; `told` is how it is mended, or why it is left and what to do."""

    what: str
    where: str
    outcome: Outcome
    told: str


def reconcile(session: Session, *, dry_run: bool = False) -> list[Finding]:
    """Look at everything that may have been left behind; `dry_run`: mend nothing."""
    return _Reconciliation(session, dry_run).all()


def mend(session: Session) -> list[Finding]:
    """Mend what was left behind since everything was last found right; that is looked at again once a day."""
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
        """One look."""
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
        """What becomes of what may be mended."""
        return "would mend" if self.dry_run else "mended"

    def spooled(self) -> Iterator[Finding]:
        """Records of the ledger that waited for lakeFS."""
        waiting = records.spooled(self.session)
        if waiting and not self.dry_run:
            records.unspool(self.session)
        for name in waiting:
            yield Finding(
                "a record of the ledger waited in the spool",
                name,
                self.mended,
                "by carrying it into the lake",
            )

    def branches(self) -> Iterator[Finding]:
        """Branches of attempts, by the queue that whoever works on one holds."""
        for branch in self.session.repository.branches_but("keep-"):
            kind, table = kind_and_table(branch)
            if (
                queue := {CANDIDATE: table, RECEIVE: f"receive_{table}", RECORD: QUEUE}.get(kind)
            ) is not None:
                with self.session.try_lease(queue) as unheld:
                    # The leases of other homes on a lakeFS elsewhere can't be seen from here.
                    free = unheld and self.session.settings.lakefs is None
                    if free and not self.dry_run:
                        self.session.repository.delete_branch(branch)
                    told = (
                        ("a branch of an attempt that died", self.mended, "by deleting it")
                        if free
                        else ("a branch of an attempt", "left", "it is at work, or another home's")
                    )
                yield Finding(told[0], branch, told[1], told[2])
            elif branch not in (MAIN, paths.LEDGER) and VersionName.from_keep_branch(branch) is None:
                yield Finding(
                    "a branch that is none of Lakegate's",
                    branch,
                    "left",
                    "delete it in lakeFS, if nobody needs it",
                )

    def names(self) -> Iterator[Finding]:
        """Versions that were merged and lack their tag or the branch that keeps them."""
        repository = self.session.repository
        if (
            self.since is None
        ):  # main first, at one commit: what it tells of has been named since, or is about to be
            names = published_names(self.session, repository.commit_of(MAIN))
            tags, kept = {*repository.tags("")}, {*repository.branches("keep-")}
        else:
            names = {item.name for item in self.since}
            tags = {name.tag for name in names if repository.resolve(name.tag) is not None}
            kept = {name.keep_branch for name in names if repository.resolve(name.keep_branch) is not None}
        for name in sorted(names):
            if name.tag in tags and name.keep_branch in kept:
                continue
            with self.session.lease(name.table):  # whoever is about to name it has done so
                refs = (
                    ("tag", repository.resolve(name.tag)),
                    ("retention branch", repository.resolve(name.keep_branch)),
                )
            lacks = [told for told, commit in refs if commit is None]
            if not lacks or repository.get(MAIN, paths.expired(name.table, name.number)) is not None:
                continue
            what = f"a version without {' and '.join(lacks)}"
            try:
                published = recover(repository, name)
                if not self.dry_run:
                    give_name(repository, published)
                    cache_published(self.session, published)
                yield Finding(
                    what, str(name), self.mended, "by making it, of the commit that published the version"
                )
            except IntegrityError as error:
                yield Finding(what, str(name), "left", error.what)

    def unrecorded(self) -> Iterator[Finding]:
        """What main tells of drops and the ledger doesn't."""
        every = (
            missing_records(self.session)
            if self.since is None
            else missing_records_of(
                self.session, ((item.dataset, item.cause, item.name.table) for item in self.since)
            )
        )
        for gap in list(every):
            with self.session.lease(gap.table):  # whoever is about to write the record has done so
                if not lacks(self.session, gap):
                    continue
            if not self.dry_run:
                write_missing(self.session, gap)
            what, where = f"no record that a drop is {gap.state}", f"{gap.table} {gap.cause[:12]}"
            yield Finding(what, where, self.mended, "by writing it, from what main says")

    def main(self) -> Iterator[Finding]:
        """What lies uncommitted on main."""
        for path in self.session.repository.uncommitted(MAIN):
            told = "find out who wrote it, then reset it in lakeFS"
            yield Finding("an uncommitted object on main, which stops every publish", path, "left", told)

    def copies(self) -> Iterator[Finding]:
        """The home's copies of manifests, a cache."""
        names = None if self.since is None else [item.name for item in self.since]
        if copied := rebuild_manifests(self.session, names, dry_run=self.dry_run):
            folder = str(self.session.settings.home.root / "manifests")
            yield Finding(
                "home's copies of manifests", folder, self.mended, f"by copying {copied} from the lake"
            )
