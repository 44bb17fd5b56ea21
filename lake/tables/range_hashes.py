"""Hashes of ranges of a version's files, by which a reader proves a part of a file.

A publish computes them when it reads back the files that it wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lake import paths
from lake.session import Session
from lake.versions.publish import Candidate
from lakegate.files import ranges
from lakegate.files.ranges import Ranges, Read
from lakegate.manifest import DataFile, Proof, sha256

if TYPE_CHECKING:
    import pyarrow as pa


def describe_file(session: Session, ref: str, path: str, *, physical: str, size: int, rows: int) -> DataFile:
    """A file of the tree `ref` with its hash.

    The session holds the hashes of a larger file's ranges until `keep_proofs` stores them.

    Args:
        session: The open lake.
        ref: A branch, tag or commit.
        path: Of the file.
        physical: Its physical address.
        size: Its bytes.
        rows: Its rows.
    """
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
    """Where the ranges of a file end: at Parquet's column chunks and footer, else in equal blocks."""
    import pyarrow as pa
    from pyarrow import parquet

    from lakegate.files.parquet import chunks, footer

    try:
        tail = footer(read, size)
        metadata = parquet.read_metadata(pa.BufferReader(tail))
    except (pa.ArrowException, OSError):
        return ranges.blocks(size)
    bounds = {size - len(tail)}
    for number in range(metadata.num_row_groups):
        for _, start, stop in chunks(metadata, number):
            bounds |= {start, stop}
    return sorted({at for at in bounds if 0 < at < size} | {size})


def keep_proofs(
    session: Session, candidate: Candidate, files: Iterable[DataFile], earlier: Iterable[Proof]
) -> list[Proof]:
    """Put the proofs of the `files` of a version on its candidate.

    Returns:
        The version's own proofs, and those of its parent and `earlier` ones that cover files which it has.
    """
    there = {item.path for item in files}
    before = [*(candidate.parent.proofs if candidate.parent else ()), *earlier]
    proofs: list[Proof] = []
    for item in before:
        if item not in proofs and there.intersection(item.covers):
            proofs.append(item)
    covered = {path for item in proofs for path in item.covers}
    fresh = {path: session.measured[path] for path in sorted(there - covered) if path in session.measured}
    session.measured.clear()
    if fresh:
        path, body = paths.proofs(candidate.table, candidate.number), ranges.to_bytes(fresh)
        physical = session.repository.put(candidate.branch, path, body)
        proofs.append(Proof(path, physical, len(body), sha256(body), [*fresh]))
    return proofs
