"""Audit one version: the names that it has in lakeFS, its manifest, and every byte of its files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from lake import paths
from lake.lakefs.errors import BlockGone
from lake.lakefs.repository import MAIN, NotThere, Repository
from lake.maintenance.version_trees import DATA, Trees, table_data
from lake.session import Session
from lake.versions import publish
from lakegate.errors import IntegrityError
from lakegate.files.store import BlockStore, GatewayStore, Store
from lakegate.files.verify import Gap, duplicates, verify_file
from lakegate.manifest import DataFile, Manifest, manifest_path, sha256
from lakegate.names import VersionName


@dataclass(frozen=True)
class Refs:
    """What names a version in lakeFS, empty where nothing does."""

    commit: str
    """Of its tag."""
    metadata: Mapping[str, str]
    """Of that commit."""
    branch: str
    """The commit of its retention branch."""
    merged: str
    """The commit of main that published it."""
    on_main: bool = False
    """Whether the tag's commit is known to be one of main's."""

    @staticmethod
    def of(repository: Repository, name: VersionName) -> Refs:
        """As lakeFS tells it now."""
        commit, metadata = "", dict[str, str]()
        with contextlib.suppress(NotThere):
            commit, metadata = repository.commit_and_metadata(name.tag)
        branch, merged = repository.resolve(name.keep_branch), publish.find_merge(repository, name)
        return Refs(commit, metadata, branch or "", merged or "")


@dataclass
class Audit:
    """An audit of versions: a file that many of them name is hashed once."""

    session: Session
    at: str = MAIN
    """The commit of main that is read."""
    trees: Trees | None = None
    """Where all versions are audited, in the order of their commits."""
    hashed: dict[DataFile, Gap | None] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    """Paths that some manifest on main names."""

    def add_named(self, name: VersionName) -> None:
        """Take the files of a version's manifest on main for named."""
        with contextlib.suppress(IntegrityError):  # a gap, which is found where the version is audited
            manifest = publish.manifest_at(self.session.repository, self.at, name)
            self.named |= {item.path for item in manifest.all_files}

    def version(self, name: VersionName, refs: Refs, *, wait: bool) -> list[Gap]:
        """The gaps of one version; `wait` for an attempt that may be about to name it."""
        where, tag, path = str(name), f"tag {name.tag}", manifest_path(name.table, name.number)
        if wait and not (refs.commit and refs.branch):
            with self.session.lease(name.table):
                refs = replace(Refs.of(self.session.repository, name), merged=refs.merged)
        if not refs.commit or refs.commit != refs.merged:
            self.add_named(name)
        if not refs.commit:
            return [Gap(where, tag, "missing", "a tag on the commit that published it", "no tag")]
        gaps = list(_names(name, refs))
        if (raw := self._read(refs.commit, path)) is None:
            return [*gaps, Gap(where, path, "missing", "the manifest", "nothing")]
        expected = refs.metadata.get("lakegate_manifest_sha256", "none on record")
        if sha256(raw) != expected:
            gaps.append(Gap(where, path, "sha256", expected, sha256(raw)))
        try:
            manifest = publish.manifest_at(self.session.repository, refs.commit, name)
        except IntegrityError as error:
            return [*gaps, Gap(where, path, "unexpected", "a manifest that can be read", error.what)]
        if refs.commit == refs.merged:  # its manifest is the one on main
            self.named |= {item.path for item in manifest.all_files}
        path = paths.evidence(name.table, name.number)
        if (evidence := self._read(refs.commit, path)) is None:
            gaps.append(Gap(where, path, "missing", manifest.evidence_sha256, "nothing"))
        elif sha256(evidence) != manifest.evidence_sha256:
            gaps.append(Gap(where, path, "sha256", manifest.evidence_sha256, sha256(evidence)))
        return [*gaps, *self._files(manifest, refs)]

    def strays(self) -> Iterator[Gap]:
        """Data files of main that no version names; complete once every version was audited."""
        for prefix in DATA:
            for item in self.session.repository.listing(self.at, prefix):
                if table_data(item.path) and item.path not in self.named:
                    expected, size = "no file that no version names", f"{item.size_bytes} bytes"
                    yield Gap(MAIN, item.path, "unexpected", expected, size)

    def _read(self, ref: str, path: str) -> bytes | None:
        with contextlib.suppress(BlockGone):
            return self.session.repository.get(ref, path)
        return None

    def _files(self, manifest: Manifest, refs: Refs) -> Iterator[Gap]:
        """Whether the tagged tree holds each file, where the manifest says, and every byte of it."""
        session, name = self.session, manifest.name
        yield from duplicates(manifest)
        gateway = GatewayStore(session.endpoint, session.repository.name, name)
        blocks = BlockStore(session.settings.home.blocks, name)
        tree = self.trees.at(refs.commit) if self.trees and refs.on_main else self._listed(manifest, refs)
        for item in manifest.all_files:
            if item.path not in tree:
                yield Gap(str(name), item.path, "missing", f"{item.size} bytes", "nothing")
            elif tree[item.path] != item.physical:
                yield Gap(str(name), item.path, "unexpected", item.physical, tree[item.path])
            else:
                on_disk = session.repository.local(item.physical) is not None
                if (gap := self._bytes(item, name, blocks if on_disk else gateway)) is not None:
                    yield gap

    def _listed(self, manifest: Manifest, refs: Refs) -> dict[str, str]:
        """Where the files in the manifest's folders lie, by path, as the tagged tree says."""
        repository, found = self.session.repository, dict[str, str]()
        for folder in {item.path.rpartition("/")[0] for item in manifest.all_files}:
            for item in repository.listing(refs.commit, f"{folder}/"):
                found[item.path] = repository.physical(item.physical_address)
        return found

    def _bytes(self, item: DataFile, name: VersionName, store: Store) -> Gap | None:
        if item not in self.hashed:
            self.hashed[item] = verify_file(str(name), item, store)
        gap = self.hashed[item]
        return gap and replace(gap, version=str(name))


def _names(name: VersionName, refs: Refs) -> Iterator[Gap]:
    """Whether tag and branch are where they have to be."""
    where, commit, tag, branch = str(name), refs.commit, f"tag {name.tag}", f"branch {name.keep_branch}"
    version = refs.metadata.get("lakegate_version", commit)
    if version != where:
        yield Gap(where, tag, "unexpected", f"a commit that publishes {name}", version)
    elif refs.merged != commit:
        expected = refs.merged or "the commit on main that published it"
        yield Gap(where, tag, "unexpected", expected, commit)
    if not refs.branch:
        yield Gap(where, branch, "missing", commit, "no branch")
    elif refs.branch != commit:
        yield Gap(where, branch, "unexpected", commit, refs.branch)
