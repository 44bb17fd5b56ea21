"""A contract or a suite that is broken is named, and stops nobody else."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.places import ROOT

pytestmark = pytest.mark.server


def copied_project(folder: Path) -> Path:
    """The project's contracts, suites and SQL, to be spoilt."""
    for name in ("catalog", "expectations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def test_misspelt_key_in_a_contract_names_file_and_line_and_stops_nobody_else(
    lake: Any, sample: Any, tmp_path: Path
) -> None:
    copied_project(tmp_path)
    contract = tmp_path / "catalog/contracts/planes.odcs.yaml"
    text = contract.read_text()
    line = 1 + text[: text.index("primaryKey:")].count("\n")
    contract.write_text(text.replace("primaryKey:", "primariKey:", 1))
    before, spoilt_project = lake.state(), replace(lake, settings=replace(lake.settings, project=tmp_path))
    done = spoilt_project.run("ingest", "planes", sample.reference("planes"), "--json")
    assert done.code == 2, done
    assert done.out == ""
    assert f"planes.odcs.yaml:{line}" in done.err
    assert "primariKey" in done.err
    assert "primaryKey" in done.err.replace("primariKey", ""), "it doesn't say what to write"
    assert spoilt_project.ingest("airlines", sample.reference("airlines"))[0]["verdict"] == "unchanged"
    assert lake.state() == before


def test_broken_suite_of_a_feature_stops_the_feature_alone_until_it_is_mended(
    lake: Any, sample: Any, tmp_path: Path
) -> None:
    suite = copied_project(tmp_path) / "expectations/suites/flight_features.json"
    suite.parent.mkdir(exist_ok=True)
    suite.write_text(
        '{"name": "flight_features",\n "expectations": [{"type": "expect_nonsense", "kwargs": {}, '
        '"severity": "critical"}]}'
    )
    spoilt_project = replace(lake, settings=replace(lake.settings, project=tmp_path))
    path = lake.file("flights-2013-10.csv", sample.month(10))
    done = spoilt_project.run("ingest", "flights", path, "--json")
    assert done.code == 2, done
    assert [(hop["table"], hop["version"] is not None) for hop in done.one["hops"]] == [
        ("flights_raw", True),
        ("flights", True),
    ]
    assert "flight_features.json:2" in done.err
    assert "expect_nonsense" in done.err
    (mended,) = lake.ingest("flights", path)
    assert [(hop["table"], hop["verdict"]) for hop in mended["hops"]] == [
        ("flights_raw", "unchanged"),
        ("flights", "unchanged"),
        ("flight_features", "passed"),
    ]
    assert lake.left_over() == []


def test_feature_whose_contract_is_broken_is_named_by_an_ingest(
    lake: Any, sample: Any, tmp_path: Path
) -> None:
    contract = copied_project(tmp_path) / "catalog/contracts/flight_features.odcs.yaml"
    contract.write_text(contract.read_text().replace("value: flight_features.sql", "value: nowhere.sql"))
    spoilt_project = replace(lake, settings=replace(lake.settings, project=tmp_path))
    done = spoilt_project.run("ingest", "planes", sample.reference("planes"), "--json")
    assert done.code == 0, done
    assert "left out: flight_features, whose contract or SQL has a mistake" in done.err
    clean = spoilt_project.run("expire", "--dry-run")
    assert "left out: flight_features, whose contract or SQL has a mistake" in clean.err
    assert "the project has no contract of it that can be used, so nothing ends it" in clean.out


def test_suite_of_no_table_is_named_wherever_its_rules_are_not_asked(
    lake: Any, sample: Any, tmp_path: Path
) -> None:
    suites = copied_project(tmp_path) / "expectations/suites"
    suites.mkdir(parents=True, exist_ok=True)
    (suites / "planes.procesed.json").write_text("{}")
    spoilt_project = replace(lake, settings=replace(lake.settings, project=tmp_path))
    for verb in (
        ("ingest", "planes", sample.reference("planes"), "--json"),
        ("plan", "planes"),
        ("expire", "--dry-run"),
    ):
        done = spoilt_project.run(*verb)
        assert done.code == 0, done
        assert "left out: the rules of planes.procesed.json: " in done.err, verb
        assert "planes.processed" in done.err, verb
