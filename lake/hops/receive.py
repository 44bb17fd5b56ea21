"""Receive: the delivered bytes and a receipt, committed before they are judged. Raw stores every delivery."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lake import paths
from lake.hops.delivery_cache import DeliveryCache
from lake.lakefs.branches import RECEIVE, branch_of, branches_of, new_attempt
from lake.lakefs.files import CHUNK
from lake.lakefs.repository import MAIN, NotThere
from lake.ledger.receipts import Advance, Drop, Overtaken, advance_source, drop_of, is_pending, pending
from lake.ledger.refused_drops import unmark
from lake.runtime.disk_errors import HANDLES, disk_error, disk_errors
from lake.runtime.identity import current_user
from lake.session import Session
from lake.versions.publish import ENDED, head, publication
from lakegate.errors import Conflict, IntegrityError, LakegateError, Transient, UsageError

RECEIVE_TRIES: Final = 5
LONG: Final = 32 * 1024**2
"""Bytes of a delivery whose copy takes long enough to do something else meanwhile."""


def receive(
    session: Session,
    dataset: str,
    path: Path,
    *,
    anew: bool = False,
    supersede: bool = False,
    take_in: bool = True,
    advance: Advance | None = None,
) -> Drop:
    """Take a file into the lake, verbatim, with a receipt; the same file received again writes nothing.

    Args:
        session: The open lake.
        dataset: The dataset that it is a delivery of.
        path: The file.
        anew: Whether it is another delivery, although the same file was received before.
        supersede: Whether it supersedes the published drop of its name; the receipt says so.
        take_in: False in a dry run: the drop is only cached, without a receipt unless it has one already.
        advance: The new position of its source, which the receipt holds: committed with the bytes.

    Raises:
        UsageError: The path is a link, or no regular file; nothing was taken in.
        Overtaken: The source is not where this delivery begins; nothing was taken in.
    """
    if check_path(path).st_size > LONG:
        session.ready_ahead()
    with disk_errors(session.settings.home.root), session.scratch("receive") as folder:
        digest, info = copy_in(path, folder / "data")
        copied = session.cache(DeliveryCache).keep(digest, folder / "data", path.name)
        modified = datetime.fromtimestamp(info.st_mtime, UTC).isoformat(timespec="microseconds")
        parts = [str(path.resolve()), info.st_size, modified, digest, *([uuid.uuid4().hex] if anew else [])]
        parts += ["supersedes", *_ended(session, dataset, digest)] if supersede else []
        parts += ["advances", advance.source, advance.after] if advance else []
        identity = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        receipt = f"{paths.receipts(dataset, digest)}{identity[:16]}.json"
        body: dict[str, Any] = {"format": paths.FORMAT, "path": str(path.resolve()), "name": path.name}
        body |= {"size": info.st_size, "modified_at": modified, "received_by": current_user()}
        body |= {"supersedes": True} if supersede else {}
        body |= {"source": advance.source, "position": advance.after} if advance else {}

        def received() -> tuple[dict[str, Any] | None, dict[str, Any]]:
            """The receipt that main has, and the one that holds."""
            known = session.repository.get_json(MAIN, receipt)
            now = datetime.now(UTC).isoformat(timespec="microseconds")
            return known, known or body | {"received_at": now}

        if not take_in:
            known, body = received()
            return drop_of(session, dataset, digest, body, receipt=receipt if known else "")
        with session.lease(f"receive_{dataset}"):
            for dead in branches_of(session.repository, RECEIVE, dataset, digest):
                session.repository.delete_branch(dead)
            known, body = received()
            again = known and _ended(session, dataset, digest)[:1] == ["withdrawn"]  # by a rollback
            if known is None or (again and not is_pending(session, dataset, digest)):
                content = json.dumps(body, sort_keys=True).encode()
                first = None if known else advance
                _commit(session, dataset, digest, copied=copied, receipt=(receipt, content), advance=first)
    session.names[dataset, digest] = path.name
    return drop_of(session, dataset, digest, body, receipt=receipt)


def check_path(path: Path) -> os.stat_result:
    """The file's status, where it may be taken in.

    Raises:
        UsageError: It may not.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        what = "a file name that is not UTF-8 is not taken in"
        raise UsageError(what, where=ascii(str(path)), fix="rename the file") from None
    try:
        info = path.lstat()
    except OSError as error:
        what = f"the file can't be read ({error.strerror})"
        raise UsageError(what, where=str(path), fix="check the path") from error
    if stat.S_ISLNK(info.st_mode):
        what = "a symbolic link is not taken in"
        raise UsageError(what, where=str(path), fix="deliver the file it points to")
    if not stat.S_ISREG(info.st_mode):
        raise UsageError("not a regular file", where=str(path), fix="deliver one file")
    return info


def _commit(
    session: Session,
    dataset: str,
    digest: str,
    *,
    copied: Path,
    receipt: tuple[str, bytes],
    advance: Advance | None,
) -> None:
    """Commit bytes, receipt, marker and the source's position in one merge; needs the dataset's lease.

    Args:
        session: The open lake.
        dataset: The dataset that it is a delivery of.
        digest: The SHA-256 of the bytes.
        copied: The file that holds them.
        receipt: Path and content of the receipt.
        advance: The new position of the source, if it has one.
    """
    repository, message = session.repository, f"receive {dataset} {digest[:12]}"
    raw, metadata = paths.raw_object(dataset, digest), {"lakegate_drop": digest}
    for tried in range(1, RECEIVE_TRIES + 1):
        branch = branch_of(RECEIVE, new_attempt(), dataset, digest)
        try:
            repository.branch(branch, MAIN)
            if advance is not None:
                advance_source(session, branch, advance, receipt[0])
            if not repository.listing(MAIN, raw):
                session.cache(DeliveryCache).parse_ahead(digest, session.catalog.get(dataset).file)
                session.report_step(dataset, "receive.upload")
                repository.upload(branch, raw, copied, etag=digest)
                session.unmarked.add((dataset, digest))
            else:
                unmark(session, dataset, digest)
            repository.put(branch, *receipt)
            if not _is_current(session, dataset, digest):
                marker = json.dumps({"format": paths.FORMAT}).encode()
                repository.put(branch, paths.pending(dataset, digest), marker)
            repository.commit(branch, message, metadata)
            session.report_step(dataset, "receive.merge")
            repository.merge(branch, message, metadata)
            session.report_step(dataset, "receive.done")
        except (Conflict, NotThere, Transient, IntegrityError) as error:
            if repository.get(MAIN, receipt[0]) is not None:
                return
            if tried == RECEIVE_TRIES or isinstance(error, Overtaken):
                raise
        else:
            return
        finally:
            with contextlib.suppress(Transient):
                repository.delete_branch(branch)


def _ended(session: Session, dataset: str, digest: str) -> list[str]:
    """How and by which version its publish ended; empty where it did not.

    It is part of a correction's identity: the same bytes may correct a drop once more after each such end.
    """
    found = session.repository.get_json(MAIN, paths.publication(dataset, digest, dataset)) or {}
    return [str(found[ENDED]), str(found.get("by", ""))] if ENDED in found else []


def _is_current(session: Session, dataset: str, digest: str) -> bool:
    """Whether this content is part of the table, and of a replace table its newest content."""
    if publication(session.repository, dataset=dataset, cause=digest, table=dataset) is None:
        return False
    if session.catalog.get(dataset).write_mode != "replace":
        return True
    return (head(session.repository, dataset) or {}).get("cause") == digest and not pending(session, dataset)


def copy_in(source: Path, target: Path) -> tuple[str, os.stat_result]:
    """Copy a file without following links; the SHA-256 of what was copied, and the file's status.

    Raises:
        UsageError: It can't be read, or it changed while it was copied.
    """
    digest = hashlib.sha256()
    hashed: Future[None] | None = None
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in HANDLES and (full := disk_error(error, source)) is not None:
            raise full from error
        what = f"the file can't be read ({error.strerror})"
        raise UsageError(what, where=str(source), fix="check its owner and mode") from error
    with os.fdopen(descriptor, "rb") as reader, ThreadPoolExecutor(1) as hasher:
        before = os.fstat(reader.fileno())
        try:
            with target.open("wb") as writer:
                while chunk := reader.read(CHUNK):
                    if hashed is not None:
                        hashed.result()
                    hashed = hasher.submit(digest.update, chunk)
                    writer.write(chunk)
        except OSError as error:
            what = f"the delivery can't be copied ({error.strerror})"
            failed = LakegateError(what, where=str(target), fix="see that its disk is sound")
            raise disk_error(error, target) or failed from error
        after = os.fstat(reader.fileno())
    sizes = {before.st_size, after.st_size, target.stat().st_size}
    if len(sizes) > 1 or before.st_mtime_ns != after.st_mtime_ns:
        what = "the file changed while it was read"
        raise UsageError(what, where=str(source), fix="deliver it when nothing writes it any more")
    return digest.hexdigest(), after
