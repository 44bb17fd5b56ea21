"""The log of a Delta table on a branch, as delta-rs opens it.

Through the gateway delta-rs requests each entry of a log, which takes longer the more there are. Where the
blockstore lies on this disk, delta-rs opens a folder of links to the blocks of the log's last entries
instead, and the files that its commit adds there are uploaded afterwards.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from lake.lakefs.files import missing, sha256_of
from lake.lakefs.repository import Repository
from lake.tables.log_cache import FOLDER, DeltaLogCache, Log, OpenLog
from lakegate.home import Endpoint
from lakegate.manifest import DataFile

if TYPE_CHECKING:
    from lake.session import Session

T = TypeVar("T")
HINT: Final = "_last_checkpoint"
SMALL: Final = 64 * 1024
"""Bytes of a file up to which one call uploads it."""
LONG: Final = 200
"""Entries after which a cached log is closed; the next use begins again, at the last checkpoint."""
SENDERS: Final = 4
"""Files uploaded at once."""


def writes_locally(session: Session) -> bool:
    """Whether tables can be written beside the blockstore."""
    return session.repository.blocks is not None and found_in_scratch(session)


def found_in_scratch(session: Session) -> bool:
    """Whether tables can lie in the scratch folder.

    Where its address needs escapes, or has a character that delta-rs escapes anyway, Sail 0.7.2 writes a
    Delta table to another folder, and delta-rs 1.6 finds none.
    """
    address = session.settings.scratch_dir.absolute().as_uri()
    return "%" not in address and "~" not in address


def with_log(
    session: Session,
    ref: str,
    path: str,
    use: Callable[[Log], T],
    *,
    doing: str,
    retry: bool = True,
    data: Sequence[DataFile] = (),
) -> T:
    """The result of `use` on the log of the table at `path` in the tree `ref`.

    Args:
        session: The open lake.
        ref: A branch, tag or commit.
        path: Of the table.
        use: Opens the log, and on a branch may commit to it.
        doing: What is done, for errors.
        retry: Whether `use` may run again where lakeFS didn't respond.
        data: Files of the table that it reads; with any, all lies on this disk, wherever the store is.

    Raises:
        Conflict: Somebody else committed to the table on that branch.
        IntegrityError: The log can't be read, or written.
    """
    repository = session.repository
    if not data and not writes_locally(session):

        def there(endpoint: Endpoint) -> T:
            from lake.tables.delta_rs import delta_errors

            with delta_errors(doing):
                return use(Log(f"s3://{repository.name}/{ref}/{path}", storage_options(endpoint)))

        return repository.calling(there, doing=doing, retry=retry)
    return _with_own(session, ref, path, use, doing=doing, data=data)


def _with_own(
    session: Session, ref: str, path: str, use: Callable[[Log], T], *, doing: str, data: Sequence[DataFile]
) -> T:
    """As `with_log`, on a copy of the log on this disk."""
    from lake.tables.delta_rs import delta_errors

    repository, cache = session.repository, session.cache(DeltaLogCache)
    mine = cache.take(path)
    if mine is not None and not mine.is_of(repository, ref, path):
        mine.close()
        mine = None
    mine = mine or OpenLog.made(session)
    folder = mine.folder
    read = {item.path.removeprefix(f"{path}/"): item for item in data}
    try:
        if not any((folder / FOLDER).iterdir()):
            _link_log(repository, ref, f"{path}/{FOLDER}", folder / FOLDER)
        for name, item in read.items():
            _link(repository, ref, item.path, item.physical, folder / name)
        before = _files(folder)
        with delta_errors(doing, local=True):
            found = use(mine.log)
        new = [name for name, identity in _files(folder).items() if before.get(name) != identity]
        if new:
            with ThreadPoolExecutor(SENDERS) as pool:
                list(pool.map(partial(_send, repository, ref, path, folder), new))
    except BaseException:
        mine.close()
        raise
    for name in {*new, *read}:
        if not name.startswith(f"{FOLDER}/"):
            (folder / name).unlink()
    if len(before) > LONG:
        mine.close()
    else:
        cache.give(path, mine)
    return found


def _send(repository: Repository, ref: str, path: str, folder: Path, name: str) -> None:
    file = folder / name
    if file.stat().st_size <= SMALL:  # one call, where an upload takes two
        repository.put(ref, f"{path}/{name}", file.read_bytes())
    else:
        repository.upload(ref, f"{path}/{name}", file, etag=sha256_of(file))


def _link_log(repository: Repository, ref: str, path: str, log: Path) -> None:
    """Link the log's entries from its last checkpoint on into a folder."""
    after = ""
    if (hint := repository.get(ref, f"{path}/{HINT}")) is not None:
        (log / HINT).write_bytes(hint)  # writers replace it, so it is no link
        with contextlib.suppress(ValueError, KeyError, TypeError):
            after = f"{path}/{int(json.loads(hint)['version']):020d}"
    for item in repository.listing(ref, f"{path}/", after=after):
        if (name := item.path.removeprefix(f"{path}/")) != HINT:
            _link(repository, ref, item.path, repository.physical(item.physical_address), log / name)


def _link(repository: Repository, ref: str, path: str, physical: str, target: Path) -> None:
    """Link an object's block to a path, or copy the object there where the store is elsewhere."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if (block := repository.local(physical)) is None:
        repository.download(ref, path, target)
    elif block.is_file():
        target.symlink_to(block)
    else:
        raise missing(block, f"{ref}:{path}")


def _files(folder: Path, within: str = "") -> dict[str, tuple[int, int]]:
    """The files of a folder, each with its inode and time of change: a new file of its name has others."""
    found: dict[str, tuple[int, int]] = {}
    with os.scandir(folder / within) as entries:  # pathlib takes three system calls for each of hundreds
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found |= _files(folder, f"{within}{entry.name}/")
            else:
                stat = entry.stat(follow_symlinks=False)
                found[f"{within}{entry.name}"] = stat.st_ino, stat.st_mtime_ns
    return found


def storage_options(endpoint: Endpoint) -> dict[str, str]:
    """How delta-rs reaches lakeFS's gateway."""
    return {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": endpoint.key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret,
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        "AWS_EC2_METADATA_DISABLED": "true",
        "conditional_put": "etag",
        "max_retries": "2",  # its own tries go to one address, for three minutes
        "retry_timeout": "10s",
    }
