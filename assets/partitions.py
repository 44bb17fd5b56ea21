"""One dynamic partition per drop: `<delivered name>~<12 hex of its SHA-256>`, which names the drop."""

from __future__ import annotations

import re
from typing import Final

from dagster import DagsterInstance, DynamicPartitionsDefinition

from lake import paths
from lake.lakefs.repository import MAIN
from lake.ledger.receipts import Drop, received
from lake.session import Session
from lakegate.errors import IntegrityError, UsageError

DIGITS: Final = 12
"""Hex digits of the drop in its key: what the rest of Lakegate shows of a drop too."""

LONGEST_NAME: Final = 80
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+|\.{2,}")
"""Dagster refuses `...` and control characters in a key; the rest is left out so that a key can be part of an
address."""

_KEY: Final = re.compile(rf".*~([0-9a-f]{{{DIGITS}}})\Z", re.DOTALL)


def partitions_of(dataset: str) -> DynamicPartitionsDefinition:
    """The partitions that a dataset's raw and processed tables share."""
    return DynamicPartitionsDefinition(name=f"drops_{dataset}")


def key_of(drop: Drop) -> str:
    """The partition key that a drop gets at its first delivery."""
    return f"{_UNSAFE.sub('_', drop.name)[:LONGEST_NAME]}~{drop.sha256[:DIGITS]}"


def partition_for(instance: DagsterInstance, drop: Drop) -> str:
    """The drop's partition, added where Dagster doesn't know it; the same bytes have their first name."""
    name = f"drops_{drop.dataset}"
    for key in instance.get_dynamic_partitions(name):
        if key.endswith(f"~{drop.sha256[:DIGITS]}"):
            return key
    instance.add_dynamic_partitions(name, [key_of(drop)])
    return key_of(drop)


def drop_of(session: Session, dataset: str, key: str) -> Drop:
    """The received drop of a partition.

    Raises:
        UsageError: The key was made by hand, or names a drop that this lake never received.
        IntegrityError: Two drops share the digits.
    """
    if (match := _KEY.match(key)) is None:
        what, ends = f"the partition {key!r} names no drop", f"a key ends in ~ and {DIGITS} hex digits"
        raise UsageError(what, fix=f"{ends}; put the file into landing/{dataset}/, that makes one")
    prefix = paths.receipts(dataset) + match[1]
    found = {item.path.split("/")[2] for item in session.repository.listing(MAIN, prefix)}
    if not found:
        what = f"the partition {key!r} names a drop that was never received"
        fix = f"put the file into landing/{dataset}/ or run `lakegate ingest {dataset} FILE`"
        raise UsageError(what, fix=fix)
    if len(found) > 1:
        what = f"{len(found)} drops of {dataset} begin with {match[1]}"
        raise IntegrityError(what, fix="deliver them by `lakegate ingest`, which goes by all digits")
    return received(session, dataset, found.pop())
