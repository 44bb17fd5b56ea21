"""Names of the branches that attempts work on: nobody else's, behind all earlier ones, and readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.lakefs import branches
from lake.lakefs.branches import CANDIDATE, RECEIVE, RECORD, branch_of, kind_and_table, new_attempt

TABLES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
CAUSES = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)


def test_attempts_never_have_the_same_name() -> None:
    assert len({branch_of(CANDIDATE, new_attempt(), "rides", "c" * 64) for _ in range(1000)}) == 1000


@given(
    kinds=st.tuples(*[st.sampled_from([CANDIDATE, RECEIVE, RECORD])] * 2),
    tables=st.tuples(TABLES, TABLES),
    causes=st.tuples(CAUSES, CAUSES),
)
def test_later_attempts_sort_behind_whatever_they_are_for(
    kinds: tuple[str, str], tables: tuple[str, str], causes: tuple[str, str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        names = []
        for moment in (1_767_225_600_000, 1_767_225_600_001):
            patch.setattr(branches.time, "time_ns", lambda moment=moment: moment * 10**6)
            names.append(branch_of(kinds[len(names)], new_attempt(), tables[len(names)], causes[len(names)]))
    assert names[0] < names[1]


@given(kind=st.sampled_from([CANDIDATE, RECEIVE]), table=TABLES, cause=CAUSES)
def test_name_says_what_it_is_for(kind: str, table: str, cause: str) -> None:
    assert kind_and_table(branch_of(kind, new_attempt(), table, cause)) == (kind, table)


@pytest.mark.parametrize(
    "name", ["main", "ledger", "keep-rides-v1", "attempts", "somebody-0123-candidate-rides-0123"]
)
def test_others_are_none(name: str) -> None:
    assert kind_and_table(name) == ("", "")


def test_attempt_for_no_table_says_its_kind() -> None:
    assert kind_and_table(branch_of(RECORD, new_attempt())) == (RECORD, "")
