"""lakeFS's S3 gateway as an Arrow file system: path-style, with the given keys and no look-up of a region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pyarrow.fs import S3FileSystem

    from lakegate.home import Endpoint

ATTEMPTS: Final = 3
"""Arrow's own number."""


def file_system(
    endpoint: Endpoint, *, connect: float, request: float, attempts: int = ATTEMPTS
) -> S3FileSystem:
    """The gateway of a lakeFS.

    Args:
        endpoint: Its address and keys.
        connect: Seconds that a connection may take.
        request: Seconds that a response may take.
        attempts: Tries of each request.
    """
    from pyarrow import fs

    url = urlsplit(endpoint.url)
    return fs.S3FileSystem(
        access_key=endpoint.key_id,
        secret_key=endpoint.secret,
        endpoint_override=url.netloc,
        scheme=url.scheme,
        region="us-east-1",
        connect_timeout=connect,
        request_timeout=request,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=attempts),
    )
