"""What answers beside work, and beside what others left: at one commit, and at a cost that is not theirs."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lake.lakefs.objects import Objects
from lake.lakefs.repository import Repository
from lake.maintenance import verify
from lake.maintenance.verify import audit_all
from lake.session import Session
from lakegate.settings import Settings
from tests.support.lakes.rides_beside import delivered, open_rides

pytestmark = pytest.mark.server


@pytest.fixture
def session(shared_lakefs: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    return open_rides(shared_lakefs, tmp_path, request.node.name)


WRITER = """
import sys
from datetime import timedelta
from pathlib import Path
from lake.pipeline.ingest import ingest
from lake.maintenance.retention import clean_up
from lake.decisions.rollback import roll_back
from lake.session import open_session
from lakegate.names import VersionName
from lakegate.names import VersionName
from lakegate.settings import Settings

home, project, tenant, folder = sys.argv[1:]
session = open_session(Settings.load(home=home, project=project, tenant=tenant), say=lambda _: None)
for number in range(8):
    file = Path(folder) / f"writer-{number}.csv"
    rows = "".join(f"{number * 10 + row},{row}.5,{number}\\n" for row in range(9))
    file.write_text("ride,fare,at\\n" + rows + f"{number * 10 + 9},x,1\\n")
    done = ingest(session, "rides", [file])
    if number % 3 == 2:
        version = VersionName.parse(done[0].hops[1].version)
        roll_back(session, VersionName("rides", version.number - 1), reason="a test")
    if number % 2:
        clean_up(session, grace=timedelta(0))
"""


def test_verify_beside_a_writer_that_publishes_rolls_back_and_cleans_up_is_always_clean(
    session: Session, tmp_path: Path
) -> None:
    delivered(session, tmp_path, "first.csv", first=10_000)
    where = (
        str(session.settings.home.root),
        str(session.settings.project),
        session.settings.tenant,
        str(tmp_path),
    )
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, *where], stderr=subprocess.PIPE, text=True
    ) as writer:
        looks = 0
        while writer.poll() is None:
            found = {name: gaps for name, gaps in audit_all(session).items() if gaps}
            assert not found
            looks += 1
        assert writer.returncode == 0, writer.stderr.read() if writer.stderr else ""
    assert looks > 3
    last = audit_all(session)
    assert not any(last.values())
    assert "rides_raw@v9" in last


def test_version_published_after_the_commit_is_no_part_of_the_result(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at main and that at the tags another drop is published: its tags are there,
    and main at that commit knows nothing.
    """
    delivered(session, tmp_path, "a.csv")
    told = Repository.tags

    def tags(self: Repository, prefix: str) -> dict[str, str]:
        monkeypatch.setattr(Repository, "tags", told)
        delivered(session, tmp_path, "b.csv", first=100)
        return told(self, prefix)

    monkeypatch.setattr(Repository, "tags", tags)
    assert audit_all(session) == {"rides@v1": [], "rides_raw@v1": []}
    assert audit_all(session) == {"rides@v1": [], "rides@v2": [], "rides_raw@v1": [], "rides_raw@v2": []}


def test_verify_lists_a_table_once_however_many_versions_it_has(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        delivered(session, tmp_path, f"{number}.csv", first=10 * number)
    listed = Counter[str]()
    told = Objects.listing

    def listing(self: Objects, ref: str, prefix: str, *, after: str = "") -> Any:
        listed[prefix.partition("/")[0]] += 1
        return told(self, ref, prefix, after=after)

    monkeypatch.setattr(Objects, "listing", listing)
    assert len(verify.audit_all(session)) == 8
    assert listed["processed"] == 2  # the first tree, and main's strays
