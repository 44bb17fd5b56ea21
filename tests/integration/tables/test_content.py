"""The content hash: golden values, and its laws, on the embedded engine (tests/parity compares the
engines).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lake.engine.engine import Engine
from lake.tables.content_hash import MODULUS, add, content_after
from lakegate.home import Endpoint
from lakegate.manifest import DataFile, Manifest
from lakegate.settings import Settings
from tests.support.tables.golden_content import CONTRACT, EMPTY, GOLDEN, NOTHING, ONE, Row, content


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Sail alone: these frames lie on local disk, so no lakeFS is asked."""
    home = tmp_path_factory.mktemp("content")
    return Engine(Settings.load(home=home, environ={}), Endpoint("http://127.0.0.1:9", "none", "none"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("frames")


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_values_hold_for_good(engine: Engine, folder: Path, case: str) -> None:
    rows, golden = GOLDEN[case]
    number, count = content(engine, folder, rows)
    assert (f"{number:032x}", count) == (golden, len(rows))


def test_null_differs_from_empty_and_from_zero(engine: Engine, folder: Path) -> None:
    assert content(engine, folder, [NOTHING]) != content(engine, folder, [EMPTY])


def test_zero_has_one_sign_and_nan_one_payload(engine: Engine, folder: Path) -> None:
    def with_real(value: float) -> Row:
        return (*ONE[:2], value, *ONE[3:])

    assert content(engine, folder, [with_real(0.0)]) == content(engine, folder, [with_real(-0.0)])
    assert content(engine, folder, [with_real(float("nan"))]) == content(
        engine, folder, [with_real(-float("nan"))]
    )
    assert content(engine, folder, [with_real(float("nan"))]) != content(
        engine, folder, [with_real(float("inf"))]
    )


def test_values_do_not_run_into_each_other(engine: Engine, folder: Path) -> None:
    for first, second in [
        (("n;1:7;", *ONE[1:]), ("n;", *ONE[1:])),
        ((None, 0, *ONE[2:]), ("", None, *ONE[2:])),
        ((*ONE[:1], 1, None, *ONE[3:]), (*ONE[:1], None, 1.0, *ONE[3:])),
    ]:
        assert content(engine, folder, [first]) != content(engine, folder, [second])


rows_of_any_kind = st.lists(
    st.tuples(
        st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(),
        st.none() | st.booleans(),
        st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
        st.none()
        | st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)).map(
            lambda at: at.replace(tzinfo=dt.UTC)
        ),
    ),
    max_size=8,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=rows_of_any_kind, second=rows_of_any_kind)
def test_order_and_files_change_nothing_and_parts_add_up(
    engine: Engine, folder: Path, first: list[Row], second: list[Row]
) -> None:
    apart, together = content(engine, folder, first, second), content(engine, folder, (first + second)[::-1])
    assert apart == together
    assert apart[1] == len(first) + len(second)
    separate = [content(engine, folder, part)[0] for part in (first, second)]
    assert sum(separate) % MODULUS == apart[0]
    assert add(add(None, separate[0]), separate[1]) == f"x{apart[0]:032x}"


def test_table_hashed_by_an_earlier_scheme_is_hashed_anew(engine: Engine, folder: Path) -> None:
    def hashed(parent: SimpleNamespace | None) -> tuple[str, int]:
        return content_after(
            engine, CONTRACT, files, cast("Manifest", parent), uri=lambda file: (folder / file.path).as_uri()
        )

    together = content(engine, folder, [ONE, NOTHING], [EMPTY])[0]
    files = [DataFile(f"part{number}.parquet", "", 0, "", rows) for number, rows in enumerate((2, 1))]
    first = hashed(None)
    assert first == (add(None, together), 3)
    before = content(engine, folder, [ONE, NOTHING])[0]
    content(engine, folder, [ONE, NOTHING], [EMPTY])
    for scheme in (add(None, before), "1f31fad7ecde64d2a919cbd9c4965a15"):
        assert hashed(SimpleNamespace(files=files[:1], content_hash=scheme)) == (add(None, together), 1)
