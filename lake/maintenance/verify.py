"""Prove versions: tags, commits' own metadata, manifests, and every byte of every file; or name each gap.

Main is read at one commit, tags and branches after it: what others publish meanwhile is not looked at, and
what they end meanwhile is no gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lake import paths
from lake.lakefs.repository import MAIN, Repository
from lake.maintenance.known_versions import expired, heads, only_tagged, versions_of
from lake.maintenance.version_audit import Audit, Refs
from lake.maintenance.version_trees import Trees
from lake.session import Session
from lakegate.errors import Expired, VersionNotFound
from lakegate.files.verify import Gap
from lakegate.manifest import manifest_path
from lakegate.names import VersionName

History = Mapping[str, Mapping[str, str]]
"""The metadata of main's commits by id, newest first."""


def audit(session: Session, name: VersionName) -> list[Gap]:
    """Every way in which a version is not what it says it is; empty where all of it is there and right.

    Raises:
        VersionNotFound: It was never published here.
        Expired: Its retention ended: there is nothing to prove.
    """
    _demand_retained(session, name)
    refs = Refs.of(session.repository, name)
    if not (refs.commit or refs.merged):
        what = f"{name} was never published here"
        raise VersionNotFound(what, fix=f"`lakegate versions {name.table}` lists what was")
    if gaps := Audit(session).version(name, refs, wait=True):
        _demand_retained(session, name)  # it may have ended meanwhile
    return gaps


def audit_all(session: Session) -> dict[str, list[Gap]]:
    """The gaps of every version that was published by one moment, and of main itself as it is then."""
    repository = session.repository
    at = repository.commit_of(MAIN)
    history: History = dict(repository.history(at))
    ended, newest = expired(repository, at), heads(repository, at)
    # After main: what main names has a tag by now.
    tags, branches = repository.tags(""), repository.branch_commits("keep-")
    names = (versions_of(newest) | only_tagged(repository, tags, newest)) - ended.keys()
    merges = _merges(repository, at, history, names)
    places = {commit: place for place, commit in enumerate(history)}

    def oldest_first(name: VersionName) -> tuple[int, VersionName]:
        return -places.get(tags.get(name.tag, ""), len(places)), name

    work, found = Audit(session, at, Trees(repository)), dict[VersionName, list[Gap]]()
    for name in sorted(names, key=oldest_first):
        commit = tags.get(name.tag, "")
        if commit in history or not commit:
            metadata = history.get(commit, {})
        else:
            metadata = repository.commit_and_metadata(commit)[1]
        branch, merged = branches.get(name.keep_branch, ""), merges.get(name, "")
        refs = Refs(commit, metadata, branch, merged, on_main=commit in history)
        found[name] = work.version(name, refs, wait=name.number >= newest.get(name.table, 0))
    for name in ended:
        work.add_named(name)
    if any(found.values()):
        for name in expired(repository, MAIN).keys() - ended.keys():
            found.pop(name, None)
    by_name = {str(name): found[name] for name in sorted(found)}
    return by_name | ({MAIN: strays} if (strays := list(work.strays())) else {})


def _demand_retained(session: Session, name: VersionName) -> None:
    body = session.repository.get_json(MAIN, paths.expired(name.table, name.number))
    if body is not None:
        raise Expired.of(name, body)


def _merges(
    repository: Repository, at: str, history: History, names: Iterable[VersionName]
) -> dict[VersionName, str]:
    """The commit of main that published each version, where main still holds the manifest of that commit."""
    addresses = {item.path: item.physical_address for item in repository.listing(at, paths.MANIFESTS)}
    newest: dict[str, str] = {}
    for commit, metadata in history.items():
        newest.setdefault(metadata.get("lakegate_version", ""), commit)
    found = {}
    for name in names:
        if (merged := newest.get(str(name))) is not None:
            path = manifest_path(name.table, name.number)
            stored = repository.stat(merged, path)
            if stored is not None and stored.physical_address == addresses.get(path):
                found[name] = merged
    return found
