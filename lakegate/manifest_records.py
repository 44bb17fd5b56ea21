"""What a manifest lists: files, their proofs, parents, and the earlier version that its lists begin with."""

from __future__ import annotations

from dataclasses import dataclass

from lakegate.names import VersionName


@dataclass(frozen=True)
class DataFile:
    """One file of a version.

    `path` is relative to the tagged tree, `physical` to the store's root; `size` in bytes; `sha256` of the
    bytes.
    """

    path: str
    physical: str
    size: int
    sha256: str
    rows: int


@dataclass(frozen=True)
class Proof:
    """A file beside a version with the hashes of ranges of its files: of those whose paths are in `covers`.

    A reader of a few columns proves them by it. Files that no proof covers are hashed as a whole.
    """

    path: str
    physical: str
    size: int
    sha256: str
    covers: list[str]

    @property
    def file(self) -> DataFile:
        """Itself, as a file of the version; its rows are the files that it covers."""
        return DataFile(self.path, self.physical, self.size, self.sha256, len(self.covers))


@dataclass(frozen=True)
class Parent:
    """A version that this one was made from or judged against; `commit` is what its tag names."""

    table: str
    version: int
    commit: str

    @property
    def name(self) -> VersionName:
        """The parent's name."""
        return VersionName(self.table, self.version)


@dataclass(frozen=True)
class Base:
    """An earlier version with whose files this one's lists begin; `counts` says with how many, by list.

    `sha256` is of its manifest.
    """

    version: int
    sha256: str
    counts: dict[str, int]
