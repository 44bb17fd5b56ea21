"""Where Data Docs are written to, and of which versions."""

from __future__ import annotations

import html
import json
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.contract import Contract
from catalog.files import Catalog
from expectations.drift.histogram import Histograms
from expectations.gx import data_docs
from expectations.gx.data_docs import page
from expectations.gx.offline_page import harmless, offline
from lake import paths
from lake.reports.data_docs import write_docs
from lakegate.errors import UsageError
from lakegate.media import line
from lakegate.names import VersionName
from tests.support.drift.histogram_lake import KeptLake

CONTRACT = Contract(
    name="things",
    kind="dataset",
    path=Path("things.odcs.yaml"),
    hash="",
    columns=(),
    key=(),
    write_mode="append",
)
NAMES = [VersionName("things", 1)]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Any:
    """One version with evidence, whose page takes no time."""
    lake = KeptLake(CONTRACT)
    lake.add(Histograms())
    lake.objects[paths.evidence("things", 1)] = json.dumps({"report": {}}).encode()
    monkeypatch.setattr(data_docs, "page", lambda *_, **__: "a page")
    return SimpleNamespace(repository=lake, catalog=Catalog({"things": CONTRACT}, {}))


def test_pages_are_written_over_those_that_lakegate_wrote(session: Any, tmp_path: Path) -> None:
    index = write_docs(session, NAMES, tmp_path / "new")
    assert index.read_text(encoding="utf-8").count("things.v1.html") == 1
    index.write_text(index.read_text(encoding="utf-8") + "old", encoding="utf-8")
    assert "old" not in write_docs(session, NAMES, tmp_path / "new").read_text(encoding="utf-8")
    index.write_text("<title>Data documentation compiled by Great Expectations</title>", encoding="utf-8")
    assert "things.v1.html" in write_docs(session, NAMES, tmp_path / "new").read_text(encoding="utf-8")


@pytest.mark.parametrize("mine", [b"<h1>My site</h1>", b"", b"\xff\xfe"])
def test_page_of_another_is_never_written_over(session: Any, tmp_path: Path, mine: bytes) -> None:
    (tmp_path / "index.html").write_bytes(mine)
    with pytest.raises(UsageError) as caught:
        write_docs(session, NAMES, tmp_path)
    assert str(tmp_path) in caught.value.what
    assert "--into" in caught.value.fix
    assert [item.name for item in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_bytes() == mine


@pytest.mark.parametrize(
    ("name", "what", "fix"),
    [
        ("things@v9", "things@v9 doesn't exist: its newest is v1", "`lakegate versions things` lists"),
        ("others@v1", "others@v1 doesn't exist: there is no table others", "tables here: things, things_raw"),
        ("things_raw@v1", "nothing of things_raw is published yet", "`lakegate ingest`"),
    ],
)
def test_version_that_is_not_there_is_told_with_what_is(
    session: Any, tmp_path: Path, name: str, what: str, fix: str
) -> None:
    with pytest.raises(UsageError) as caught:
        write_docs(session, [VersionName.parse(name)], tmp_path)
    assert what in caught.value.what
    assert fix in caught.value.fix


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=http://evil/x onerror=alert(1)>',
    "${column} $x {{ 7*7 }} {% raw %}",
    "</title></style></td><base href=http://evil>",
    "a\u202eb\x1b[31m\ua490script\ua491",
    "&lt;b&gt; 'single' `tick`",
)


def report_of(text: str) -> dict[str, Any]:
    """A report in which a text stands wherever a contract's or a suite's text can."""
    asked: list[tuple[str, dict[str, Any]]] = [
        (
            "expect_column_values_to_be_in_set",
            {"column": text, "value_set": [text, "x"], "row_condition": text},
        ),
        ("expect_column_values_to_match_regex", {"column": "c", "regex": text}),
        (
            "expect_column_distributions_to_stay_close",
            {"column_list": [text], "baseline": "previous", "statistic": "kl", "max_value": 1},
        ),
        ("expect_rows_to_satisfy", {"condition": text}),
    ]
    results = [
        {
            "success": number % 2 == 0,
            "expectation_config": {
                "type": kind,
                "kwargs": kwargs,
                "severity": "warning",
                "meta": {"lakegate": {"rule": text}},
            },
            "result": {
                "element_count": 9,
                "unexpected_count": 3,
                "unexpected_percent": 33.3,
                "observed_value": 1,
                "told": text,
            },
            "exception_info": {
                "raised_exception": False,
                "exception_traceback": None,
                "exception_message": None,
            },
            "meta": {},
        }
        for number, (kind, kwargs) in enumerate(asked)
    ]
    counts = {
        "evaluated_expectations": 4,
        "successful_expectations": 2,
        "unsuccessful_expectations": 2,
        "success_percent": 50.0,
    }
    meta = {"great_expectations_version": "1", "suite_hash": text}
    return {"success": False, "suite_name": text, "results": results, "statistics": counts, "meta": meta}


def elements(text: str) -> list[tuple[str, dict[str, str | None]]]:
    found: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, dict(attrs)))

    reader = Reader()
    reader.feed(text)
    reader.close()
    return found


def test_text_of_a_contract_is_no_markup_in_data_docs_and_the_page_fetches_and_runs_nothing() -> None:
    plain = page(report_of("plain"), title="flights@v3", at="2026-01-01T00:00:00+00:00")
    usual = [tag for tag, _ in elements(plain)]
    assert plain.count("plain") > 8
    for text in HOSTILE:
        told = page(report_of(text), title=f"flights@v3{text}", at="2026-01-01T00:00:00+00:00")
        found = elements(told)
        assert {tag for tag, _ in found} <= {*usual, "strong"}, text
        assert not {"script", "link", "img", "iframe", "base", "form", "object"} & set(usual)
        assert not [
            name
            for _, attributes in found
            for name in attributes
            if name.startswith("on") or name in ("src", "srcset", "action")
        ]
        assert all((attributes.get("href") or "#").startswith("#") for _, attributes in found)
        shown = html.unescape(told)
        assert shown.count(line(text).replace("\ua490", "\\ua490").replace("\ua491", "\\ua491")) > 4, text
    assert "http://" not in plain.replace("http-equiv", "")
    assert "https://" not in plain
    (stated,) = [
        item["content"]
        for tag, item in elements(plain)
        if tag == "meta" and item.get("http-equiv") == "Content-Security-Policy"
    ]
    assert (stated or "").startswith("default-src 'none'")


@given(st.text(min_size=1))
def test_stand_in_for_markup_comes_back_as_text_and_is_no_markup_itself(text: str) -> None:
    told = offline(f"<p>{harmless(text)}</p>", title=text)
    body = told.partition("<body>")[2]
    assert [tag for tag, _ in elements(body)] == ["p"]
    assert harmless({"a": [text]}) == {"a": [harmless(text)]}
    assert not set("<>&\"'$`") & set(harmless(text))
