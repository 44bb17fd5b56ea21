"""Data Docs of versions, written from the evidence that was published with them: a page each, and an index."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from lake import layout, publish
from lake.repository import MAIN
from lake.session import Session
from lake.versions import table_names
from lakegate.errors import IntegrityError, UsageError
from lakegate.manifest import Manifest
from lakegate.names import VersionName

INDEX = "index.html"


def latest_versions(session: Session) -> list[VersionName]:
    """The newest version of each table."""
    heads = ((table, publish.head(session.repository, table)) for table in table_names(session))
    return [VersionName(table, int(head["version"])) for table, head in heads if head is not None]


def write_docs(session: Session, names: Sequence[VersionName], into: Path) -> Path:
    """Write the pages of these versions and an index of them into a folder; returns the index.

    Raises:
        UsageError: A version doesn't exist, or there is none to write about.
        IntegrityError: A version has no evidence.
    """
    from expectations.data_docs import page

    if not names:
        raise UsageError("nothing is published yet", fix="`lakegate ingest` publishes a drop")
    manifests = [_manifest(session, name) for name in names]
    into.mkdir(parents=True, exist_ok=True)
    for manifest in manifests:
        evidence = session.repository.get_json(MAIN, layout.evidence(manifest.table, manifest.version))
        if evidence is None:
            raise IntegrityError(f"{manifest.name} has no evidence", fix=f"`lakegate verify {manifest.name}`")
        (into / _file(manifest)).write_text(page(evidence["report"], title=str(manifest.name), at=manifest.created_at), encoding="utf-8")
    (into / INDEX).write_text(_index(manifests), encoding="utf-8")
    return into / INDEX


def _manifest(session: Session, name: VersionName) -> Manifest:
    head = publish.head(session.repository, name.table)
    if head is None or not 1 <= name.number <= int(head["version"]):
        newest = f"its newest is v{head['version']}" if head else f"there is no table {name.table}"
        raise UsageError(f"{name} doesn't exist: {newest}", fix=f"`lakegate versions {name.table}` lists what there is")
    return publish.manifest_at(session.repository, MAIN, name)


def _file(manifest: Manifest) -> str:
    return f"{manifest.name.tag}.html"


def _index(manifests: Sequence[Manifest]) -> str:
    rows = "".join(
        f'<tr><td><a href="{_file(item)}">{html.escape(str(item.name))}</a></td><td>{item.verdict}</td>'
        f"<td>{item.counts.valid:,}</td><td>{item.counts.quarantined:,}</td>"
        f"<td>{sum(bool(rule['failed']) for rule in item.rules)} of {len(item.rules)}</td><td>{item.created_at[:19]}</td></tr>\n"
        for item in manifests
    )
    head = "".join(f"<th>{name}</th>" for name in ("version", "verdict", "rows valid", "rows set aside", "rules broken", "judged, UTC"))
    style = "body{font-family:sans-serif;margin:2em}td,th{padding:.2em 1em;text-align:left}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Lakegate: what was judged</title><style>{style}</style>'
        f"<h1>What was judged</h1><table><tr>{head}</tr>\n{rows}</table></html>\n"
    )
