"""The log of a Delta table on a branch, as delta-rs opens it.

Where the blockstore lies on this disk, that is a folder of links to the blocks which the log's last entries lie in, and what a commit
adds to it is laid into the store: through the gateway delta-rs asks for each entry, which takes longer the more there are.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from lake.objects import sha256_of
from lake.session import Session
from lakegate.errors import Conflict, IntegrityError, LakegateError
from lakegate.home import Endpoint

if TYPE_CHECKING:
    from deltalake import DeltaTable

T = TypeVar("T")
FOLDER: Final = "_delta_log"
HINT: Final = "_last_checkpoint"
SENDERS: Final = 4
"""Files laid into the store at once."""


@dataclass(frozen=True)
class Log:
    """Where delta-rs finds a table's log."""

    uri: str
    options: dict[str, str] = field(default_factory=dict, repr=False)

    def opened(self) -> DeltaTable | None:
        """The table; None where there is none."""
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        try:
            return DeltaTable(self.uri, storage_options=self.options)
        except TableNotFoundError:
            return None


def beside(session: Session) -> bool:
    """Whether tables can be written beside the blockstore.

    Not where the folder's address needs escapes: Sail 0.7.2 writes a Delta table to another folder then, and delta-rs 1.6 finds none.
    """
    return session.repository.blocks is not None and "%" not in session.settings.scratch_dir.absolute().as_uri()


def with_log(session: Session, ref: str, path: str, use: Callable[[Log], T], *, doing: str, retry: bool = True) -> T:
    """What `use` makes of the log of the table at `path` of the tree `ref`; where `ref` is a branch it may add to it.

    Args:
        session: The open lake.
        ref: A branch, tag or commit.
        path: Of the table.
        use: Opens the log, and may commit to it.
        doing: What is done, for errors.
        retry: Whether `use` may run again where lakeFS didn't answer.

    Raises:
        Conflict: Somebody else committed to the table on that branch.
        IntegrityError: The log can't be read, or written.
    """
    repository = session.repository
    if not beside(session):

        def there(endpoint: Endpoint) -> T:
            with told(doing):
                return use(Log(f"s3://{repository.name}/{ref}/{path}", storage_options(endpoint)))

        return repository.calling(there, doing=doing, retry=retry)
    with session.scratch("log") as folder:
        log = folder / FOLDER
        before = _laid_out(session, ref, f"{path}/{FOLDER}", log)
        with told(doing, local=True):
            found = use(Log(str(folder)))
        new = [file for file in sorted(log.glob("[0-9_]*")) if before.get(file.name) != _identity(file)]
        if new:
            with ThreadPoolExecutor(SENDERS) as pool:
                list(pool.map(lambda file: repository.upload(ref, f"{path}/{FOLDER}/{file.name}", file, etag=sha256_of(file)), new))
        return found


def _laid_out(session: Session, ref: str, path: str, log: Path) -> dict[str, tuple[int, int]]:
    """Make a folder of the log's entries from its last checkpoint on; what is in it, each file with what tells it from another."""
    repository = session.repository
    log.mkdir()
    after = ""
    if (hint := repository.get(ref, f"{path}/{HINT}")) is not None:
        (log / HINT).write_bytes(hint)  # writers put another in its place, so it is no link
        with contextlib.suppress(ValueError, KeyError, TypeError):
            after = f"{path}/{int(json.loads(hint)['version']):020d}"
    for item in repository.listing(ref, f"{path}/", after=after):
        if (name := item.path.removeprefix(f"{path}/")) == HINT:
            continue
        (log / name).parent.mkdir(parents=True, exist_ok=True)
        if (block := repository.local(repository.physical(item.physical_address))) is None:
            repository.download(ref, item.path, log / name)
        else:
            (log / name).symlink_to(block)
    return {file.name: _identity(file) for file in log.iterdir()}


def _identity(file: Path) -> tuple[int, int]:
    found = file.lstat()
    return found.st_ino, found.st_mtime_ns


@contextlib.contextmanager
def told(doing: str, *, local: bool = False) -> Iterator[None]:
    """Turn delta-rs's errors into ours, without their text: it may quote values (P6). `local`: what it does there is done on this disk."""
    from deltalake.exceptions import CommitFailedError, DeltaError

    try:
        yield
    except CommitFailedError as error:
        raise Conflict(f"another writer was first ({doing})", fix="run it again") from error
    except OSError as error:
        if not local:
            raise
        what = f"the scratch folder can't be used, {doing} ({error.strerror or type(error).__name__})"
        raise LakegateError(what, fix="free some disk space, or name another folder with LAKEGATE_SCRATCH") from None
    except DeltaError as error:
        what = f"delta-rs failed, {doing} ({type(error).__name__})"
        fix = "nothing was published; run it again, and report it where it comes again"
        raise IntegrityError(what, fix=fix) from None


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
