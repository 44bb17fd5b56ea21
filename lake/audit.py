"""Prove a version: its tag, its commit's own metadata, its manifest, and every byte of its files, or name each gap."""

from __future__ import annotations

from lake import layout, publish
from lake.repository import NotThere
from lake.session import Session
from lakegate.errors import VersionNotFound
from lakegate.manifest import Manifest, manifest_path, sha256
from lakegate.names import VersionName
from lakegate.store import GatewayStore
from lakegate.verify import Gap, Problem, verify_files


def audit(session: Session, name: VersionName) -> list[Gap]:
    """Every way in which a version is not what it says it is; empty where all of it is there and right.

    Raises:
        VersionNotFound: It was never published here.
    """
    repository, where = session.repository, str(name)
    try:
        commit, metadata = repository.commit_and_metadata(name.tag)
    except NotThere:
        if publish.find_merge(repository, name) is None:
            what = f"{name} was never published here"
            raise VersionNotFound(what, fix=f"`lakegate versions {name.table}` lists what was") from None
        return [Gap(where, f"tag {name.tag}", "missing", "a tag on the commit that published it", "no tag")]
    gaps = []
    if metadata.get("lakegate_version") != where:
        gaps.append(
            Gap(where, f"tag {name.tag}", "unexpected", f"a commit that publishes {name}", metadata.get("lakegate_version", commit))
        )
    try:
        kept = repository.commit_of(name.keep_branch)
        if kept != commit:
            gaps.append(Gap(where, f"branch {name.keep_branch}", "unexpected", commit, kept))
    except NotThere:
        gaps.append(Gap(where, f"branch {name.keep_branch}", "missing", commit, "no branch"))
    raw = repository.get(name.tag, manifest_path(name.table, name.number))
    if raw is None:
        return [*gaps, Gap(where, manifest_path(name.table, name.number), "missing", "the manifest", "nothing")]
    if sha256(raw) != metadata.get("lakegate_manifest_sha256"):
        wanted = metadata.get("lakegate_manifest_sha256", "none on record")
        gaps.append(Gap(where, manifest_path(name.table, name.number), "sha256", wanted, sha256(raw)))
    manifest = Manifest.from_bytes(raw, where=manifest_path(name.table, name.number))
    evidence = repository.get(name.tag, layout.evidence(name.table, name.number))
    if evidence is None or sha256(evidence) != manifest.evidence_sha256:
        found = "nothing" if evidence is None else sha256(evidence)
        problem: Problem = "missing" if evidence is None else "sha256"
        gaps.append(Gap(where, layout.evidence(name.table, name.number), problem, manifest.evidence_sha256, found))
    return gaps + verify_files(manifest, GatewayStore(session.endpoint, repository.name, name))


def audit_all(session: Session) -> dict[str, list[Gap]]:
    """Every tagged version with its gaps."""
    names = sorted(name for tag in session.repository.tags("") if (name := VersionName.from_tag(tag)))
    return {str(name): audit(session, name) for name in names}
