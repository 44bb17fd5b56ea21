"""A table's log, which Lakegate adds to beside the store: what is written and what any reader finds is the
same, past checkpoints too.
"""

from __future__ import annotations

import uuid

import pyarrow as pa
import pytest

from lake.lakefs.files import sha256_of
from lake.lakefs.repository import MAIN
from lake.session import Session, open_session
from lake.tables.data_files import list_table, table_files
from lake.tables.delta_log import HINT, storage_options
from lake.tables.log_cache import Log
from lake.tables.writer import CHECKPOINT_EVERY, restore_files, write_arrow
from lakegate.errors import IntegrityError
from lakegate.settings import Settings

pytestmark = pytest.mark.server

PATH = "processed/rides"


@pytest.fixture(scope="module")
def session(lakefs_home: Settings) -> Session:
    return open_session(lakefs_home)


@pytest.fixture
def branch(session: Session) -> str:
    name = f"log-{uuid.uuid4().hex[:8]}"
    session.repository.branch(name, MAIN)
    return name


def rows(*rides: int, column: str = "ride") -> pa.RecordBatchReader:
    return pa.table({column: pa.array(rides, pa.int64())}).to_reader()


def append(session: Session, branch: str, *rides: int) -> list[tuple[str, int | None]]:
    added = write_arrow(session, rows(*rides), ref=branch, path=PATH, mode="append", statistics=["ride"])
    assert added is not None
    return added


def test_log_names_what_was_added_past_two_checkpoints(session: Session, branch: str) -> None:
    commits = 2 * int(CHECKPOINT_EVERY) + 3
    added = [file for number in range(commits) for file in append(session, branch, *range(number + 1))]
    listed = list_table(session, branch, PATH)
    assert sorted((item.path, item.rows) for item in listed) == sorted(added)
    assert session.repository.get(branch, f"{PATH}/_delta_log/{HINT}") is not None
    # Anyone else's delta-rs, who knows only the gateway, finds the same.
    elsewhere = Log(
        f"s3://{session.repository.name}/{branch}/{PATH}", storage_options(session.endpoint)
    ).opened()
    assert elsewhere is not None
    assert elsewhere.version() == commits - 1
    named = elsewhere.get_add_actions(flatten=True)
    assert sorted(
        zip(
            (f"{PATH}/{name}" for name in named["path"].to_pylist()),
            named["num_records"].to_pylist(),
            strict=True,
        )
    ) == sorted(added)
    assert named["max.ride"].to_pylist() == [count - 1 for count in named["num_records"].to_pylist()]


def test_files_told_without_the_log_are_what_the_log_tells(session: Session, branch: str) -> None:
    append(session, branch, 1, 2)
    before = table_files(session, branch, PATH, known=[])
    added = append(session, branch, 3)
    assert table_files(session, branch, PATH, known=before, added=added) == table_files(
        session, branch, PATH, known=before
    )
    assert {item.sha256 for item in before} == {
        sha256_of(block) for item in before if (block := session.repository.local(item.physical))
    }


def test_file_that_the_tree_does_not_hold_is_no_file_of_the_table(session: Session, branch: str) -> None:
    append(session, branch, 1, 2)
    with pytest.raises(IntegrityError, match="the tree does not hold it"):
        table_files(session, branch, PATH, known=[], added=[(f"{PATH}/part-none.parquet", 1)])


def test_log_whose_blocks_are_damaged_is_told_as_such(session: Session, branch: str) -> None:
    append(session, branch, 1, 2)
    for item in session.repository.listing(branch, f"{PATH}/_delta_log/"):
        block = session.repository.local(session.repository.physical(item.physical_address))
        assert block is not None
        block.write_text("not a log")
    with pytest.raises(IntegrityError, match=f"reading the Delta log of {PATH}"):
        list_table(session, branch, PATH)


def test_entry_of_a_log_that_is_missing_is_named(session: Session, branch: str) -> None:
    append(session, branch, 1, 2)
    first, *_ = session.repository.listing(branch, f"{PATH}/_delta_log/0")
    block = session.repository.local(session.repository.physical(first.physical_address))
    assert block is not None
    block.unlink()
    with pytest.raises(IntegrityError, match="missing from the store") as caught:
        list_table(session, branch, PATH)
    assert first.path in str(caught.value)


def test_rows_of_other_columns_are_refused_and_leave_the_log_as_it_was(session: Session, branch: str) -> None:
    added = append(session, branch, 1, 2)
    with pytest.raises(IntegrityError, match="other columns"):
        write_arrow(session, rows(3, column="fare"), ref=branch, path=PATH, mode="append", statistics=[])
    assert [(item.path, item.rows) for item in list_table(session, branch, PATH)] == added


def test_log_that_others_wrote_on_meanwhile_is_read_again(
    session: Session, lakefs_home: Settings, branch: str
) -> None:
    other = open_session(lakefs_home)
    with session.caching(), other.caching():
        added = [
            file
            for number in range(9)
            for file in append((session, session, other)[number % 3], branch, number)
        ]
        assert sorted((item.path, item.rows) for item in list_table(session, branch, PATH)) == sorted(added)


def test_log_goes_on_from_the_branch_that_was_published_not_from_one_that_was_given_up(
    session: Session, branch: str
) -> None:
    with session.caching():
        first = append(session, branch, 1)
        session.repository.commit(branch, "first", {})
        for name in ("given-up", "another"):
            session.repository.branch(f"{branch}-{name}", branch)
        append(session, f"{branch}-given-up", 2)
        second = append(session, f"{branch}-another", 3)
        assert sorted(
            (item.path, item.rows) for item in list_table(session, f"{branch}-another", PATH)
        ) == sorted([*first, *second])
    assert not list(session.settings.scratch_dir.glob("log-*"))


def test_files_that_are_put_back_are_all_that_the_log_names(session: Session, branch: str) -> None:
    append(session, branch, 1)
    then = table_files(session, branch, PATH, known=[])
    session.repository.commit(branch, "then", {})
    append(session, branch, 2)
    restore_files(session, ref=branch, path=PATH, files=then, tag=session.repository.commit_of(branch))
    assert table_files(session, branch, PATH, known=then) == then
