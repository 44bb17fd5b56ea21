"""The error of a version that a home doesn't know: it offers the closest versions, or tables, of the home."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from lakegate.errors import VersionNotFound
from lakegate.home import Home
from lakegate.names import VersionName

SHOWN: Final = 5
"""Versions, or tables, that the error offers."""


def version_not_found(version: VersionName, home: Home, tenant: str) -> VersionNotFound:
    """The error for a version without a copy of its manifest in the home."""
    folder = home.manifest_copy(tenant, version.table, version.number).parent
    numbers = sorted(int(path.stem[1:]) for path in folder.glob("v*.json") if path.stem[1:].isdecimal())
    if numbers:
        near = sorted(sorted(numbers, key=lambda number: abs(number - version.number))[:SHOWN])
        shown = ", ".join(f"{version.table}@v{number}" for number in near)
        hint = f"{len(numbers)} versions are, closest {shown}, latest {version.table}@v{numbers[-1]}"
    else:
        folders = (path for path in folder.parent.glob("*") if path.is_dir() and any(path.glob("v*.json")))
        tables = sorted(path.name for path in folders)
        listed = get_close_matches(version.table, tables, n=SHOWN) or tables[:SHOWN]
        hint = f"tenant {tenant} has no version here at all"
        if listed:
            hint = f"the table has no version here, others have: {', '.join(listed)}"
    what = f"{version} is not known in {home.root} (tenant {tenant})"
    return VersionNotFound(what, fix=f"{hint}; `lakegate up` rebuilds the home's copies of the manifests")
