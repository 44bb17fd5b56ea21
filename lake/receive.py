"""Receive: the delivered bytes and a receipt, committed before anybody judges them. Raw keeps whatever arrived."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import shutil
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lake import layout
from lake.publish import head, publication
from lake.repository import MAIN
from lake.session import Session
from lakegate.errors import Conflict, LakegateError, UsageError

RECEIVE_TRIES: Final = 5


@dataclass(frozen=True)
class Drop:
    """An immutable content: identity is (tenant, dataset, SHA-256 of the bytes); name and time are the delivery's."""

    tenant: str
    dataset: str
    sha256: str
    name: str
    size: int
    delivered_at: str


def receive(session: Session, dataset: str, path: Path) -> Drop:
    """Take a file into the lake, verbatim, with a receipt; the same file seen again writes nothing.

    Raises:
        UsageError: The path is a link, leads through `..`, or is no regular file; nothing was taken in.
    """
    info = check_path(path)
    with session.scratch("receive") as folder:
        copied = folder / "data"
        digest = copy_in(path, copied)
        size = copied.stat().st_size
        if size != info.st_size:
            what = f"the file changed while it was read ({info.st_size} bytes, then {size})"
            raise UsageError(what, where=str(path), fix="deliver it when it stands still")
        modified = datetime.fromtimestamp(info.st_mtime, UTC).isoformat(timespec="microseconds")
        drop = Drop(session.settings.tenant, dataset, digest, path.name, size, modified)
        identity = json.dumps([str(path.resolve()), size, modified, digest])
        receipt = layout.receipts(dataset, digest) + hashlib.sha256(identity.encode()).hexdigest()[:16] + ".json"
        if session.repository.get(MAIN, receipt) is None:
            body = {"path": str(path.resolve()), "name": path.name, "size": size, "modified_at": modified, "received_by": _who()}
            _commit(session, drop, copied, receipt, body)
    return drop


def check_path(path: Path) -> os.stat_result:
    """The file's status, where it may be taken in.

    Raises:
        UsageError: It may not.
    """
    if ".." in path.parts:
        raise UsageError("a path that leads through .. is not taken in", where=str(path), fix="give the file's full path")
    try:
        info = path.lstat()
    except OSError as error:
        raise UsageError(f"the file can't be read ({error.strerror})", where=str(path), fix="check the path") from error
    if stat.S_ISLNK(info.st_mode):
        raise UsageError("a symbolic link is not taken in", where=str(path), fix="deliver the file it points to")
    if not stat.S_ISREG(info.st_mode):
        raise UsageError("not a regular file", where=str(path), fix="deliver one file")
    return info


def received(session: Session, dataset: str, digest: str) -> Drop:
    """A drop that was received before, with the name and time of its latest delivery.

    Raises:
        UsageError: It never was.
    """
    listed = session.repository.listing(MAIN, layout.receipts(dataset, digest))
    found = [body for item in listed if (body := session.repository.get_json(MAIN, item.path)) is not None]
    if not found:
        raise UsageError(f"drop {digest[:12]} of {dataset} was never received", fix="`lakegate ingest` receives a file")
    last = max(found, key=lambda body: str(body["received_at"]))
    return Drop(session.settings.tenant, dataset, digest, str(last["name"]), int(last["size"]), str(last["modified_at"]))


def pending(session: Session, dataset: str) -> list[str]:
    """SHA-256 of the drops of a dataset that were received and are not published."""
    prefix = layout.pending(dataset)
    return [item.path.removeprefix(prefix).removesuffix(".json") for item in session.repository.listing(MAIN, prefix)]


def _commit(session: Session, drop: Drop, copied: Path, receipt: str, body: dict[str, Any]) -> None:
    repository = session.repository
    branch = f"receive-{drop.dataset}-{drop.sha256[:12]}-{receipt.rsplit('/', 1)[-1][:12]}"
    record = {"format": layout.FORMAT, "received_at": datetime.now(UTC).isoformat(timespec="microseconds"), **body}
    for tried in range(1, RECEIVE_TRIES + 1):
        repository.delete_branch(branch)
        repository.branch(branch, MAIN)
        if repository.get(MAIN, receipt) is not None:
            break
        if not repository.listing(MAIN, layout.raw_object(drop.dataset, drop.sha256)):
            repository.upload(branch, layout.raw_object(drop.dataset, drop.sha256), copied)
        repository.put(branch, receipt, json.dumps(record, sort_keys=True).encode())
        if not _stands(session, drop):
            repository.put(branch, layout.pending(drop.dataset, drop.sha256), json.dumps({"format": layout.FORMAT}).encode())
        repository.commit(branch, f"receive {drop.dataset} {drop.sha256[:12]}", {"lakegate_drop": drop.sha256})
        try:
            repository.merge(branch, f"receive {drop.dataset} {drop.sha256[:12]}", {"lakegate_drop": drop.sha256})
            break
        except Conflict:
            if tried == RECEIVE_TRIES:
                raise
    repository.delete_branch(branch)


def _stands(session: Session, drop: Drop) -> bool:
    """Whether this content is what was published last (or, on an append table, ever)."""
    if publication(session.repository, dataset=drop.dataset, cause=drop.sha256, table=drop.dataset) is None:
        return False
    if session.catalog.get(drop.dataset).write_mode == "append":
        return True
    return (head(session.repository, drop.dataset) or {}).get("cause") == drop.sha256


def copy_in(source: Path, target: Path) -> str:
    """Copy a file without following links and return the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise UsageError(f"the file can't be read ({error.strerror})", where=str(source), fix="check its owner and mode") from error
    with os.fdopen(descriptor, "rb") as reader:
        try:
            with target.open("wb") as writer:
                while chunk := reader.read(8 * 1024**2):
                    digest.update(chunk)
                    writer.write(chunk)
        except OSError as error:
            shutil.rmtree(target.parent, ignore_errors=True)
            raise LakegateError(
                f"the delivery can't be copied ({error.strerror})", where=str(target), fix="free some disk space"
            ) from error
    return digest.hexdigest()


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
