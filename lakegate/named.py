"""The proof by an external lakeFS that a version's tag names a commit of this version, with this manifest."""

from __future__ import annotations

import base64
import json
import ssl
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from lakegate.errors import IntegrityError, LakegateError, Transient
from lakegate.files.store import CHECK_KEYS, REFUSED
from lakegate.home import Endpoint
from lakegate.names import VersionName

SECONDS = 10.0
"""Time-out of the request."""
RETRY = "try again; `lakegate status` shows whether it runs"


def demand_named(endpoint: Endpoint, repository: str, version: VersionName, *, manifest_sha256: str) -> None:
    """Demand that the commit which a version's tag names is of this version and manifest.

    Args:
        endpoint: URL and keys of lakeFS.
        repository: The tenant's repository.
        version: The version.
        manifest_sha256: Of the home's copy of its manifest.

    Raises:
        IntegrityError: There is no such tag, or its commit names another version or manifest.
        Transient: lakeFS doesn't respond.
        LakegateError: It refuses the keys.
    """
    where = f"{version}, tag {version.tag} of {repository} at {endpoint.url}"
    status, body = _get(endpoint, f"/api/v1/repositories/{repository}/commits/{version.tag}", where=where)
    if status == HTTPStatus.NOT_FOUND:
        fix = f"`lakegate verify {version}` says what is left of it"
        raise IntegrityError("lakeFS knows no such tag", where=where, fix=fix)
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise LakegateError(f"lakeFS at {endpoint.url} {REFUSED}", where=where, fix=CHECK_KEYS)
    if status != HTTPStatus.OK:
        raise Transient(f"lakeFS responds with {status}", where=where, fix=RETRY)
    try:
        metadata = dict(json.loads(body).get("metadata") or {})
    except (ValueError, AttributeError, TypeError):
        what = "what answers there is no lakeFS"
        raise IntegrityError(what, where=where, fix="check LAKEGATE_LAKEFS_URL") from None
    expected = {"lakegate_version": str(version), "lakegate_manifest_sha256": manifest_sha256}
    for key, value in expected.items():
        if (found := metadata.get(key)) != value:
            what = f"its commit says {key} {found or 'nothing'}, the manifest at hand is {value}"
            fix = "`lakegate up` rebuilds the home's copy of the manifest"
            fix += f"; `lakegate verify {version}` names what was moved"
            raise IntegrityError(what, where=where, fix=fix)


def _get(endpoint: Endpoint, path: str, *, where: str) -> tuple[int, bytes]:
    url = urlsplit(endpoint.url)
    keys = base64.b64encode(f"{endpoint.key_id}:{endpoint.secret}".encode()).decode()
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=SECONDS)
    try:
        connection.request("GET", path, headers={"Authorization": f"Basic {keys}"})
        response = connection.getresponse()
        return response.status, response.read()
    except ssl.SSLError as error:
        fix = "see that LAKEGATE_LAKEFS_URL names the right host"
        raise LakegateError("its certificate is not trusted", where=where, fix=fix) from error
    except (OSError, HTTPException) as error:
        raise Transient(f"lakeFS at {endpoint.url} does not answer", where=where, fix=RETRY) from error
    finally:
        connection.close()
