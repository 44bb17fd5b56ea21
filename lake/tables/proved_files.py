"""Proofs of a version's files before an engine reads them: else damage in one would be published as right.

An engine reads a file itself, a moment after it was hashed here; still, damage on the disk is found. Where an
engine writes the rows again, whole files are proved. Where it only compares rows with them, the compared
columns are proved, once a process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lake.lakefs.errors import unanswered
from lake.runtime.disk_errors import HANDLES
from lake.session import Session
from lakegate.errors import GONE, IntegrityError, LakegateError
from lakegate.files.parquet import prove_columns
from lakegate.files.proved import Prover
from lakegate.manifest import DataFile, Manifest
from lakegate.names import VersionName

if TYPE_CHECKING:
    import pyarrow as pa

_RESTORE: Final = "`lakegate verify {}` names every gap; restore the file from a backup, then run it again"
AT_ONCE: Final = 4
"""Files hashed at once."""


def demand_sound(session: Session, ref: str, files: Sequence[DataFile], *, version: VersionName) -> None:
    """Hash files of a version, which lie in the tree `ref`.

    Raises:
        IntegrityError: One is missing, or not what the version's manifest says.
    """
    repository, fix = session.repository, _RESTORE.format(version)

    def demand(item: DataFile) -> None:
        block, where = repository.local(item.physical), f"{version}, {item.path}"
        if block is not None and not block.is_file():
            raise IntegrityError("this file is missing from the store", where=where, fix=fix)
        found = repository.sha256(ref, item.path, physical=item.physical)
        if found != item.sha256:
            what = f"SHA-256 {item.sha256} expected, {found} found; nothing was made of it"
            raise IntegrityError(what, where=where, fix=fix)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(demand, files))


def demand_sound_columns(session: Session, ref: str, manifest: Manifest, columns: Iterable[str]) -> None:
    """Prove columns of all files of a version's table, which lie in the tree `ref`.

    Raises:
        IntegrityError: One is missing, or holds other bytes than were published.
    """
    wanted, prover = frozenset(columns), Prover(manifest, _Tree(session, ref, manifest.name))

    def demand(item: DataFile) -> None:
        prove_columns(prover, item, sorted(wanted))
        session.proved[item.physical] = wanted | (session.proved.get(item.physical) or frozenset())

    files = [item for item in manifest.files if item.rows and not _is_proved(session, item, wanted)]
    if wanted and files:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(demand, files))


def _is_proved(session: Session, item: DataFile, wanted: frozenset[str]) -> bool:
    known = session.proved.get(item.physical, frozenset())
    return known is None or wanted <= known


@dataclass(frozen=True)
class _Tree:
    """The files of a tree of the lake as a `lakegate.files.store.Store`; the version needs no tag."""

    session: Session
    ref: str
    version: VersionName

    def open_unproved(self, file: DataFile) -> pa.NativeFile:
        """Open a file; see `Store.open_unproved`."""
        try:
            return self.session.repository.open(self.ref, file.path, physical=file.physical)
        except OSError as error:
            raise self.fault(file, error) from error

    def fault(self, file: DataFile, error: OSError) -> LakegateError:
        """Our error for one met while reading a file: only what another try may change is transient."""
        repository, where = self.session.repository, f"{self.version}, {file.path}"
        here = repository.local(file.physical) is not None
        if isinstance(error, FileNotFoundError) or GONE.search(str(error)):
            what, fix = "this file is missing from the store", _RESTORE.format(self.version)
            return IntegrityError(what, where=where, fix=fix)
        if error.errno not in HANDLES and (here or "AWS Error" not in str(error)):
            what = f"this file can't be read ({type(error).__name__}); nothing was made of it"
            fix = "see that the store can be read by you and that its disk is sound"
            return LakegateError(what, where=where, fix=fix)
        return unanswered(error, f"reading {file.path}", repository.endpoint)
