"""Prove a version's files byte for byte against its manifest, or name every gap."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from lakegate.files.store import FileGone, PathRefused, Store, digest
from lakegate.manifest import DataFile, Manifest

Problem = Literal["missing", "size", "sha256", "unexpected"]


@dataclass(frozen=True)
class Gap:
    """One way in which a file is not what its manifest says.

    `unexpected` is an entry that a manifest must not have: a path listed twice, or one that leads out of the
    store.
    """

    version: str
    path: str
    problem: Problem
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.version}, {self.path}: {self.problem}: {self.expected} expected, {self.found} found"


def verify_files(manifest: Manifest, store: Store) -> list[Gap]:
    """Hash every byte of all files of a version; empty where all are right.

    Raises:
        Transient: The store doesn't respond, which says nothing about the files.
    """
    gaps = (verify_file(str(manifest.name), file, store) for file in manifest.all_files)
    return [*duplicates(manifest), *filter(None, gaps)]


def duplicates(manifest: Manifest) -> list[Gap]:
    """The paths that a manifest lists more than once."""
    times = Counter(file.path for file in manifest.all_files)
    return [
        Gap(str(manifest.name), path, "unexpected", "listed once", f"listed {count} times")
        for path, count in times.items()
        if count > 1
    ]


def verify_file(version: str, file: DataFile, store: Store) -> Gap | None:
    """Hash every byte of one file; None where it is what the manifest of `version` says.

    Raises:
        Transient: The store doesn't respond, which says nothing about the file.
    """
    try:
        source = store.open_unproved(file)
    except FileGone:
        return Gap(version, file.path, "missing", f"{file.size} bytes", "nothing")
    except PathRefused as error:
        return Gap(version, file.path, "unexpected", "a path within the store", error.what)
    with source:
        try:
            size, sha256 = digest(source)
        except OSError as error:
            fault = store.fault(file, error)
            if isinstance(fault, FileGone):
                return Gap(version, file.path, "missing", f"{file.size} bytes", "nothing")
            raise fault from error
    if size != file.size:
        return Gap(version, file.path, "size", str(file.size), str(size))
    if sha256 != file.sha256:
        return Gap(version, file.path, "sha256", file.sha256, sha256)
    return None
