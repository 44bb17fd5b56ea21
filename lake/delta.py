"""The Delta log of a table on a branch: which files it holds, each with size, rows and SHA-256.

Only the log is read through delta-rs; data never is (its S3 reader aborted processes at exit).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

from lake.repository import Repository
from lakegate.errors import IntegrityError
from lakegate.home import Endpoint
from lakegate.manifest import DataFile

if TYPE_CHECKING:
    from deltalake import DeltaTable

HASHERS: Final = 4
"""Files hashed at once."""


class Listed(NamedTuple):
    """A file that a Delta log names: its path in the tree, its rows, where it lies in the store, and its bytes."""

    path: str
    rows: int
    physical: str
    size: int


def list_table(repository: Repository, ref: str, path: str, *, known: Sequence[DataFile] = ()) -> list[Listed]:
    """The files of the Delta table at `path` in the tree `ref`, by its log; an absent table has none.

    Files that `known` (the parent version's) lists are taken from there: Delta files never change.

    Raises:
        IntegrityError: The log names a file that the tree does not hold, or one without a row count.
    """
    before = {item.path: Listed(item.path, item.rows, item.physical, item.size) for item in known}
    named = [(f"{path}/{name}", rows) for name, rows in _active(repository, ref, path)]
    if all(name in before for name, _ in named):
        return [before[name] for name, _ in named]
    objects = {item.path: item for item in repository.listing(ref, f"{path}/")}
    return [before.get(name) or _listed(repository, objects.get(name), name, rows, where=f"{ref}:{path}") for name, rows in named]


def _listed(repository: Repository, stored: Any, name: str, rows: int | None, *, where: str) -> Listed:
    if stored is None or rows is None:
        lack = "without a row count" if stored else "the tree does not hold it"
        what = f"the Delta log names {name.rsplit('/', 1)[-1]}, {lack}"
        raise IntegrityError(what, where=where, fix="write the version again: run the drop once more")
    return Listed(name, rows, repository.physical(stored.physical_address), int(stored.size_bytes))


def table_files(
    repository: Repository, ref: str, path: str, *, known: Sequence[DataFile], listed: Sequence[Listed] | None = None
) -> list[DataFile]:
    """The files of the Delta table at `path` in the tree `ref`: those that are `known` in their order, then others by path.

    Those that the parent version doesn't know are hashed. `listed` is what `list_table` gave, where the caller asked.

    Raises:
        IntegrityError: See `list_table`.
    """
    listed = list_table(repository, ref, path, known=known) if listed is None else listed
    there = {item.path for item in listed}
    before = {item.path: item for item in known}

    def describe(item: Listed) -> DataFile:
        return DataFile(item.path, item.physical, item.size, repository.sha256(ref, item.path, physical=item.physical), item.rows)

    with ThreadPoolExecutor(HASHERS) as pool:
        described = list(pool.map(describe, [item for item in listed if item.path not in before]))
    return [*(item for item in known if item.path in there), *sorted(described, key=lambda item: item.path)]


def opened(repository: Repository, endpoint: Endpoint, ref: str, path: str) -> DeltaTable | None:
    """The Delta table at `path` in the tree `ref`; None where there is none."""
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    try:
        return DeltaTable(f"s3://{repository.name}/{ref}/{path}", storage_options=storage_options(endpoint))
    except TableNotFoundError:
        return None


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


def _active(repository: Repository, ref: str, path: str) -> list[tuple[str, int | None]]:
    def read(endpoint: Endpoint) -> Any:
        table = opened(repository, endpoint, ref, path)
        return table and table.get_add_actions(flatten=True)

    if (actions := repository.calling(read, doing=f"reading the Delta log of {path}")) is None:
        return []
    names, rows = actions["path"].to_pylist(), actions["num_records"].to_pylist()
    return [(unquote(name), None if count is None else int(count)) for name, count in zip(names, rows, strict=True)]
