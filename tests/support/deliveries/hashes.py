"""The name of a drop: the hash of its bytes."""

from __future__ import annotations

import hashlib


def sha(content: bytes) -> str:
    """What names a drop of these bytes."""
    return hashlib.sha256(content).hexdigest()
