"""Bad records of a file are counted or set aside, and the rest of it is published."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.deliveries.hashes import sha

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def spoilt(lake: Any, sample: Any) -> dict[str, Any]:
    """February with text in a number, an invalid UTF-8 record, a ragged row and two quotes that never close;
    as published.
    """
    lines = list(sample.lines(2))
    lines[10] = lines[10].replace(b"2013,2,", b"2013,two,", 1)
    lines[20] = lines[20].replace(b"EWR", b"E\xffR").replace(b"LGA", b"L\xffA").replace(b"JFK", b"J\xffK")
    lines[30] = lines[30].replace(b",", b"", 1)
    lines[40] = b'"' + lines[40]
    fields = lines[50].split(b",")
    lines[50] = b",".join([*fields[:11], b'"' + fields[11], *fields[12:]])
    content = b"".join(lines)
    done = lake.run("ingest", "flights", lake.file("spoilt.csv", content), "--json")
    return {"done": done, "content": content, "lines": lines}


def test_bad_records_are_counted_and_the_rest_is_published(lake: Any, spoilt: dict[str, Any]) -> None:
    assert spoilt["done"].code == 0, spoilt["done"]
    raw, processed, features = spoilt["done"].one["hops"]
    records = len(spoilt["lines"]) - 1
    assert (raw["rows_in"], raw["rows_unreadable"], raw["rows_valid"]) == (records, 4, records - 4)
    assert processed["rows_in"] == records - 4 == processed["rows_valid"] + processed["rows_quarantined"]
    assert features["verdict"] == "passed"
    assert lake.left_over() == []
    assert lake.raw("flights", sha(spoilt["content"])) == spoilt["content"]


def test_text_in_a_number_costs_its_own_row_set_aside_with_its_record(
    lake: Any, spoilt: dict[str, Any]
) -> None:
    listed = lake.run("quarantine", "flights", "--json").json
    (row,) = [
        item for item in listed if item["drop"] == sha(spoilt["content"]) and "type:month" in item["rules"]
    ]
    assert (row["row"], row["file"]) == (10, "spoilt.csv")
    assert row["record"] == spoilt["lines"][10].decode().rstrip("\r\n")


@pytest.mark.parametrize(
    ("row", "reason"), [(20, "encoding"), (30, "fields"), (40, "open_quote"), (50, "open_quote")]
)
def test_unreadable_record_costs_itself_and_no_neighbour(
    row: int, reason: str, lake: Any, spoilt: dict[str, Any]
) -> None:
    number = spoilt["done"].one["hops"][0]["version"]
    evidence = lake.repository.get_json("main", f"_lakegate/evidence/flights_raw/v{number}.json")
    found = {item["row"]: item for item in evidence["unreadable"]}
    assert sorted(found) == [20, 30, 40, 50]
    assert found[row]["reason"] == reason
    cut = spoilt["content"][found[row]["start"] : found[row]["end"]]
    assert cut == spoilt["lines"][row].rstrip(b"\r\n")

    from lakegate import open_snapshot

    rows = (
        open_snapshot(spoilt["done"].one["hops"][1]["name"], home=lake.home)
        .arrow(["_drop", "_row"])
        .to_pylist()
    )
    there = {item["_row"] for item in rows if item["_drop"] == sha(spoilt["content"])}
    aside = {
        item["row"]
        for item in lake.run("quarantine", "flights", "--json").json
        if item["drop"] == sha(spoilt["content"])
    }
    assert row not in there | aside
    assert {row - 1, row + 1} <= there | aside
