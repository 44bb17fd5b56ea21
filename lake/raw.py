"""The raw hop: a delivered file becomes a version of `<dataset>_raw` where its schema rules let it pass."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.contract import Contract
from expectations.arrival import Arrival, judge_arrival
from expectations.build import build_suite
from expectations.verdict import Outcome
from lake import layout
from lake.columns import check_columns
from lake.hop import run_hop
from lake.job import HopResult, Job, Written
from lake.parse import Parsed, parse
from lake.publish import Candidate
from lake.receive import Drop
from lake.session import Session
from lake.steps import Steps
from lake.unpack import unpack
from lakegate.errors import IntegrityError
from lakegate.manifest import Counts, DataFile

if TYPE_CHECKING:
    from expectations.suite import Suite

REPORTED = 1000
"""Unreadable records that the evidence lists; the count is always exact, and the bytes are all in raw."""


@dataclass(frozen=True)
class _Delivery:
    contract: Contract
    drop: Drop
    suite: Suite


def carry_raw(session: Session, contract: Contract, drop: Drop, *, again: bool = False) -> HopResult:
    """Judge a received drop by its schema rules and publish it as a version of the raw table.

    Raises:
        ContractError: The contract's columns are no longer those of the processed table; nothing was written.
    """
    suite = build_suite(contract, "raw", session.settings.project)
    check_columns(session, contract)

    def write(candidate: Candidate, steps: Steps) -> Written:
        with session.scratch("raw") as folder:
            steps.tell("parse")
            parsed = parse_received(session, contract, drop, folder)
            return _written(session, _Delivery(contract, drop, suite), parsed, candidate)

    job = Job(
        hop="raw",
        table=f"{contract.name}_raw",
        dataset=contract.name,
        cause=drop.sha256,
        root=layout.raw_object(contract.name, drop.sha256),
        contract=contract,
        suite=suite,
        write=write,
        source=source_of(contract, drop),
        delivered_at=drop.delivered_at,
    )
    return run_hop(session, job, again=again)


def parse_received(session: Session, contract: Contract, drop: Drop, folder: Path) -> Parsed:
    """Fetch a drop's bytes out of the lake, check their hash, unpack and parse them into a staging file in `folder`.

    Raises:
        DataRejected: They can't be unpacked, or are no delimited text.
        IntegrityError: The lake holds other bytes than were delivered.
    """
    # Under its own name, which is what an error calls it.
    delivered = folder / "delivered" / drop.name
    delivered.parent.mkdir()
    path = layout.raw_object(contract.name, drop.sha256)
    if (found := session.repository.download("main", path, delivered)) != drop.sha256:
        what = f"raw holds bytes with SHA-256 {found[:12]}"
        raise IntegrityError(what, where=path, fix="restore the object from a backup, or deliver the file again")
    return parse_file(contract, delivered, folder)


def parse_file(contract: Contract, delivered: Path, folder: Path) -> Parsed:
    """Unpack and parse a delivered file into a staging file in `folder`."""
    into = folder / "unpacked" / delivered.name
    into.parent.mkdir()
    unpacked = unpack(delivered, into, limit=contract.file)
    return parse(unpacked.path, contract.file, into=folder / "staging.parquet")


def judge_raw(suite: Suite, parsed: Parsed) -> tuple[Outcome, ...]:
    """The outcomes of the raw suite for a parsed delivery."""
    return judge_arrival(suite, Arrival(parsed.columns, parsed.records, parsed.readable))


def source_of(contract: Contract, drop: Drop) -> dict[str, Any]:
    """Where a version's rows come from, for its manifest."""
    told = {"delivered_name": drop.name, "delivered_bytes": drop.size, "receipt": drop.receipt, "extracted_at": drop.extracted_at}
    return {**contract.source, **told}


def raw_counts(parsed: Parsed, *, before: int) -> Counts:
    """The raw hop's equations: readable records are its valid rows, and the version is this one file alone."""
    readable = parsed.readable
    return Counts(parsed.records, readable, 0, parsed.unreadable_count, before=before, inserted=readable, deleted=before, after=readable)


def order_value(contract: Contract, parsed: Parsed) -> int | str | None:
    """The least value of the column that orders a dataset's drops: a number, or ISO text that sorts as time does."""
    if contract.order_by is None or parsed.staging is None or contract.order_by not in parsed.columns:
        return None
    import pyarrow.compute as pc
    from pyarrow import parquet

    values = parquet.read_table(parsed.staging, columns=[contract.order_by]).column(0).drop_null()
    if contract.column(contract.order_by).type == "integer":
        digits = values.filter(pc.match_substring_regex(values, r"^[+-]?[0-9]{1,18}$"))
        least: int | str | None = pc.min(pc.cast(pc.replace_substring_regex(digits, r"^\+", ""), "int64")).as_py()
        return least
    text = pc.min(values).as_py()
    return text if text is None or re.fullmatch(r"[0-9TZ:.+ -]+", text) else None


def _written(session: Session, job: _Delivery, parsed: Parsed, candidate: Candidate) -> Written:
    contract, drop = job.contract, job.drop
    path = layout.raw_object(contract.name, drop.sha256)
    (stored,) = session.repository.listing(candidate.branch, path)
    data = DataFile(path, session.repository.physical(stored.physical_address), int(stored.size_bytes), drop.sha256, parsed.readable)
    return Written(
        outcomes=judge_raw(job.suite, parsed),
        counts=raw_counts(parsed, before=candidate.parent.counts.after if candidate.parent else 0),
        files=[data],
        content_hash=drop.sha256,
        notes={"order": order_value(contract, parsed), "columns": list(parsed.columns), "bytes": parsed.account},
        evidence={"unreadable": [vars(item) for item in parsed.unreadable[:REPORTED]], "unreadable_reasons": parsed.reasons},
    )
