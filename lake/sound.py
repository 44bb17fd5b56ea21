"""Files of a version that an engine reads to write their rows anew, proved first: what has changed in one would be published as right.

An engine reads by itself, so what it reads a moment later is not what was hashed; damage that lies on a disk is found all the same. Where
rows are joined as they are, and no row of a file is written again, nothing is hashed here: a publish would cost more the larger its table is.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from lake.session import Session
from lakegate.errors import IntegrityError
from lakegate.manifest import DataFile
from lakegate.names import VersionName

AT_ONCE: Final = 4
"""Files hashed at once."""


def demand_sound(session: Session, ref: str, files: Sequence[DataFile], *, version: VersionName) -> None:
    """Hash files of a version, which lie in the tree `ref`.

    Raises:
        IntegrityError: One is missing, or not what the version's manifest says.
    """
    repository, fix = session.repository, f"`lakegate verify {version}` names every gap; restore the file from a backup, then run it again"

    def demand(item: DataFile) -> None:
        block = repository.local(item.physical)
        if block is not None and not block.is_file():
            raise IntegrityError("this file is missing from the store", where=f"{version}, {item.path}", fix=fix)
        found = repository.sha256(ref, item.path, physical=item.physical)
        if found != item.sha256:
            what = f"SHA-256 {item.sha256} expected, {found} found; nothing was made of it"
            raise IntegrityError(what, where=f"{version}, {item.path}", fix=fix)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(demand, files))
