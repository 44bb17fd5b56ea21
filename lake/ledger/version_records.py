"""Records about versions: what a person or a contract decided. Each goes to main by a small merge."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Mapping
from typing import Any, Final

from lake import paths
from lake.lakefs.branches import RECORD, branch_of, new_attempt
from lake.lakefs.repository import MAIN
from lake.session import Session
from lakegate.errors import Transient

QUEUE: Final = "records"
"""Name of the lease under which records are merged."""


def record_bytes(body: Mapping[str, Any]) -> bytes:
    """A record as it is written."""
    return json.dumps({"format": paths.FORMAT, **body}, sort_keys=True).encode()


def use_bytes() -> bytes:
    """Contents of `paths.use`: other bytes each time, so that of two who decide at once one is refused."""
    return record_bytes({"id": uuid.uuid4().hex})


def merge_records(session: Session, records: Mapping[str, bytes], *, message: str) -> bool:
    """Put records on main, all of them at once; False where they are there already.

    Args:
        session: The open lake.
        records: By path in the tree.
        message: Of the commit.

    Raises:
        Conflict: Somebody outside of this home wrote one of them meanwhile.
    """
    repository = session.repository
    with session.lease(QUEUE):
        fresh = {path: body for path, body in records.items() if repository.get(MAIN, path) != body}
        if not fresh:
            return False
        branch = branch_of(RECORD, new_attempt())
        repository.branch(branch, MAIN)
        try:
            for path, body in fresh.items():
                repository.put(branch, path, body)
            repository.commit(branch, message, {"lakegate_records": str(len(fresh))})
            repository.merge(branch, message, {"lakegate_records": str(len(fresh))})
        finally:
            with contextlib.suppress(Transient):  # `lakegate reconcile` sweeps it
                repository.delete_branch(branch)
        return True
