"""Who runs this process, for the records of what people decide."""

from __future__ import annotations

import getpass


def current_user() -> str:
    """The name of the user whose process this is; `unknown` where the system has none for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
