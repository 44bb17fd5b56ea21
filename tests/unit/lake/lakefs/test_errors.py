"""Errors by what follows from them: keys that are refused, blocks that are lost,
this machine's own disk and files, and nobody's answer.
"""

from __future__ import annotations

import errno
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from lakefs_sdk.exceptions import ApiException
from urllib3.exceptions import MaxRetryError, NewConnectionError

from lake.lakefs.client import Calls
from lake.lakefs.errors import BlockGone, NotThere
from lake.runtime.disk_errors import cause_on_disk, disk_error
from lake.session import Session
from lake.tables.proved_files import _Tree
from lakegate.errors import AccessError, Conflict, IntegrityError, LakegateError, Transient
from lakegate.home import Endpoint
from lakegate.manifest import DataFile
from lakegate.names import VersionName

LAKEFS = Calls(Endpoint("http://127.0.0.1:9", "key", "a secret"))


def told(error: Exception) -> LakegateError:
    """What becomes of an error that a call raises."""

    def call() -> None:
        raise error

    with pytest.raises(LakegateError) as found:
        LAKEFS._call(call, doing="reading x", retry=False)
    assert "a secret" not in str(found.value)
    assert found.value.fix or isinstance(found.value, NotThere)
    return found.value


def answer(status: int, message: str = "why") -> ApiException:
    error = ApiException(status=status, reason="reason")
    error.body = json.dumps({"message": message})
    return error


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AccessError),
        (403, AccessError),
        (404, NotThere),
        (410, BlockGone),
        (409, Conflict),
        (412, Conflict),
        (429, Transient),
        (500, Transient),
        (503, Transient),
        (400, IntegrityError),
        (418, IntegrityError),
    ],
)
def test_status_of_an_answer_tells_the_kind_of_error(status: int, kind: type[LakegateError]) -> None:
    found = told(answer(status))
    assert type(found) is kind
    assert not (status in (401, 403) and isinstance(found, IntegrityError))


@pytest.mark.parametrize("status", [401, 403])
def test_refused_keys_name_the_settings(status: int) -> None:
    found = told(answer(status))
    assert str(status) in found.what
    assert "LAKEGATE_LAKEFS_KEY_ID" in found.fix
    assert isinstance(
        told(OSError(f"AWS Error ACCESS_DENIED during GetObject operation (HTTP status {status})")),
        AccessError,
    )


def test_full_disk_of_lakefs_is_no_riddle() -> None:
    found = told(answer(500, "write /kv/000012.vlog: no space left on device"))
    assert isinstance(found, Transient)
    assert "disk is full" in found.what


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_full_disk_of_this_machine_is_not_lakefs_away(number: int) -> None:
    found = told(OSError(number, "text", "/scratch/data"))
    assert isinstance(found, Transient)
    assert (found.what, found.where) == ("the disk is full", "/scratch/data")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_lack_of_handles_is_told_as_that_wherever_it_shows(number: int) -> None:
    own = OSError(number, "Too many open files")
    try:
        try:
            raise own
        except OSError as error:
            raise NewConnectionError(None, "Failed to establish a new connection") from error  # type: ignore[arg-type]
    except NewConnectionError as error:
        wrapped = MaxRetryError(None, "/api", error)  # type: ignore[arg-type]
    for error in (own, wrapped):
        found = told(error)
        assert "as many files open as it may" in found.what
        assert "ulimit -n" in found.fix
        assert "disk" not in str(found)
    assert cause_on_disk(wrapped) is own


def test_silent_port_is_lakefs_away() -> None:
    for error in (
        ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
        TimeoutError("late"),
        OSError("curl says no"),
    ):
        found = told(error)
        assert isinstance(found, Transient)
        assert "lakeFS does not answer" in found.what
    assert isinstance(told(FileNotFoundError(errno.ENOENT, "no such key")), NotThere)


@pytest.mark.parametrize(
    ("error", "here", "kind", "what"),
    [
        (
            OSError("AWS Error NETWORK_CONNECTION during HeadObject operation: curlCode: 7"),
            False,
            Transient,
            "lakeFS does not answer",
        ),
        (
            OSError("AWS Error ACCESS_DENIED during GetObject operation"),
            False,
            AccessError,
            "refuses these keys",
        ),
        (
            FileNotFoundError(errno.ENOENT, "Path does not exist"),
            False,
            IntegrityError,
            "is missing from the store",
        ),
        (
            OSError("AWS Error NO_SUCH_KEY during GetObject operation"),
            False,
            IntegrityError,
            "is missing from the store",
        ),
        (OSError("Couldn't deserialize thrift"), False, LakegateError, "can't be read"),
        (OSError(errno.EIO, "Input/output error"), True, LakegateError, "can't be read"),
        (PermissionError(errno.EACCES, "Permission denied"), True, LakegateError, "can't be read"),
        (OSError(errno.EMFILE, "Too many open files"), True, LakegateError, "as many files open as it may"),
    ],
)
def test_error_of_a_file_that_is_proved_is_told_by_what_follows_from_it(
    error: OSError,
    here: bool,
    kind: type[LakegateError],
    what: str,
) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise error

    block = Path("/x") if here else None
    session = SimpleNamespace(
        repository=SimpleNamespace(open=failing, endpoint=LAKEFS.endpoint, local=lambda _: block)
    )
    tree = _Tree(cast("Session", session), "main", VersionName("rides", 1))
    with pytest.raises(LakegateError, match=what) as caught:
        tree.open_unproved(DataFile("rides/a.parquet", "x", 1, "0", 1))
    assert type(caught.value) is kind
    assert ("run it again" in str(caught.value)) == (kind in (Transient, IntegrityError))


@pytest.mark.parametrize(
    "text",
    [
        "AWS Error UNKNOWN (HTTP status 410) during GetObject operation",
        "AWS Error NO_SUCH_KEY during GetObject operation: No response body.",
        "AWS Error RESOURCE_NOT_FOUND during GetObject operation: No response body.",
    ],
)
def test_block_that_the_gateway_has_lost_is_told_as_by_the_api(text: str) -> None:
    assert str(told(OSError(text))) == str(told(answer(410)))
    assert type(told(OSError(text))) is BlockGone


def test_circle_of_causes_ends() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert cause_on_disk(one) is None
    assert disk_error(OSError(errno.ENOENT, "none"), Path("/x")) is None
