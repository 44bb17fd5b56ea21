"""An attempt that slept while others went on: it says what stands now, and adds nothing to it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.rides import contract_text
from expectations.verdict import Verdict
from lake.ledger import records
from lake.maintenance.retention import clean_up
from lake.pipeline.ingest import ingest
from lake.reports.versions import list_versions
from lake.session import Session, open_session
from lakegate.settings import Settings

pytestmark = pytest.mark.server


def opened(settings: Settings, folder: Path, tenant: str) -> Session:
    return open_session(replace(settings, project=folder, tenant=tenant), say=print)


@pytest.mark.parametrize("expires", [False, True])
@pytest.mark.parametrize("step", ["evaluate.done", "queue", "stage.done", "write.table"])
def test_attempt_that_was_overtaken_publishes_nothing_and_tells_what_was(
    step: str, *, expires: bool, lakefs_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "catalog" / "contracts").mkdir(parents=True)
    text = contract_text(writeMode="append", maxQuarantined=1.0, retention="{versions: 1}")
    (tmp_path / "catalog" / "contracts" / "rides.odcs.yaml").write_text(text)
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    first.write_text("ride,fare\n1,2.5\n")
    second.write_text("ride,fare\n2,2.5\n")
    tenant = f"overtaken-{step.replace('.', '-')}-{expires}".lower()
    session, other = (opened(lakefs_home, tmp_path, tenant) for _ in range(2))
    monkeypatch.setattr(other, "lease", lambda _: nullcontext())  # as if the sleeper's lease had lapsed

    def sleep(table: str, at: str) -> None:
        if (table, at) == ("rides", "evaluate"):
            ingest(other, "rides", [first])  # which the sleeper finds when it is its turn
        if (table, at) == ("rides", step):
            session.watcher = None
            ingest(other, "rides", [second])
            if expires:
                clean_up(other, now=datetime.now(UTC) + timedelta(days=9))

    session.watcher = sleep
    (result,) = ingest(session, "rides", [second])
    assert session.watcher is None
    assert (result.hops[-1].verdict, result.hops[-1].version) == (Verdict.UNCHANGED, "rides@v2")
    assert [item["version"] for item in list_versions(session, "rides")] == [1, 2]
    assert "failed" not in {record.state for record in records.find(session, dataset="rides")}
    assert session.repository.branches("attempt-") == []
