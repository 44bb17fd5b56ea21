"""A candidate becomes a version: stage, commit, merge as a compare-and-set. The lake shows each step done.

lakeFS merges know no expected head. Two paths replace it: the table's head and the drop's publication, both
with the attempt's id in their bytes, so that two publishes of one table or one drop always conflict.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from lake import paths
from lake.lakefs.branches import CANDIDATE, branch_of, branches_of, new_attempt
from lake.lakefs.repository import MAIN, NotThere, Repository
from lakegate.errors import Conflict, IntegrityError, Transient
from lakegate.manifest import Manifest, manifest_path, sha256
from lakegate.names import VersionName

MERGE_TRIES: Final = 4
REMEMBERED: Final = 1000
"""Cached manifests that others begin with, some five kilobytes each."""
ENDED: Final = "ended"
"""In the record of a publish that ended: that its drop was withdrawn or superseded; `by` is the version."""


@dataclass(frozen=True)
class Candidate:
    """A branch on which a version is being written and judged.

    `base` is main's commit that it was made from. `cause` is the SHA-256 of the drop, or parent versions,
    that it is made for. `parent` is the manifest of the table's version in the base.
    """

    table: str
    dataset: str
    cause: str
    branch: str
    base: str
    attempt: str
    parent: Manifest | None

    @property
    def number(self) -> int:
        """The number of the version that this candidate will be."""
        return self.parent.version + 1 if self.parent else 1

    @property
    def name(self) -> VersionName:
        """The version that this candidate will be."""
        return VersionName(self.table, self.number)

    def demand_parent(self, parent: Manifest, *, fix: str) -> None:
        """Raise Conflict, with `fix`, where a decision on `parent` would be written onto another version."""
        if self.parent is None or self.parent.version != parent.version:
            raise Conflict(f"{parent.name} is no longer the latest version", fix=fix)


@dataclass(frozen=True)
class Published:
    """A version on main; `commit` is the merge commit that its tag names."""

    name: VersionName
    commit: str
    manifest: Manifest


def publication(
    repository: Repository, *, dataset: str, cause: str, table: str, ref: str = MAIN
) -> dict[str, Any] | None:
    """The record that `cause` was published to `table`; None where it wasn't, or that publish ended."""
    found = repository.get_json(ref, paths.publication(dataset, cause, table))
    return None if found is None or ENDED in found else found


def head(repository: Repository, table: str, *, ref: str = MAIN) -> dict[str, Any] | None:
    """The table's head record: version, cause and attempt; None before its first version."""
    return repository.get_json(ref, paths.head(table))


def manifest_at(
    repository: Repository, ref: str, name: VersionName, *, known: dict[str, bytes] | None = None
) -> Manifest:
    """The manifest of a version as the tree `ref` holds it.

    Args:
        repository: The tenant's repository.
        ref: A branch, tag or commit.
        name: The version.
        known: Cache, by path, of the earlier manifests that it begins with, which their hashes prove; by
            default the repository's, which holds some.

    Raises:
        IntegrityError: It is not there.
    """
    path, read = manifest_path(name.table, name.number), repository.manifests if known is None else known
    if (raw := repository.get(ref, path)) is None:
        what, fix = f"the manifest of {name} is not in the tree", f"`lakegate verify {name}`"
        raise IntegrityError(what, where=f"{ref}:{path}", fix=fix)

    def earlier(number: int) -> bytes | None:
        path = manifest_path(name.table, number)
        if path not in read and (found := repository.get(ref, path)) is not None:
            read[path] = found
            if len(read) > REMEMBERED:
                del read[next(iter(read))]
        return read.get(path)

    return Manifest.from_bytes(raw, where=path, earlier=earlier)


def latest_at(repository: Repository, ref: str, table: str) -> Manifest | None:
    """The manifest of the table's latest version in the tree `ref`; None before its first."""
    if (latest := head(repository, table, ref=ref)) is None:
        return None
    digest, (known, manifest) = latest["manifest_sha256"], repository.latest.get(table, ("", None))
    if manifest is None or known != digest:
        manifest = manifest_at(repository, ref, VersionName(table, int(latest["version"])))
        repository.latest[table] = digest, manifest
    return manifest


def stage(repository: Repository, *, table: str, dataset: str, cause: str) -> Candidate:
    """Make a candidate branch from main; earlier attempts' branches are deleted, which fences those off."""
    attempt = new_attempt()
    branch = branch_of(CANDIDATE, attempt, table, cause)
    with ThreadPoolExecutor(1) as pool:
        older = pool.submit(branches_of, repository, CANDIDATE, table, cause)
        base = repository.commit_of(MAIN)
        before = older.result()
        parent = pool.submit(latest_at, repository, base, table)
        repository.branch(branch, base)
        for name in before:
            repository.delete_branch(name)
        return Candidate(table, dataset, cause, branch, base, attempt, parent.result())


def mark_ended(repository: Repository, candidate: Candidate, cause: str, state: str) -> None:
    """Record on a candidate that it ends the publish of a drop; the drop may come again then."""
    path = paths.publication(candidate.dataset, cause, candidate.table)
    if (record := repository.get_json(candidate.branch, path)) is not None:
        record |= {ENDED: state, "by": str(candidate.name), "attempt": candidate.attempt}
        repository.put(candidate.branch, path, _json(record))


def delete_stale_candidates(repository: Repository, *, table: str, cause: str) -> None:
    """Delete the candidates made for a cause, once it is published."""
    for branch in branches_of(repository, CANDIDATE, table, cause):
        repository.delete_branch(branch)


def evidence_bytes(evidence: dict[str, Any]) -> bytes:
    """The evidence of a version as it is written; the manifest has its SHA-256."""
    return _json({"format": paths.FORMAT, **evidence})


def commit(
    repository: Repository, candidate: Candidate, manifest: Manifest, *, evidence: bytes, key: str
) -> str:
    """Put manifest, evidence, ledger entry and the two compare-and-set files beside the data, and commit."""
    number, body = candidate.number, manifest.to_bytes()
    record = {
        "format": paths.FORMAT,
        "table": candidate.table,
        "version": number,
        "cause": candidate.cause,
        "attempt": candidate.attempt,
        "verdict": manifest.verdict,
        "manifest_sha256": sha256(body),
    }
    entry = record | {
        "state": "published",
        "key": key,
        "counts": manifest_counts(manifest),
        "rules": manifest.rules,
        "durations": manifest.durations,
    }
    objects = {
        manifest_path(candidate.table, number): body,
        paths.evidence(candidate.table, number): evidence,
        paths.ledger_entry(candidate.table, number): _json(entry),
        paths.head(candidate.table): _json(record | {"parent": number - 1 or None}),
        paths.publication(candidate.dataset, candidate.cause, candidate.table): _json(record),
    }
    with ThreadPoolExecutor(len(objects)) as pool:  # uploads only wait: five of them take as long as one
        list(pool.map(lambda item: repository.put(candidate.branch, *item), objects.items()))
    message = f"{candidate.name}: {manifest.verdict}"
    return repository.commit(candidate.branch, message, _metadata(candidate, body))


def merge(repository: Repository, candidate: Candidate, manifest: Manifest) -> Published:
    """Merge a committed candidate into main.

    Raises:
        Conflict: Another attempt published this table or drop first.
    """
    metadata = _metadata(candidate, manifest.to_bytes())
    for tried in range(1, MERGE_TRIES + 1):
        try:
            done = repository.merge(candidate.branch, f"publish {candidate.name}", metadata)
            repository.latest[candidate.table] = metadata["lakegate_manifest_sha256"], manifest
            return Published(candidate.name, done, manifest)
        except (Transient, NotThere, IntegrityError) as error:
            if (found := find_merge(repository, candidate.name, attempt=candidate.attempt)) is not None:
                return Published(candidate.name, found, manifest)
            if isinstance(error, NotThere):
                what = f"the candidate of {candidate.name} was taken over by another attempt"
                raise Conflict(what, fix="nothing to do: the other attempt processes the drop") from error
            if isinstance(error, IntegrityError) or tried == MERGE_TRIES:
                raise
            time.sleep(0.1 * 2**tried)
    raise AssertionError


def find_merge(repository: Repository, name: VersionName, *, attempt: str | None = None) -> str | None:
    """The merge commit on main that published a version (by a given attempt), found by its metadata."""
    for commit_id, metadata in repository.touched(manifest_path(name.table, name.number)):
        right = attempt in (None, metadata.get("lakegate_attempt"))
        if right and metadata.get("lakegate_version") == str(name):
            return commit_id
    return None


def manifest_counts(manifest: Manifest) -> dict[str, int]:
    """The counts of a version as a plain mapping."""
    return dict(vars(manifest.counts))


def _metadata(candidate: Candidate, body: bytes) -> dict[str, str]:
    return {
        "lakegate_version": str(candidate.name),
        "lakegate_attempt": candidate.attempt,
        "lakegate_manifest_sha256": sha256(body),
        "lakegate_cause": candidate.cause,
    }


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
