"""Data Docs of versions, written from the evidence that was published with them: a page each, and an index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from expectations.gx.offline_page import HEAD
from lake import paths
from lake.lakefs.repository import MAIN
from lake.reports.one_commit import reads_one_commit
from lake.reports.versions import table_names
from lake.session import Session
from lake.versions import publish
from lakegate.errors import IntegrityError, UsageError
from lakegate.manifest import Manifest
from lakegate.media import page
from lakegate.names import VersionName

INDEX = "index.html"
_TITLE: Final = "Lakegate: what was judged"
_OURS: Final = (f"<title>{_TITLE}</title>".encode(), b"Data documentation compiled by Great Expectations")
"""What an index that may be written over holds."""


def _latest(session: Session) -> list[VersionName]:
    heads = ((table, publish.head(session.repository, table)) for table in table_names(session))
    return [VersionName(table, int(head["version"])) for table, head in heads if head is not None]


@reads_one_commit
def write_docs(session: Session, names: Sequence[VersionName], into: Path) -> Path:
    """Write the pages of these versions (of the newest of each table) and an index of them into a folder; returns the index.

    Raises:
        UsageError: A version doesn't exist, there is none to write about, or the folder holds another index.html.
        IntegrityError: A version has no evidence.
    """
    from expectations.gx.data_docs import page as page_of

    if not (names := names or _latest(session)):
        raise UsageError("nothing is published yet", fix="`lakegate ingest` publishes a drop")
    manifests = [_manifest(session, name) for name in names]
    index = into / INDEX
    if index.exists() and not any(mark in index.read_bytes() for mark in _OURS):
        what = f"{into} has an {INDEX} that neither Lakegate nor Great Expectations wrote"
        raise UsageError(what, fix="name another folder with --into, or move that file away")
    into.mkdir(parents=True, exist_ok=True)
    for manifest in manifests:
        evidence = session.repository.get_json(MAIN, paths.evidence(manifest.table, manifest.version))
        if evidence is None:
            raise IntegrityError(f"{manifest.name} has no evidence", fix=f"`lakegate verify {manifest.name}`")
        (into / _file(manifest)).write_text(
            page_of(evidence["report"], title=str(manifest.name), at=manifest.created_at), encoding="utf-8"
        )
    index.write_text(_index(manifests), encoding="utf-8")
    return index


def _manifest(session: Session, name: VersionName) -> Manifest:
    head = publish.head(session.repository, name.table)
    if head is None or not 1 <= name.number <= int(head["version"]):
        tables = table_names(session)
        if head is None and name.table not in tables:
            raise UsageError(
                f"{name} doesn't exist: there is no table {name.table}",
                fix=f"tables here: {', '.join(tables)}",
            )
        newest = f"its newest is v{head['version']}" if head else f"nothing of {name.table} is published yet"
        fix = (
            f"`lakegate versions {name.table}` lists what there is"
            if head
            else "`lakegate ingest` publishes a drop"
        )
        raise UsageError(f"{name} doesn't exist: {newest}", fix=fix)
    return publish.manifest_at(session.repository, MAIN, name)


def _file(manifest: Manifest) -> str:
    return f"{manifest.name.tag}.html"


def _index(manifests: Sequence[Manifest]) -> str:
    rows = "".join(
        f'<tr><td><a href="{_file(item)}">{page(item.name)}</a></td><td>{page(item.verdict)}</td>'
        f"<td>{item.counts.valid:,}</td><td>{item.counts.quarantined:,}</td>"
        f"<td>{sum(bool(rule['failed']) for rule in item.rules)} of {len(item.rules)}</td><td>{page(item.created_at[:19])}</td></tr>\n"
        for item in manifests
    )
    head = "".join(
        f"<th>{name}</th>"
        for name in ("version", "verdict", "rows valid", "rows quarantined", "rules broken", "judged, UTC")
    )
    style = "body{font-family:sans-serif;margin:2em}td,th{padding:.2em 1em;text-align:left}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{HEAD}<title>{_TITLE}</title><style>{style}</style>'
        f"<h1>What was judged</h1><table><tr>{head}</tr>\n{rows}</table></html>\n"
    )
