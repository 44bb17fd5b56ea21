"""P5, one answer: the same drops through Sail and through Spark give the same verdicts, counts,
row ids and hashes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lake.pipeline.demo_data import MONTHS, REFERENCES, deliver_sample
from lake.pipeline.ingest import ingest
from lake.reports.versions import list_quarantine, list_versions, table_names
from lake.session import open_session
from lakegate.settings import Settings
from tests.support.tables.golden_content import GOLDEN, content

TWO_MONTHS = 2
KEPT = ("name", "drop", "rows_valid", "rows_quarantined", "rows_unreadable", "rows_total", "content_hash")


def carried(settings: Settings, drops: list[tuple[str, list[Path]]]) -> dict[str, Any]:
    """What comes of drops in a lake of one engine."""
    session = open_session(settings)
    results = [result.to_json() for dataset, files in drops for result in ingest(session, dataset, files)]
    aside = {
        contract.name: [
            [row["drop"], row["row"], sorted(row["rules"]), row["record"]]
            for row in list_quarantine(session, contract)
        ]
        for contract in session.catalog.datasets
    }
    versions = [
        [{key: version[key] for key in KEPT} for version in list_versions(session, table)]
        for table in table_names(session)
    ]
    with session.scratch("golden") as folder:
        golden = {
            case: f"{content(session.engine, folder, rows)[0]:032x}" for case, (rows, _) in GOLDEN.items()
        }
    return {"results": results, "aside": aside, "versions": versions, "golden": golden}


def soil(path: Path) -> None:
    """Add to a month's flights some with one of everything that can be wrong with a row,
    and spellings that engines cast differently.
    """
    _, *lines = path.read_text().splitlines()[:400]
    fields = [line.split(",") for line in lines]
    for row, column, value in [
        (3, 5, "late"),
        (5, 3, "5.0"),
        (7, 3, " 517 "),
        (9, 3, "1e2"),
        (11, 18, "2013-02-30T10:00:00Z"),
        (13, 18, "2013-02-01T10:00:00+01:00"),
        (15, 18, "2013-02-01 11:00:00"),
        (17, 9, "é"),
        (19, 9, "١"),
        (21, 15, "99999999999999999999"),
        (23, 12, ""),
        (25, 8, "+12"),
        (27, 8, "-0"),
    ]:
        fields[row][column] = value
    for row, record in enumerate(fields):
        record[10] = str(7000 + row)
    fields[31] = fields[30]
    with path.open("a") as file:
        file.writelines(f"{','.join(record)}\n" for record in fields)


@pytest.fixture(scope="module")
def answers(
    tmp_path_factory: pytest.TempPathFactory, sail_home: Settings, spark_home: Settings
) -> dict[str, Any]:
    sample = deliver_sample(tmp_path_factory.mktemp("parity") / "sample")
    months = [path for dataset, path in sample if dataset == "flights"][:TWO_MONTHS]
    soil(months[-1])
    drops = [(dataset, [path]) for dataset, path in sample if dataset in REFERENCES] + [("flights", months)]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SPARK_CONNECT_MODE_ENABLED", raising=False)  # see `spark_engine`
        spark = carried(spark_home, drops)
    return {"sail": carried(sail_home, drops), "spark": spark}


@pytest.mark.spark
@pytest.mark.server
def test_both_engines_give_the_same_verdicts_and_counts_per_rule(answers: dict[str, Any]) -> None:
    assert answers["sail"]["results"] == answers["spark"]["results"]
    assert len(answers["sail"]["results"]) == len(REFERENCES) + TWO_MONTHS


@pytest.mark.spark
@pytest.mark.server
def test_both_engines_set_the_same_rows_aside_for_the_same_reasons(answers: dict[str, Any]) -> None:
    assert answers["sail"]["aside"] == answers["spark"]["aside"]
    assert len(answers["sail"]["aside"]["flights"]) > len(MONTHS)


@pytest.mark.spark
@pytest.mark.server
def test_both_engines_give_every_table_the_same_content_hash(answers: dict[str, Any]) -> None:
    assert answers["sail"]["versions"] == answers["spark"]["versions"]


@pytest.mark.spark
@pytest.mark.server
def test_both_engines_give_rows_of_every_type_their_golden_content_hash(answers: dict[str, Any]) -> None:
    assert (
        answers["sail"]["golden"]
        == answers["spark"]["golden"]
        == {case: value for case, (_, value) in GOLDEN.items()}
    )
