"""The log of a Delta table on a branch, as delta-rs opens it.

Where the blockstore lies on this disk, that is a folder of links to the blocks which the log's last entries lie in, and what a commit
adds to it is laid into the store: through the gateway delta-rs asks for each entry, which takes longer the more there are.
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
"""Bytes."""
KEPT: Final = 200
"""Entries of a log that a process goes on with; from then on it begins anew, at the last checkpoint."""
SENDERS: Final = 4
"""Files laid into the store at once."""


def writes_locally(session: Session) -> bool:
    """Whether tables can be written beside the blockstore."""
    return session.repository.blocks is not None and found_in_scratch(session)


def found_in_scratch(session: Session) -> bool:
    """Whether tables can lie in the scratch folder.

    Not where its address needs escapes, or holds what delta-rs escapes all the same: Sail 0.7.2 writes a Delta table to another folder then,
    and delta-rs 1.6 finds none.
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
    """What `use` makes of the log of the table at `path` of the tree `ref`; where `ref` is a branch it may add to it.

    Args:
        session: The open lake.
        ref: A branch, tag or commit.
        path: Of the table.
        use: Opens the log, and may commit to it.
        doing: What is done, for errors.
        retry: Whether `use` may run again where lakeFS didn't answer.
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
    """The same on this disk."""
    from lake.tables.delta_rs import delta_errors

    repository = session.repository
    mine = session.cache(DeltaLogCache).take(path)
    if mine is None or not mine.is_of(repository, ref, path):
        if mine is not None:
            mine.close()
        mine = OpenLog.made(session)
    try:
        if not any((mine.folder / FOLDER).iterdir()):
            _lay_log(repository, ref, f"{path}/{FOLDER}", mine.folder / FOLDER)
        for item in data:
            _lay(repository, ref, item.path, item.physical, mine.folder / item.path.removeprefix(f"{path}/"))
        before = _files(mine.folder)
        with delta_errors(doing, local=True):
            found = use(mine.log)
        new = [name for name, identity in _files(mine.folder).items() if before.get(name) != identity]
        if new:
            send = partial(_send, repository, ref, path, mine.folder)
            with ThreadPoolExecutor(SENDERS) as pool:
                list(pool.map(send, new))
    except BaseException:
        mine.close()
        raise
    for name in {*new, *(item.path.removeprefix(f"{path}/") for item in data)}:
        if not name.startswith(f"{FOLDER}/"):
            (mine.folder / name).unlink()
    if len(before) > KEPT:
        mine.close()
    else:
        session.cache(DeltaLogCache).give(path, mine)
    return found


def _send(repository: Repository, ref: str, path: str, folder: Path, name: str) -> None:
    file = folder / name
    if file.stat().st_size <= SMALL:  # one call, where laying it takes two
        repository.put(ref, f"{path}/{name}", file.read_bytes())
    else:
        repository.upload(ref, f"{path}/{name}", file, etag=sha256_of(file))


def _lay_log(repository: Repository, ref: str, path: str, log: Path) -> None:
    """Make a folder of the log's entries from its last checkpoint on."""
    after = ""
    if (hint := repository.get(ref, f"{path}/{HINT}")) is not None:
        (log / HINT).write_bytes(hint)  # writers put another in its place, so it is no link
        with contextlib.suppress(ValueError, KeyError, TypeError):
            after = f"{path}/{int(json.loads(hint)['version']):020d}"
    for item in repository.listing(ref, f"{path}/", after=after):
        if (name := item.path.removeprefix(f"{path}/")) != HINT:
            _lay(repository, ref, item.path, repository.physical(item.physical_address), log / name)


def _lay(repository: Repository, ref: str, path: str, physical: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if (block := repository.local(physical)) is None:
        repository.download(ref, path, target)
    elif block.is_file():
        target.symlink_to(block)
    else:
        raise missing(block, f"{ref}:{path}")


def _files(folder: Path, within: str = "") -> dict[str, tuple[int, int]]:
    """The files of a folder, each with what tells it from another of its name."""
    found: dict[str, tuple[int, int]] = {}
    with os.scandir(
        folder / within
    ) as entries:  # the log has hundreds: pathlib asks the disk three times for each
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
