"""A cache, in the home, of contracts that keep to the standard, by the hash of their text: the check is slow.

It is only a cache: what is missing, unreadable or another release's is checked again. It holds no word of a
contract.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final

from catalog.documents.document import Document, Steps
from catalog.odcs.standard import standard_mistakes
from lakegate.atomic import write_atomically
from lakegate.errors import ContractError

FILE: Final = "contracts.json"
MOST: Final = 20_000
"""Most texts that are remembered, of some 70 bytes each: the newest."""
_known: Final[dict[str, None]] = {}
"""Hashes of right texts, the newest last: those that this process checked, and those that it read."""


def mistakes_once(document: Document, text: str) -> tuple[tuple[Steps, ContractError], ...]:
    """What the standard refuses in a document; nothing, without a check, where the text was right before."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest in _known:
        return ()
    if not (found := tuple(standard_mistakes(document))):
        _known[digest] = None
    return found


def recall(folder: Path) -> None:
    """Read the hashes of right texts; none where there are none, or where others than the owner may write."""
    own = list(_known)
    _known.clear()
    _known.update(dict.fromkeys([*_read(folder), *own]))


def remember(folder: Path) -> None:
    """Write the hashes of right texts, where the folder exists and doesn't have them yet."""
    if not folder.is_dir():
        return
    right = list(_known)[-MOST:]
    if set(right) <= set(_read(folder)):
        return
    with contextlib.suppress(OSError):  # a home on a full disk, or one that can only be read
        write_atomically(folder / FILE, json.dumps({"code": _code(), "right": right}))


def _read(folder: Path) -> list[str]:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found = (folder / FILE).stat()
        content = json.loads((folder / FILE).read_bytes())
        private = found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if private and content["code"] == _code():
            return [str(digest) for digest in content["right"]]
    return []


@cache
def _code() -> str:
    """A hash of all that checks: with another, another text may be right."""
    digest = hashlib.sha256(f"{version('jsonschema')} {version('pyyaml')}".encode())
    for source in sorted(Path(str(files("catalog"))).rglob("*.py")):
        digest.update(source.read_bytes())
    digest.update((files("open_data_contract_standard") / "schema.json").read_bytes())
    return digest.hexdigest()
