"""Writing a small file in one step, so that nobody ever reads half of it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

OWNERS_ALONE: Final = 0o600
AS_OTHER_FILES: Final = 0o666
"""A mode that leaves to the umask what others may do."""


def write_atomically(
    path: Path, content: bytes | str, *, mode: int = OWNERS_ALONE, durable: bool = False
) -> None:
    """Write or replace a file: a reader finds the old content or the new one, also after a crash.

    The content is first written beside it, under a hidden name that no other writer has. Of two writers the
    later wins.

    Args:
        path: The file; its folder exists.
        content: Bytes, or text that is written as UTF-8.
        mode: The mode of a new file, before the umask.
        durable: Whether it has to outlive a loss of power, and not only the death of this process.

    Raises:
        OSError: It can't be written; the old file stays, and nothing is left beside it.
    """
    fresh = path.with_name(f".{secrets.token_hex(8)}.tmp")  # short enough for every file system
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
