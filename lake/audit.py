"""Prove versions: tags, commits' own metadata, manifests, and every byte of every file; or name each gap."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from lake import layout, publish
from lake.call_errors import BlockGone
from lake.objects import sha256_of
from lake.repository import MAIN, NotThere, Repository
from lake.session import Session
from lakegate.errors import Expired, IntegrityError, VersionNotFound
from lakegate.manifest import DataFile, Manifest, manifest_path, sha256
from lakegate.names import VersionName
from lakegate.store import GatewayStore
from lakegate.verify import Gap, Problem, duplicates, verify_file

DATA: Final = ("processed/", "quarantine/", "settled/", "tombstones/", "features/")
"""Where the tree holds tables. Raw keeps what was refused too, which no version names."""


def audit(session: Session, name: VersionName) -> list[Gap]:
    """Every way in which a version is not what it says it is; empty where all of it is there and right.

    Raises:
        VersionNotFound: It was never published here.
        Expired: It was, and is kept no longer: nothing of it is to be proved.
    """
    if (gone := session.repository.get_json(MAIN, layout.expired(name.table, name.number))) is not None:
        raise Expired.of(name, gone)
    return _Audit(session).version(name)


def audit_all(session: Session) -> dict[str, list[Gap]]:
    """Every version that was published, and main itself, with their gaps."""
    work, ended = _Audit(session, merges_of(session.repository)), expired(session.repository)
    found = {str(name): work.version(name) for name in sorted(published_names(session)) if name not in ended}
    work.named |= {item.path for name in ended for item in publish.manifest_at(session.repository, MAIN, name).all_files}
    if strays := list(work.strays()):
        found[MAIN] = strays
    return found


def published_names(session: Session) -> set[VersionName]:
    """Every version that main or a tag tells of: one whose tag was deleted is missing, and not forgotten."""
    names = {name for tag in session.repository.tags("") if (name := VersionName.from_tag(tag))}
    for item in session.repository.listing(MAIN, "_lakegate/heads/"):
        head = session.repository.get_json(MAIN, item.path) or {}
        names |= {VersionName(str(head["table"]), number) for number in range(1, int(head["version"]) + 1)}
    return names


def expired(repository: Repository) -> dict[VersionName, dict[str, Any]]:
    """The versions that ended, each with its record: when, by whom and why. They are no gap, and there is nothing to prove of them."""
    found = {}
    for item in repository.listing(MAIN, layout.EXPIRED):
        body = repository.get_json(MAIN, item.path) or {}
        found[VersionName(str(body["table"]), int(body["version"]))] = body
    return found


def merges_of(repository: Repository) -> dict[str, str]:
    """The commit of main that published each version: in one go, as to look for one is to go through all that came since."""
    found: dict[str, str] = {}
    for commit, metadata in repository.history():
        if (name := metadata.get("lakegate_version")) is not None:
            found.setdefault(name, commit)
    return found


@dataclass
class _Audit:
    """One look at everything: a file that many versions name is hashed once."""

    session: Session
    merges: dict[str, str] | None = None
    """The commits that published versions, where all were asked for."""
    hashed: dict[DataFile, Gap | None] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    """Paths that some manifest names."""

    def version(self, name: VersionName) -> list[Gap]:
        """The gaps of one version."""
        repository, where = self.session.repository, str(name)
        with contextlib.suppress(IntegrityError):  # which is told below
            self.named |= {item.path for item in publish.manifest_at(repository, MAIN, name).all_files}
        try:
            commit, metadata = repository.commit_and_metadata(name.tag)
        except NotThere:
            if self._merge(name) is None:
                what = f"{name} was never published here"
                raise VersionNotFound(what, fix=f"`lakegate versions {name.table}` lists what was") from None
            return [Gap(where, f"tag {name.tag}", "missing", "a tag on the commit that published it", "no tag")]
        gaps = list(self._names(name, commit, metadata))
        path = manifest_path(name.table, name.number)
        if (raw := self._read(name.tag, path)) is None:
            return [*gaps, Gap(where, path, "missing", "the manifest", "nothing")]
        if sha256(raw) != metadata.get("lakegate_manifest_sha256"):
            gaps.append(Gap(where, path, "sha256", metadata.get("lakegate_manifest_sha256", "none on record"), sha256(raw)))
        try:
            manifest = publish.manifest_at(repository, name.tag, name)
        except IntegrityError as error:
            return [*gaps, Gap(where, path, "unexpected", "a manifest that can be read", error.what)]
        evidence = self._read(name.tag, layout.evidence(name.table, name.number))
        if evidence is None or sha256(evidence) != manifest.evidence_sha256:
            found = "nothing" if evidence is None else sha256(evidence)
            problem: Problem = "missing" if evidence is None else "sha256"
            gaps.append(Gap(where, layout.evidence(name.table, name.number), problem, manifest.evidence_sha256, found))
        return gaps + list(self._files(manifest))

    def _read(self, ref: str, path: str) -> bytes | None:
        with contextlib.suppress(BlockGone):
            return self.session.repository.get(ref, path)
        return None

    def strays(self) -> Iterator[Gap]:
        """Data files of main that no version names. Ask for them when every version was looked at."""
        for prefix in DATA:
            for item in self.session.repository.listing(MAIN, prefix):
                if table_data(item.path) and item.path not in self.named:
                    yield Gap(MAIN, item.path, "unexpected", "no file that no version names", f"{item.size_bytes} bytes")

    def _merge(self, name: VersionName) -> str | None:
        """The commit that published a version; None where its manifest on main is not the one which that commit holds, or none does."""
        repository = self.session.repository
        if self.merges is None:
            return publish.find_merge(repository, name)
        path, merged = manifest_path(name.table, name.number), self.merges.get(str(name))
        there = [repository.stat(ref, path) for ref in (MAIN, merged)] if merged else []
        addresses = {item.physical_address for item in there if item is not None}
        return merged if all(there) and len(addresses) == 1 else None

    def _names(self, name: VersionName, commit: str, metadata: dict[str, str]) -> Iterator[Gap]:
        """Whether tag and branch are where they have to be."""
        where = str(name)
        if metadata.get("lakegate_version") != where:
            yield Gap(where, f"tag {name.tag}", "unexpected", f"a commit that publishes {name}", metadata.get("lakegate_version", commit))
        elif (merged := self._merge(name)) != commit:
            yield Gap(where, f"tag {name.tag}", "unexpected", merged or "the commit on main that published it", commit)
        try:
            kept = self.session.repository.commit_of(name.keep_branch)
            if kept != commit:
                yield Gap(where, f"branch {name.keep_branch}", "unexpected", commit, kept)
        except NotThere:
            yield Gap(where, f"branch {name.keep_branch}", "missing", commit, "no branch")

    def _files(self, manifest: Manifest) -> Iterator[Gap]:
        """Whether the tagged tree holds each file, where the manifest says, and every byte of it."""
        repository, where = self.session.repository, str(manifest.name)
        yield from duplicates(manifest)
        store = GatewayStore(self.session.endpoint, repository.name, manifest.name)
        tree: dict[str, str] = {}
        for prefix in {item.path.rsplit("/", 1)[0] + "/" for item in manifest.all_files}:
            tree |= {item.path: repository.physical(item.physical_address) for item in repository.listing(manifest.name.tag, prefix)}
        for item in manifest.all_files:
            if item.path not in tree:
                yield Gap(where, item.path, "missing", f"{item.size} bytes", "nothing")
            elif tree[item.path] != item.physical:
                yield Gap(where, item.path, "unexpected", item.physical, tree[item.path])
            elif (gap := self._bytes(item, where, store)) is not None:
                yield gap

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


def table_data(path: str) -> bool:
    """Whether a path of the tree is a table's data file: no log's, no checkpoint's, and nothing of raw."""
    return path.startswith(DATA) and path.endswith(".parquet") and "/_delta_log/" not in path
