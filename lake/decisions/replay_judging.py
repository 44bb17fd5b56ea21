"""Judge quarantined rows again, for a replay.

All open rows of a drop are judged together, drop by drop in the order of their publishes, each on the table
with what the drops before it gave back. So the outcome is that which the present rules would have had at
first.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.suite import Suite
from expectations.typed_frame import DROP, ROW
from expectations.verdict import Outcome
from lake.decisions.decision import Decision, passing_rows, row_count
from lake.decisions.restage import stage_records
from lake.engine.scratch_table import ScratchTable
from lake.hops.evaluate import Evaluated, evaluate, quarantined_by_rule
from lake.tables.change import Passed
from lake.tables.quarantine import earlier_rows, judged_at, published_as
from lake.tables.reader import published_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class JudgedAgain:
    """The requested rows that pass now, the outcomes, and how many rows still break each rule."""

    passed: Passed
    outcomes: tuple[Outcome, ...]
    still_broken: dict[str, int]


def judge_again(decision: Decision, rows: pa.Table, chosen: pa.Table, folder: Path) -> JudgedAgain:
    """Judge rows of the quarantine again.

    Args:
        decision: The replay.
        rows: All open rows.
        chosen: Those that are requested.
        folder: Scratch folder, which holds the rows that pass.
    """
    import pyarrow.compute as pc
    from pyarrow import parquet

    session, contract, rules = decision.session, decision.contract, decision.suite.rules
    numbers = {
        drop: published_as(session, contract.name, drop) for drop in chosen.column(DROP).unique().to_pylist()
    }
    passing, failed = ScratchTable(session.engine, folder / "passing"), Counter[str]()
    for place, drop in enumerate(sorted(numbers, key=numbers.__getitem__)):
        session.renew_engine()
        part = folder / str(place)
        part.mkdir()
        # Rows of an upsert table may repeat a published key.
        published = None if contract.upsert else passing.with_others(_table(decision))
        mine = rows.filter(pc.equal(rows.column(DROP), drop))
        found = _evaluate(decision, drop, mine, part, published=published, numbers=numbers)
        wanted = part / "chosen.parquet"
        parquet.write_table(chosen.filter(pc.equal(chosen.column(DROP), drop)).select([ROW]), wanted)
        wanted_rows = session.engine.read_parquet([wanted.as_uri()])
        labelled = found.labelled.join(wanted_rows, on=ROW, how="left_semi")
        passing.add(passing_rows(labelled, found.plan, contract, drop))
        failed.update(quarantined_by_rule(session.engine, labelled, found.plan))
        shutil.rmtree(part)
    if (frame := passing.frame()) is None:
        raise ValueError(contract.name)
    count, total = row_count(session, frame), chosen.num_rows
    quarantining = {rule.id for rule in rules if rule.severity != "warn"}
    return JudgedAgain(
        Passed(frame, count, total - count, total),
        tuple(Outcome(rule, failed[rule.id], total) for rule in rules if rule.row_rule),
        {rule: number for rule, number in sorted(failed.items()) if number and rule in quarantining},
    )


def _table(decision: Decision) -> DataFrame | None:
    parent, contract = decision.parent, decision.contract
    table = published_rows(decision.session, contract, decision.suite, parent, parent.name.tag)
    columns = [column.name for column in contract.columns]
    return None if table is None else table.select(*columns, DROP, ROW)


def _evaluate(
    decision: Decision,
    drop: str,
    rows: pa.Table,
    folder: Path,
    *,
    published: DataFrame | None,
    numbers: dict[str, int],
) -> Evaluated:
    """Evaluate the row rules on a drop's open rows; `numbers`: the versions that drops made."""
    session, contract = decision.session, decision.contract
    suite = _row_rules(decision.suite)
    return evaluate(
        session,
        contract,
        suite,
        staging=stage_records(session, contract, drop, rows, folder),
        folder=folder,
        pins=decision.pins,
        published=published,
        delivered_at=judged_at(session, contract.name, drop) or decision.parent.delivered_at or "",
        earlier=earlier_rows(session, contract.name, suite, published, drop, known=numbers),
    )


def _row_rules(suite: Suite) -> Suite:
    """The row rules alone. One that would block a drop quarantines a row here: there is no drop to refuse."""
    rules = [rule for rule in suite.rules if rule.row_rule]
    return replace(
        suite,
        rules=tuple(
            replace(rule, severity="quarantine") if rule.severity == "block" else rule for rule in rules
        ),
    )
