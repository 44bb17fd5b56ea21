"""Prove versions: tags, commits' own metadata, manifests, and every byte of every file; or name each gap.

All that is asked of main is asked at one commit, and of tags and branches after it: what others publish meanwhile is no part of the answer,
and what they end meanwhile is no damage.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lake import paths
from lake.lakefs.errors import BlockGone
from lake.lakefs.files import sha256_of
from lake.lakefs.repository import MAIN, NotThere, Repository
from lake.maintenance.version_trees import DATA, Trees, table_data
from lake.session import Session
from lake.versions import publish
from lakegate.errors import Expired, IntegrityError, VersionNotFound
from lakegate.manifest import DataFile, Manifest, manifest_path, sha256
from lakegate.names import VersionName
from lakegate.store import GatewayStore
from lakegate.verify import Gap, Problem, duplicates, verify_file


def audit(session: Session, name: VersionName) -> list[Gap]:
    """Every way in which a version is not what it says it is; empty where all of it is there and right.

    Raises:
        VersionNotFound: It was never published here.
        Expired: It was, and is kept no longer: nothing of it is to be proved.
    """
    if (gone := session.repository.get_json(MAIN, paths.expired(name.table, name.number))) is not None:
        raise Expired.of(name, gone)
    work, refs = _Audit(session), _Refs.of(session.repository, name)
    if not (refs.commit or refs.merged):
        what = f"{name} was never published here"
        raise VersionNotFound(what, fix=f"`lakegate versions {name.table}` lists what was")
    gaps = work.version(name, refs, wait=True)
    if (
        gaps
        and (gone := session.repository.get_json(MAIN, paths.expired(name.table, name.number))) is not None
    ):
        raise Expired.of(name, gone)
    return gaps


def audit_all(session: Session) -> dict[str, list[Gap]]:
    """Every version that was published by one moment, and main itself as it is then, with their gaps."""
    repository = session.repository
    at = repository.commit_of(MAIN)
    history, ended, newest = dict(repository.history(at)), expired(repository, at), heads(repository, at)
    tags, kept = (
        repository.tags(""),
        repository.branch_commits("keep-"),
    )  # after main: what it tells of has been named since
    names = versions_of(newest) | _unknown(repository, tags, newest)
    merges = dict[str, str]()
    for commit, metadata in history.items():
        merges.setdefault(metadata.get("lakegate_version", ""), commit)
    places = {commit: place for place, commit in enumerate(history)}
    addresses = {item.path: item.physical_address for item in repository.listing(at, paths.MANIFESTS)}
    work, found = _Audit(session, at, Trees(repository)), dict[str, list[Gap]]()
    for name in sorted(
        names - ended.keys(), key=lambda name: (-places.get(tags.get(name.tag, ""), len(places)), name)
    ):
        commit, merged = tags.get(name.tag, ""), merges.get(str(name), "")
        path = manifest_path(name.table, name.number)
        same = repository.stat(merged, path) if merged else None
        if same is None or same.physical_address != addresses.get(path):
            merged = ""
        metadata = (
            history[commit]
            if commit in history
            else repository.commit_and_metadata(commit)[1]
            if commit
            else {}
        )
        refs = _Refs(commit, metadata, kept.get(name.keep_branch, ""), merged, on_main=commit in history)
        found[str(name)] = work.version(name, refs, wait=name.number >= newest.get(name.table, 0))
    for name in ended:
        work.name(name)
    for name in expired(repository, MAIN).keys() - ended.keys() if any(found.values()) else ():
        found.pop(str(name), None)
    told = {str(name): found[str(name)] for name in sorted(map(VersionName.parse, found))}
    return told | ({MAIN: strays} if (strays := list(work.strays())) else {})


def heads(repository: Repository, ref: str) -> dict[str, int]:
    """The number of each table's latest version, as the tree `ref` tells it."""
    listed = repository.listing(ref, paths.HEADS)
    found = [repository.get_json(ref, item.path) or {} for item in listed]
    return {str(head["table"]): int(head["version"]) for head in found}


def versions_of(newest: Mapping[str, int]) -> set[VersionName]:
    """Every version up to these: one whose tag was deleted is missing, and not forgotten."""
    return {VersionName(table, number) for table, last in newest.items() for number in range(1, last + 1)}


def published_names(session: Session, ref: str = MAIN) -> set[VersionName]:
    """Every version that the tree `ref` of main tells of, or a tag that main knows nothing of."""
    newest = heads(session.repository, ref)
    return versions_of(newest) | _unknown(session.repository, session.repository.tags(""), newest)


def _unknown(repository: Repository, tags: Mapping[str, str], newest: Mapping[str, int]) -> set[VersionName]:
    """The versions that tags name and main doesn't; not those that were published since main was asked."""
    names = {
        name
        for tag in tags
        if (name := VersionName.from_tag(tag)) and name.number > newest.get(name.table, 0)
    }
    since = {
        table: int((publish.head(repository, table) or {}).get("version", 0))
        for table in {name.table for name in names}
    }
    return {name for name in names if name.number > since[name.table]}


def expired(repository: Repository, ref: str = MAIN) -> dict[VersionName, dict[str, Any]]:
    """The versions that ended, each with its record: when, by whom and why. They are no gap, and there is nothing to prove of them."""
    found = {}
    for item in repository.listing(ref, paths.EXPIRED):
        body = repository.get_json(ref, item.path) or {}
        found[VersionName(str(body["table"]), int(body["version"]))] = body
    return found


@dataclass(frozen=True)
class _Refs:
    """What names a version: the commit of its tag with that one's metadata, that of its branch, and the one of main that published it."""

    commit: str
    metadata: Mapping[str, str]
    kept: str
    merged: str
    on_main: bool = False
    """Whether the tag's commit is known to be one of main's."""

    @staticmethod
    def of(repository: Repository, name: VersionName) -> _Refs:
        """As lakeFS tells it now; empty where there is none."""
        commit, metadata = "", dict[str, str]()
        with contextlib.suppress(NotThere):
            commit, metadata = repository.commit_and_metadata(name.tag)
        return _Refs(
            commit,
            metadata,
            repository.resolve(name.keep_branch) or "",
            publish.find_merge(repository, name) or "",
        )


@dataclass
class _Audit:
    """One look at everything: a file that many versions name is hashed once."""

    session: Session
    at: str = MAIN
    """The commit of main that is asked."""
    trees: Trees | None = None
    """Where all versions are asked for, in the order of their commits."""
    hashed: dict[DataFile, Gap | None] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    """Paths that some manifest names."""

    def name(self, name: VersionName) -> None:
        """Take the files of a version's manifest on main for named."""
        with contextlib.suppress(IntegrityError):  # which is told where the version is looked at
            self.named |= {
                item.path for item in publish.manifest_at(self.session.repository, self.at, name).all_files
            }

    def version(self, name: VersionName, refs: _Refs, *, wait: bool) -> list[Gap]:
        """The gaps of one version; `wait` for whoever may be about to name it."""
        repository, where = self.session.repository, str(name)
        if wait and not (refs.commit and refs.kept):
            with self.session.lease(name.table):
                refs = replace(_Refs.of(repository, name), merged=refs.merged)
        if not (refs.commit and refs.commit == refs.merged):
            self.name(name)
        if not refs.commit:
            return [
                Gap(where, f"tag {name.tag}", "missing", "a tag on the commit that published it", "no tag")
            ]
        gaps = list(_names(name, refs))
        path = manifest_path(name.table, name.number)
        if (raw := self._read(refs.commit, path)) is None:
            return [*gaps, Gap(where, path, "missing", "the manifest", "nothing")]
        if sha256(raw) != refs.metadata.get("lakegate_manifest_sha256"):
            gaps.append(
                Gap(
                    where,
                    path,
                    "sha256",
                    refs.metadata.get("lakegate_manifest_sha256", "none on record"),
                    sha256(raw),
                )
            )
        try:
            manifest = publish.manifest_at(repository, refs.commit, name)
        except IntegrityError as error:
            return [*gaps, Gap(where, path, "unexpected", "a manifest that can be read", error.what)]
        if refs.commit == refs.merged:  # whose manifest is main's
            self.named |= {item.path for item in manifest.all_files}
        evidence = self._read(refs.commit, paths.evidence(name.table, name.number))
        if evidence is None or sha256(evidence) != manifest.evidence_sha256:
            found = "nothing" if evidence is None else sha256(evidence)
            problem: Problem = "missing" if evidence is None else "sha256"
            gaps.append(
                Gap(where, paths.evidence(name.table, name.number), problem, manifest.evidence_sha256, found)
            )
        return gaps + list(self._files(manifest, refs))

    def _read(self, ref: str, path: str) -> bytes | None:
        with contextlib.suppress(BlockGone):
            return self.session.repository.get(ref, path)
        return None

    def strays(self) -> Iterator[Gap]:
        """Data files of main that no version names. Ask for them when every version was looked at."""
        for prefix in DATA:
            for item in self.session.repository.listing(self.at, prefix):
                if table_data(item.path) and item.path not in self.named:
                    yield Gap(
                        MAIN,
                        item.path,
                        "unexpected",
                        "no file that no version names",
                        f"{item.size_bytes} bytes",
                    )

    def _files(self, manifest: Manifest, refs: _Refs) -> Iterator[Gap]:
        """Whether the tagged tree holds each file, where the manifest says, and every byte of it."""
        repository, where = self.session.repository, str(manifest.name)
        yield from duplicates(manifest)
        store = GatewayStore(self.session.endpoint, repository.name, manifest.name)
        tree = self.trees.at(refs.commit) if self.trees and refs.on_main else self._listed(manifest, refs)
        for item in manifest.all_files:
            if item.path not in tree:
                yield Gap(where, item.path, "missing", f"{item.size} bytes", "nothing")
            elif tree[item.path] != item.physical:
                yield Gap(where, item.path, "unexpected", item.physical, tree[item.path])
            elif (gap := self._bytes(item, where, store)) is not None:
                yield gap

    def _listed(self, manifest: Manifest, refs: _Refs) -> dict[str, str]:
        repository, folders = (
            self.session.repository,
            {item.path.rsplit("/", 1)[0] + "/" for item in manifest.all_files},
        )
        listed = (item for folder in folders for item in repository.listing(refs.commit, folder))
        return {item.path: repository.physical(item.physical_address) for item in listed}

    def _bytes(self, item: DataFile, where: str, store: GatewayStore) -> Gap | None:
        if item not in self.hashed:
            self.hashed[item] = self._hash(item, where, store)
        gap = self.hashed[item]
        return gap and Gap(where, gap.path, gap.problem, gap.expected, gap.found)

    def _hash(self, item: DataFile, where: str, store: GatewayStore) -> Gap | None:
        if (block := self.session.repository.local(item.physical)) is None:
            return verify_file(where, item, store)
        if not block.is_file():
            return Gap(where, item.path, "missing", f"{item.size} bytes", "nothing")
        if (size := block.stat().st_size) != item.size:
            return Gap(where, item.path, "size", str(item.size), str(size))
        found = sha256_of(block)
        return None if found == item.sha256 else Gap(where, item.path, "sha256", item.sha256, found)


def _names(name: VersionName, refs: _Refs) -> Iterator[Gap]:
    """Whether tag and branch are where they have to be."""
    where, commit = str(name), refs.commit
    if refs.metadata.get("lakegate_version") != where:
        found = refs.metadata.get("lakegate_version", commit)
        yield Gap(where, f"tag {name.tag}", "unexpected", f"a commit that publishes {name}", found)
    elif refs.merged != commit:
        yield Gap(
            where,
            f"tag {name.tag}",
            "unexpected",
            refs.merged or "the commit on main that published it",
            commit,
        )
    if not refs.kept:
        yield Gap(where, f"branch {name.keep_branch}", "missing", commit, "no branch")
    elif refs.kept != commit:
        yield Gap(where, f"branch {name.keep_branch}", "unexpected", commit, refs.kept)
