"""A feature whose SQL an engine can't compute: it is named, and that is final."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.contract import Contract
from lake.hops.feature_result import failing_sql
from lakegate.errors import AccessError, LakegateError, Transient

FEATURE = Contract(
    "rides_at_stops", "feature", Path("f.odcs.yaml"), "", (), (), "replace", sql_path=Path("f.sql")
)


def test_engines_failure_names_the_feature_and_is_final() -> None:
    told = r"f\.sql: the SQL of rides_at_stops can't be computed: the engine failed"
    with pytest.raises(LakegateError, match=told) as caught, failing_sql(FEATURE):
        raise LakegateError("the engine failed", fix="run it again")
    assert type(caught.value) is LakegateError
    assert "again" not in str(caught.value)


@pytest.mark.parametrize("kind", [Transient, AccessError])
def test_error_that_is_not_of_the_sql_stays_what_it_is(kind: type[LakegateError]) -> None:
    with pytest.raises(kind, match="lost"), failing_sql(FEATURE):
        raise kind("lost")
