"""The Delta log of a table on a branch: which files it holds, each with size, rows and SHA-256.

Only the log is read through delta-rs; data never is (its S3 reader aborted processes at exit).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from lake.repository import Repository
from lakegate.errors import IntegrityError
from lakegate.home import Endpoint
from lakegate.manifest import DataFile

HASHERS: Final = 4
"""Files hashed at once: hashing waits for the gateway more than for a core."""


class Listed(NamedTuple):
    """A file that a Delta log names: its path in the tree and its rows, None where the log doesn't count them."""

    path: str
    rows: int | None


def list_table(repository: Repository, ref: str, path: str) -> list[Listed]:
    """The files of the Delta table at `path` in the tree `ref`, by its log; an absent table has none."""
    return [Listed(f"{path}/{name}", rows) for name, rows in _active(repository, ref, path)]


def table_files(
    repository: Repository, ref: str, path: str, *, known: Sequence[DataFile], listed: Sequence[Listed] | None = None
) -> list[DataFile]:
    """The files of the Delta table at `path` in the tree `ref`, sorted by path; an absent table has none.

    Files that `known` (the parent version's) already lists are taken from there: Delta files never change. `listed` is what
    `list_table` gave, where the caller asked.

    Raises:
        IntegrityError: The log names a file that the tree does not hold, or one without a row count.
    """
    listed = list_table(repository, ref, path) if listed is None else listed
    before = {item.path: item for item in known}
    fresh = [item for item in listed if item.path not in before]
    objects = {item.path: item for item in repository.listing(ref, f"{path}/")} if fresh else {}

    def describe(item: Listed) -> DataFile:
        if item.path not in objects or item.rows is None:
            lack = "without a row count" if item.path in objects else "the tree does not hold it"
            what = f"the Delta log names {item.path.removeprefix(f'{path}/')}, {lack}"
            raise IntegrityError(what, where=f"{ref}:{path}", fix="write the version again: run the drop once more")
        stored = objects[item.path]
        digest = repository.sha256(ref, item.path, address=stored.physical_address)
        return DataFile(item.path, repository.physical(stored.physical_address), int(stored.size_bytes), digest, item.rows)

    with ThreadPoolExecutor(HASHERS) as pool:
        described = list(pool.map(describe, fresh))
    return sorted([*(before[item.path] for item in listed if item.path in before), *described], key=lambda item: item.path)


def _active(repository: Repository, ref: str, path: str) -> list[tuple[str, int | None]]:
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    def read(endpoint: Endpoint) -> Any:
        options = {
            "AWS_ENDPOINT_URL": endpoint.url,
            "AWS_ACCESS_KEY_ID": endpoint.key_id,
            "AWS_SECRET_ACCESS_KEY": endpoint.secret,
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
            "AWS_EC2_METADATA_DISABLED": "true",
            "max_retries": "2",  # its own tries go to one address, for three minutes
            "retry_timeout": "10s",
        }
        return DeltaTable(f"s3://{repository.name}/{ref}/{path}", storage_options=options).get_add_actions(flatten=True)

    try:
        actions = repository.calling(read, doing=f"reading the Delta log of {path}")
    except TableNotFoundError:
        return []
    names, rows = actions["path"].to_pylist(), actions["num_records"].to_pylist()
    return [(unquote(name), None if count is None else int(count)) for name, count in zip(names, rows, strict=True)]
