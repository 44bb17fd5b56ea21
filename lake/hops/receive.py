"""Receive: the delivered bytes and a receipt, committed before anybody judges them. Raw keeps whatever arrived."""

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
    """Take a file into the lake, verbatim, with a receipt; the same file seen again writes nothing.

    Args:
        session: The open lake.
        dataset: What it is a delivery of.
        path: The file.
        anew: It is another delivery, although the same file was seen.
        supersede: It is to supersede the published drop of its name. So says the receipt.
        take_in: A dry run does not: the drop is at hand alone, without a receipt unless it has one already.
        advance: What it does to its source's position, which the receipt tells: committed with the bytes.

    Raises:
        UsageError: The path is a link, or no regular file; nothing was taken in.
        Overtaken: The source stands elsewhere than before this delivery; nothing was taken in.
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
        if not take_in:
            known = session.repository.get_json(MAIN, receipt)
            body = known or body | {"received_at": datetime.now(UTC).isoformat(timespec="microseconds")}
            return drop_of(session, dataset, digest, body, receipt=receipt if known else "")
        with session.lease(f"receive_{dataset}"):
            for dead in branches_of(session.repository, RECEIVE, dataset, digest):
                session.repository.delete_branch(dead)
            known = session.repository.get_json(MAIN, receipt)
            body = known or body | {"received_at": datetime.now(UTC).isoformat(timespec="microseconds")}
            again = known and _ended(session, dataset, digest)[:1] == ["withdrawn"]  # by a rollback
            if known is None or (again and not is_pending(session, dataset, digest)):
                _commit(
                    session,
                    dataset,
                    digest,
                    copied=copied,
                    receipt=receipt,
                    body=body,
                    advance=None if known else advance,
                )
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
        raise UsageError(
            "a file name that is not UTF-8 is not taken in", where=ascii(str(path)), fix="rename the file"
        ) from None
    try:
        info = path.lstat()
    except OSError as error:
        raise UsageError(
            f"the file can't be read ({error.strerror})", where=str(path), fix="check the path"
        ) from error
    if stat.S_ISLNK(info.st_mode):
        raise UsageError(
            "a symbolic link is not taken in", where=str(path), fix="deliver the file it points to"
        )
    if not stat.S_ISREG(info.st_mode):
        raise UsageError("not a regular file", where=str(path), fix="deliver one file")
    return info


def _commit(
    session: Session,
    dataset: str,
    digest: str,
    *,
    copied: Path,
    receipt: str,
    body: dict[str, Any],
    advance: Advance | None = None,
) -> None:
    """Commit bytes, receipt, marker and the source's position in one merge; the caller holds the queue."""
    repository, told = session.repository, f"receive {dataset} {digest[:12]}"
    for tried in range(1, RECEIVE_TRIES + 1):
        branch = branch_of(RECEIVE, new_attempt(), dataset, digest)
        try:
            repository.branch(branch, MAIN)
            if advance is not None:
                advance_source(session, branch, advance, receipt)
            if not repository.listing(MAIN, paths.raw_object(dataset, digest)):
                session.cache(DeliveryCache).parse_ahead(digest, session.catalog.get(dataset).file)
                session.report_step(dataset, "receive.upload")
                repository.upload(branch, paths.raw_object(dataset, digest), copied, etag=digest)
                session.unmarked.add((dataset, digest))
            else:
                unmark(session, dataset, digest)
            repository.put(branch, receipt, json.dumps(body, sort_keys=True).encode())
            if not _stands(session, dataset, digest):
                repository.put(
                    branch, paths.pending(dataset, digest), json.dumps({"format": paths.FORMAT}).encode()
                )
            repository.commit(branch, told, {"lakegate_drop": digest})
            session.report_step(dataset, "receive.merge")
            repository.merge(branch, told, {"lakegate_drop": digest})
            session.report_step(dataset, "receive.done")
        except (Conflict, NotThere, Transient, IntegrityError) as error:
            if repository.get(MAIN, receipt) is not None:
                return
            if tried == RECEIVE_TRIES or isinstance(error, Overtaken):
                raise
        else:
            return
        finally:
            with contextlib.suppress(Transient):
                repository.delete_branch(branch)


def _ended(session: Session, dataset: str, digest: str) -> list[str]:
    """How and by which version its publish ended, where it did: a delivery that is to take a place again is another one each time."""
    found = session.repository.get_json(MAIN, paths.publication(dataset, digest, dataset)) or {}
    return [str(found[ENDED]), str(found.get("by", ""))] if ENDED in found else []


def _stands(session: Session, dataset: str, digest: str) -> bool:
    """Whether this content is part of the table already, or is what a replace table holds and will go on holding."""
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
    taken: Future[None] | None = None
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        refused = UsageError(
            f"the file can't be read ({error.strerror})", where=str(source), fix="check its owner and mode"
        )
        raise (disk_error(error, source) if error.errno in HANDLES else None) or refused from error
    with os.fdopen(descriptor, "rb") as reader, ThreadPoolExecutor(1) as hasher:
        before = os.fstat(reader.fileno())
        try:
            with target.open("wb") as writer:
                while chunk := reader.read(CHUNK):
                    if taken is not None:
                        taken.result()
                    taken = hasher.submit(digest.update, chunk)
                    writer.write(chunk)
        except OSError as error:
            failed = LakegateError(
                f"the delivery can't be copied ({error.strerror})",
                where=str(target),
                fix="see that its disk is sound",
            )
            raise disk_error(error, target) or failed from error
        after = os.fstat(reader.fileno())
    if (before.st_size, before.st_mtime_ns) != (
        after.st_size,
        after.st_mtime_ns,
    ) or target.stat().st_size != after.st_size:
        raise UsageError(
            "the file changed while it was read", where=str(source), fix="deliver it when it stands still"
        )
    return digest.hexdigest(), after
