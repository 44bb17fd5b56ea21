"""Hashes of ranges of a version's files, taken when a publish reads back what it wrote: what a reader proves a part of a file by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lake import paths
from lake.session import Session
from lake.versions.publish import Candidate
from lakegate import ranges
from lakegate.manifest import DataFile, Proof, sha256
from lakegate.ranges import Ranges, Read

if TYPE_CHECKING:
    import pyarrow as pa


def describe_file(session: Session, ref: str, path: str, *, physical: str, size: int, rows: int) -> DataFile:
    """A file of the tree `ref` with its hash; of one that is not small the session remembers those of its ranges until its version has them."""
    session.proved[physical] = None
    if size <= ranges.SMALL:
        return DataFile(path, physical, size, session.repository.sha256(ref, path, physical=physical), rows)

    def measured(source: pa.NativeFile) -> tuple[str, Ranges]:
        def read(start: int, stop: int) -> memoryview:
            return memoryview(source.read_at(stop - start, start))

        return ranges.measure(read, size, ends_of(read, size))

    digest, session.measured[path] = session.repository.reading(ref, path, measured, physical=physical)
    return DataFile(path, physical, size, digest, rows)


def ends_of(read: Read, size: int) -> Sequence[int]:
    """Where the ranges of a file are to end: those of a Parquet file with its columns' chunks and its footer, else in equal blocks."""
    import pyarrow as pa
    from pyarrow import parquet

    from lakegate.parquet import chunks, footer

    try:
        tail = footer(read, size)
        metadata = parquet.read_metadata(pa.BufferReader(tail))
    except (pa.ArrowException, OSError):
        return ranges.blocks(size)
    bounds = {
        at
        for number in range(metadata.num_row_groups)
        for _, *both in chunks(metadata, number)
        for at in both
    }
    return sorted({at for at in (*bounds, size - len(tail)) if 0 < at < size} | {size})


def keep_proofs(
    session: Session, candidate: Candidate, files: Iterable[DataFile], earlier: Iterable[Proof]
) -> list[Proof]:
    """Put the proofs of the `files` of a version on its candidate.

    Returns:
        The version's own proofs, and those of its parent and `earlier` ones that cover files which it has.
    """
    there = {item.path for item in files}
    before = [*(candidate.parent.proofs if candidate.parent else ()), *earlier]
    kept = [
        item
        for number, item in enumerate(before)
        if item not in before[:number] and there.intersection(item.covers)
    ]
    covered = {path for item in kept for path in item.covers}
    fresh = {path: session.measured[path] for path in sorted(there - covered) if path in session.measured}
    session.measured.clear()
    if not fresh:
        return kept
    path, body = paths.proofs(candidate.table, candidate.number), ranges.to_bytes(fresh)
    return [
        *kept,
        Proof(path, session.repository.put(candidate.branch, path, body), len(body), sha256(body), [*fresh]),
    ]
