"""What a lakeFS elsewhere says of a version: that its tag's commit names this version, and this manifest."""

from __future__ import annotations

import base64
import json
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from lakegate.errors import IntegrityError, LakegateError, Transient
from lakegate.home import Endpoint
from lakegate.names import VersionName

SECONDS = 10.0
"""What an answer may take."""


def demand_named(endpoint: Endpoint, repository: str, version: VersionName, *, manifest_sha256: str) -> None:
    """Ask lakeFS for the commit that a version's tag names, and hold it against the manifest that is at hand.

    Raises:
        IntegrityError: There is no such tag, or its commit names another version or manifest.
        Transient: lakeFS doesn't answer.
        LakegateError: It refuses the keys.
    """
    where = f"{version}, tag {version.tag} of {repository} at {endpoint.url}"
    status, body = _ask(endpoint, f"/api/v1/repositories/{repository}/commits/{version.tag}", where=where)
    if status == 404:  # noqa: PLR2004
        raise IntegrityError(
            "lakeFS knows no such tag",
            where=where,
            fix=f"`lakegate verify {version}` says what is left of it",
        )
    if status in (400, 401, 403):
        what = f"lakeFS at {endpoint.url} refuses these keys or this tag"
        raise LakegateError(
            what,
            where=where,
            fix="check LAKEGATE_LAKEFS_KEY_ID and LAKEGATE_LAKEFS_SECRET, or the home you named",
        )
    if status != 200:  # noqa: PLR2004
        raise Transient(
            f"lakeFS answers {status}", where=where, fix="try again; `lakegate status` shows whether it runs"
        )
    try:
        told = dict(json.loads(body).get("metadata") or {})
    except (ValueError, AttributeError, TypeError):
        raise IntegrityError(
            "what answers there is no lakeFS", where=where, fix="check LAKEGATE_LAKEFS_URL"
        ) from None
    expected = {"lakegate_version": str(version), "lakegate_manifest_sha256": manifest_sha256}
    for key, value in expected.items():
        if told.get(key) != value:
            what = f"its commit says {key} {told.get(key, 'nothing')}, the manifest at hand is {value}"
            fix = f"`lakegate up` rebuilds the home's copy of the manifest; `lakegate verify {version}` names what was moved"
            raise IntegrityError(what, where=where, fix=fix)


def _ask(endpoint: Endpoint, path: str, *, where: str) -> tuple[int, bytes]:
    url, keys = (
        urlsplit(endpoint.url),
        base64.b64encode(f"{endpoint.key_id}:{endpoint.secret}".encode()).decode(),
    )
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=SECONDS)
    try:
        connection.request("GET", path, headers={"Authorization": f"Basic {keys}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except ssl.SSLError as error:
        raise LakegateError(
            "its certificate is not trusted",
            where=where,
            fix="see that LAKEGATE_LAKEFS_URL names the right host",
        ) from error
    except (OSError, HTTPException) as error:
        what = f"lakeFS at {endpoint.url} does not answer"
        raise Transient(
            what, where=where, fix="try again; `lakegate status` shows whether it runs"
        ) from error
    finally:
        connection.close()
