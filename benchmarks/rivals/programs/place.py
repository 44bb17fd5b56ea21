"""What the hand-written programs share: files hashed and put into a table, original records of the file."""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import fs, parquet

from benchmarks.rivals.case import Case, Outcome
from benchmarks.rivals.rules import REFERENCE, REFERENCE_KEY

TRIPS: Final = "trips"
QUARANTINE: Final = "quarantine"
PART: Final = 16 * 1024**2


class Place:
    """A folder, or a bucket behind lakeFS's gateway, that takes Delta tables."""

    def __init__(self, case: Case) -> None:
        self.case, self.root = case, case.place
        self.files: Any = fs.LocalFileSystem()
        if case.url:
            scheme, host = case.url.split("://")
            self.files = fs.S3FileSystem(
                access_key=case.key_id,
                secret_key=case.secret,
                endpoint_override=host,
                scheme=scheme,
                region="us-east-1",
            )

    @property
    def options(self) -> dict[str, str]:
        """The keys as delta-rs takes them."""
        if not self.case.url:
            return {}
        return {
            "AWS_ENDPOINT_URL": self.case.url,
            "AWS_ACCESS_KEY_ID": self.case.key_id,
            "AWS_SECRET_ACCESS_KEY": self.case.secret,
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
            "AWS_EC2_METADATA_DISABLED": "true",
            "conditional_put": "etag",
        }

    def uri(self, table: str) -> str:
        """Where delta-rs finds a table."""
        return f"s3://{self.root}/{table}" if self.case.url else f"{self.root}/{table}"

    def reference(self) -> Any:
        """The airports' codes."""
        return parquet.read_table(
            f"{self.root}/{REFERENCE}.parquet", filesystem=self.files, columns=[REFERENCE_KEY]
        ).column(0)

    def put(self, local: Path, table: str) -> str:
        """Put a file into a table's folder, and say the SHA-256 of what was put."""
        digest, target = hashlib.sha256(), f"{self.root}/{table}/{local.name}"
        if not self.case.url:
            Path(target).parent.mkdir(exist_ok=True, parents=True)
        with local.open("rb") as source, self.files.open_output_stream(target) as sink:
            while part := source.read(PART):
                digest.update(part)
                sink.write(part)
        local.unlink()
        return digest.hexdigest()

    def commit(self, table: str) -> None:
        """Make a Delta table of the files in its folder, statistics from their footers."""
        from deltalake import convert_to_deltalake

        convert_to_deltalake(self.uri(table), storage_options=self.options)

    def rows(self, table: str) -> int:
        """Rows of a Delta table, from its log."""
        from deltalake import DeltaTable

        actions = DeltaTable(self.uri(table), storage_options=self.options).get_add_actions(flatten=True)
        return sum(int(count) for count in actions["num_records"].to_pylist())

    def note(self, body: dict[str, Any]) -> None:
        """The program's record of what it wrote."""
        with self.files.open_output_stream(f"{self.root}/trips.json") as sink:
            sink.write(json.dumps(body).encode())


class Hashing:
    """Work beside the engine's own: the input's SHA-256, files on their way out."""

    def __init__(self, place: Place) -> None:
        self.place, self.pool = place, ThreadPoolExecutor(3)
        self.source = self.pool.submit(_sha256, Path(place.case.csv))
        self.written: dict[str, Future[str]] = {}

    def put(self, local: Path, table: str) -> None:
        """Put a file while the next one is made."""
        self.written[f"{table}/{local.name}"] = self.pool.submit(self.place.put, local, table)

    def beside(self, work: Callable[[], Any]) -> Future[Any]:
        """Anything else that doesn't wait for the engine."""
        return self.pool.submit(work)

    def close(self, found: Outcome) -> None:
        """Both tables' commits, and the record with all hashes."""
        hashes = {name: waited.result() for name, waited in self.written.items()}
        for table in sorted({name.split("/")[0] for name in hashes}):
            self.place.commit(table)
        body = {"source": self.source.result(), "files": hashes, "content": found.content}
        self.place.note(
            body | {"valid": found.valid, "quarantined": found.quarantined, "failed": found.failed}
        )
        self.pool.shutdown()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def records(path: Path, numbers: Any) -> pa.Array:
    """The records with these numbers (1 comes after the header), as the file has them: one line each."""
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    ends = [
        np.flatnonzero(np.frombuffer(data, np.uint8, min(PART, len(data) - at), at) == ord("\n")) + at
        for at in range(0, len(data), PART)
    ]
    edges = np.concatenate(ends)  # the n-th record lies between the n-th line end and the next
    starts = edges[:-1] + 1
    both = np.empty(2 * len(starts), np.int64)
    both[0::2], both[1::2] = starts, edges[1:]
    lines = pa.LargeStringArray.from_buffers(len(both) - 1, pa.py_buffer(both), pa.py_buffer(data))
    return lines.take(pa.array(2 * (np.asarray(numbers, np.int64) - 1)))
