"""Lakegate: one delivery through receive, the raw hop and the processed hop, published and named."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.rivals.case import Case, Outcome, run_program
from benchmarks.rivals.rules import DATASET, rules_of


def run(case: Case, found: Outcome) -> None:
    """`lakegate ingest`, without the command line's printing."""
    from lake.pipeline.ingest import ingest
    from lake.session import open_session
    from lakegate.manifest import manifest_path
    from lakegate.settings import Settings

    seen: dict[str, float] = {}

    def watch(table: str, step: str) -> None:
        seen[f"{table}:{step}"] = time.perf_counter()

    with found.step("open"):
        session = open_session(
            Settings.load(home=case.home, project=case.project), watcher=watch, ready=False
        )
    start = time.perf_counter()
    (result,) = ingest(session, DATASET, [Path(case.csv)])
    end = time.perf_counter()
    raw, processed = result.hops
    begin = seen[f"{DATASET}:stage"]
    found.steps |= {
        "receive": seen[f"{DATASET}_raw:stage"] - start,
        "raw hop": begin - seen[f"{DATASET}_raw:stage"],
    }
    marks = [("stage", begin)] + [
        (step, seen[f"{DATASET}:{step}"])
        for step in ("parse", "evaluate", "write.table", "write.quarantine", "judge", "commit")
        if f"{DATASET}:{step}" in seen
    ]
    written = seen[f"{DATASET}:write.done"]
    for (step, at), (_, until) in zip(marks, [*marks[1:], ("end", end)], strict=True):
        found.steps[f"processed {step}"] = until - at
    found.steps["processed hop"] = end - begin
    found.steps = {name: round(seconds, 3) for name, seconds in found.steps.items()}
    found.steps["processed written at"] = round(written - begin, 3)
    if processed.version is None:
        raise AssertionError(processed.reason or raw.reason)
    manifest = session.repository.get_json("main", manifest_path(DATASET, 1)) or {}
    found.valid, found.quarantined = int(manifest["counts"]["valid"]), int(manifest["counts"]["quarantined"])
    # Lakegate has rules of the delivery's text besides, which no other program is given.
    shared = {rule.id for rule in rules_of(case.columns, case.rules)}
    found.failed = {item["rule"]: int(item["failed"]) for item in manifest["rules"] if item["rule"] in shared}
    found.content = str(manifest["content_hash"])


if __name__ == "__main__":
    run_program(run)
