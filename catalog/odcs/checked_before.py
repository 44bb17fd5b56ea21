"""Contracts that were found to keep to the standard, remembered by the hash of their text: to judge one takes longer than all else of reading it.

A cache and nothing more, in the home: what is missing, unreadable or another release's is judged again. It holds no word of a contract.
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
"""Texts that are remembered: the newest, some 70 bytes each."""
_known: Final[dict[str, None]] = {}
"""Hashes of texts that were right, the newest last: those that this process judged, and those that it read of."""


def mistakes_once(document: Document, text: str) -> tuple[tuple[Steps, ContractError], ...]:
    """What the standard refuses in a document; nothing, unasked, where a text like this was found right before."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest in _known:
        return ()
    if not (found := tuple(standard_mistakes(document))):
        _known[digest] = None
    return found


def recall(folder: Path) -> None:
    """Read which texts were found right; nothing where nobody remembered any, or others than the owner may write there."""
    own = list(_known)
    _known.clear()
    _known.update(dict.fromkeys([*_read(folder), *own]))


def remember(folder: Path) -> None:
    """Write down which texts this process knows to be right, where the home is made and that is news to it."""
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
        told = json.loads((folder / FILE).read_bytes())
        if (
            found.st_uid == os.getuid()
            and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            and told["code"] == _code()
        ):
            return [str(digest) for digest in told["right"]]
    return []


@cache
def _code() -> str:
    """What judges: with another of these, another word may be right."""
    digest = hashlib.sha256(f"{version('jsonschema')} {version('pyyaml')}".encode())
    for source in sorted(
        (item for item in files("catalog").iterdir() if item.name.endswith(".py")), key=lambda item: item.name
    ):
        digest.update(source.read_bytes())
    digest.update((files("open_data_contract_standard") / "schema.json").read_bytes())
    return digest.hexdigest()
