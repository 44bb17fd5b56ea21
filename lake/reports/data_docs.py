"""Data Docs of versions, written from the evidence published with them: a page each, and an index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from expectations.gx.offline_page import HEAD
from lake import paths
from lake.lakefs.repository import MAIN
from lake.reports.one_commit import reads_one_commit
from lake.reports.versions import latest_number, table_names
from lake.session import Session
from lake.tables.quarantine import latest_manifest
from lake.versions import publish
from lakegate.errors import IntegrityError, UsageError
from lakegate.manifest import Manifest
from lakegate.media import page
from lakegate.names import VersionName

INDEX = "index.html"
_TITLE: Final = "Lakegate: what was judged"
_OURS: Final = (f"<title>{_TITLE}</title>".encode(), b"Data documentation compiled by Great Expectations")
"""What an index that may be written over holds."""


@reads_one_commit
def write_docs(session: Session, names: Sequence[VersionName], into: Path) -> Path:
    """Write a page for each version, and an index of them; returns the index.

    Args:
        session: The open lake.
        names: The versions; where there is none, the newest of each table.
        into: The folder.

    Raises:
        UsageError: A version doesn't exist, none is published, or the folder holds another index.html.
        IntegrityError: A version has no evidence.
    """
    from expectations.gx.data_docs import page as page_of

    if names:
        manifests = [_manifest(session, name) for name in names]
    else:
        found = (latest_manifest(session, table) for table in table_names(session))
        manifests = [manifest for manifest in found if manifest is not None]
    if not manifests:
        raise UsageError("nothing is published yet", fix="`lakegate ingest` publishes a drop")
    index = into / INDEX
    if index.exists() and not any(mark in index.read_bytes() for mark in _OURS):
        what = f"{into} has an {INDEX} that neither Lakegate nor Great Expectations wrote"
        raise UsageError(what, fix="name another folder with --into, or move that file away")
    into.mkdir(parents=True, exist_ok=True)
    for manifest in manifests:
        evidence = session.repository.get_json(MAIN, paths.evidence(manifest.table, manifest.version))
        if evidence is None:
            raise IntegrityError(f"{manifest.name} has no evidence", fix=f"`lakegate verify {manifest.name}`")
        content = page_of(evidence["report"], title=str(manifest.name), at=manifest.created_at)
        (into / _file(manifest)).write_text(content, encoding="utf-8")
    index.write_text(_index(manifests), encoding="utf-8")
    return index


def _manifest(session: Session, name: VersionName) -> Manifest:
    newest, tables = latest_number(session, name.table), table_names(session)
    if name.number <= newest:
        return publish.manifest_at(session.repository, MAIN, name)
    if newest:
        why, fix = f"its newest is v{newest}", f"`lakegate versions {name.table}` lists what there is"
    elif name.table in tables:
        why, fix = f"nothing of {name.table} is published yet", "`lakegate ingest` publishes a drop"
    else:
        why, fix = f"there is no table {name.table}", f"tables here: {', '.join(tables)}"
    raise UsageError(f"{name} doesn't exist: {why}", fix=fix)


def _file(manifest: Manifest) -> str:
    return f"{manifest.name.tag}.html"


def _index(manifests: Sequence[Manifest]) -> str:
    rows = "".join(
        f'<tr><td><a href="{_file(item)}">{page(item.name)}</a></td><td>{page(item.verdict)}</td>'
        f"<td>{item.counts.valid:,}</td><td>{item.counts.quarantined:,}</td>"
        f"<td>{sum(bool(rule['failed']) for rule in item.rules)} of {len(item.rules)}</td>"
        f"<td>{page(item.created_at[:19])}</td></tr>\n"
        for item in manifests
    )
    head = "".join(
        f"<th>{name}</th>"
        for name in ("version", "verdict", "rows valid", "rows quarantined", "rules broken", "judged, UTC")
    )
    style = "body{font-family:sans-serif;margin:2em}td,th{padding:.2em 1em;text-align:left}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{HEAD}<title>{_TITLE}</title>'
        f"<style>{style}</style>"
        f"<h1>What was judged</h1><table><tr>{head}</tr>\n{rows}</table></html>\n"
    )
