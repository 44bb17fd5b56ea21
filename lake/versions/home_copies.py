"""The home's copies of manifests and of the records of expired versions, from which a reader starts."""

from __future__ import annotations

from pathlib import Path

from lakegate.atomic import write_atomically
from lakegate.home import Home
from lakegate.manifest import Manifest
from lakegate.modes import private_folder


def has_copy(home: Home, manifest: Manifest) -> bool:
    """Whether the home has the right copy of a manifest."""
    path = home.manifest_copy(manifest.tenant, manifest.table, manifest.version)
    return path.exists() and path.read_bytes() == manifest.to_bytes()


def copy_manifest(home: Home, manifest: Manifest) -> bool:
    """Put the copy of a manifest where the reader looks for it; False where it is there already."""
    path = home.manifest_copy(manifest.tenant, manifest.table, manifest.version)
    return write_copy(path, manifest.to_bytes())


def write_copy(path: Path, body: bytes) -> bool:
    """Write a copy to its place in the home; False where it is there already."""
    if path.exists() and path.read_bytes() == body:
        return False
    private_folder(path.parent)
    write_atomically(path, body)
    return True
