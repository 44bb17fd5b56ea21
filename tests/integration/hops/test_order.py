"""Order: months publish as the contract asks, whoever waits follows by itself,
and nobody is held up for nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rides import contract_text
from lake.hops.raw import carry_raw
from lake.hops.receive import receive
from lake.lakefs.client import Calls
from lake.pipeline.ordering import clear_corrected, waits_for
from lake.session import Session, open_session
from lakegate.settings import Settings
from tests.support.deliveries.hashes import sha

pytestmark = pytest.mark.server


def drops(lake: Any, table: str) -> list[str]:
    """The drop of each version, oldest first."""
    return [item["drop"] for item in lake.run("versions", table, "--json").json]


@pytest.fixture(scope="module")
def empty(open_lake: Any, empty_home: Any) -> Any:
    """A lake of the module's own without any table."""
    return open_lake(empty_home)


def test_months_received_together_publish_in_order_and_a_late_one_publishes_next(
    lake: Any, sample: Any
) -> None:
    files = {month: lake.file(f"flights-2013-{month:02}.csv", sample.month(month)) for month in (2, 3, 4)}
    results = lake.ingest("flights", files[4], files[3])
    assert [result["drop"] for result in results] == [sha(sample.month(3)), sha(sample.month(4))]
    assert [result["hops"][1]["version"] for result in results] == [2, 3]
    (late,) = lake.ingest("flights", files[2])
    assert [(hop["hop"], hop["version"]) for hop in late["hops"]] == [
        ("raw", 4),
        ("processed", 4),
        ("features", 4),
    ]
    assert drops(lake, "flights") == [sha(sample.month(month)) for month in (1, 3, 4, 2)]
    parents = [lake.manifest("flight_features", number)["parents"] for number in (1, 2, 3, 4)]
    assert [next(item["version"] for item in found if item["table"] == "flights") for found in parents] == [
        1,
        2,
        3,
        4,
    ]
    assert lake.left_over() == []


def test_earlier_drop_that_nobody_carries_is_carried_first(lake: Any, sample: Any) -> None:
    """Its process died after it was received; whoever comes next takes it along."""
    fifth, sixth = (lake.file(f"flights-2013-{month:02}.csv", sample.month(month)) for month in (5, 6))
    session = Session(lake.settings, lake.repository.endpoint, lake.repository)
    receive(session, "flights", fifth)
    before = drops(lake, "flights")
    results = lake.ingest("flights", sixth)
    assert {result["drop"] for result in results} == {sha(sample.month(5)), sha(sample.month(6))}
    assert drops(lake, "flights") == [*before, sha(sample.month(5)), sha(sample.month(6))]
    assert lake.left_over() == []


def test_blocked_earlier_drop_holds_nobody_up(lake: Any, sample: Any) -> None:
    taken = lake.file("blocked/flights-2013-01.csv", sample.month(7))
    (blocked,) = lake.ingest("flights", taken, code=3)
    assert [hop["verdict"] for hop in blocked["hops"]] == ["passed", "blocked"]
    lake.ingest("flights", lake.file("header-alone.csv", sample.lines(7)[0]), code=3)
    (eighth,) = lake.ingest("flights", lake.file("flights-2013-08.csv", sample.month(8)))
    assert eighth["hops"][1]["version"] is not None
    (seventh,) = lake.ingest("flights", lake.file("flights-2013-07.csv", sample.month(7)))
    assert seventh["hops"][1]["version"] == eighth["hops"][1]["version"] + 1, (
        "under a name of its own it is judged again, and publishes next"
    )


def test_drop_waits_for_its_references_and_follows_by_itself_once_they_are_there(
    empty: Any, sample: Any
) -> None:
    first, second = (empty.file(f"flights-2013-{month:02}.csv", sample.month(month)) for month in (1, 2))
    done = empty.run("ingest", "flights", second, first, "--json")
    assert done.code == 3, done
    assert [result["verdict"] for result in done.json] == ["waiting", "waiting"]
    assert "which has no version yet" in done.err
    assert drops(empty, "flights") == []
    assert len(drops(empty, "flights_raw")) == 2
    for dataset in ("airlines", "airports"):
        (alone,) = empty.ingest(dataset, sample.reference(dataset))
        assert alone["dataset"] == dataset
    results = empty.ingest("planes", sample.reference("planes"))
    assert [result["dataset"] for result in results] == ["planes", "flights", "flights"]
    assert drops(empty, "flights") == [sha(sample.month(1)), sha(sample.month(2))]
    assert drops(empty, "flight_features") == []
    (weather,) = empty.ingest("weather", sample.reference("weather"))
    assert [hop["name"] for hop in weather["hops"] if hop["hop"] == "features"] == [
        "flight_features@v1",
        "flight_features@v2",
    ]
    assert empty.left_over() == []


def test_replace_table_publishes_an_older_content_again_as_a_version_of_its_own(
    lake: Any, sample: Any
) -> None:
    first = sample.reference("airlines").read_bytes()
    other = first.replace(b"Endeavor Air", b"Endeavour")
    assert other != first
    for content in (other, first):
        assert lake.ingest("airlines", lake.file("airlines.csv", content))[0]["verdict"] == "passed"
    versions = lake.run("versions", "airlines", "--json").json
    assert [(item["version"], item["drop"]) for item in versions] == [
        (1, sha(first)),
        (2, sha(other)),
        (3, sha(first)),
    ]
    assert versions[0]["content_hash"] == versions[2]["content_hash"] != versions[1]["content_hash"]
    assert lake.ingest("airlines", lake.file("airlines.csv", first))[0]["verdict"] == "unchanged"
    assert lake.run("verify", "airlines@v1").code == lake.run("verify", "airlines@v3").code == 0


def test_over_a_tenth_set_aside_blocks_a_replace_table(lake: Any, sample: Any) -> None:
    header, *lines = sample.reference("airlines").read_bytes().splitlines(keepends=True)
    before = lake.state()
    one, two = (
        b"".join([header, *(b"toolong," + line.split(b",", 1)[1] for line in lines[:bad]), *lines[bad:]])
        for bad in (1, 2)
    )
    done = lake.run("ingest", "airlines", lake.file("airlines.csv", two), "--json")
    assert done.code == 3, done
    assert (
        "max-quarantined (2 of 16 rows would be quarantined, the contract allows 10%: key 2, carrier-code 2)"
        in done.err
    )
    after = lake.state()
    assert {key: value for key, value in after["tags"].items() if not key.startswith("airlines_raw.")} == {
        key: value for key, value in before["tags"].items() if not key.startswith("airlines_raw.")
    }
    (passed,) = lake.ingest("airlines", lake.file("airlines.csv", one))
    assert (passed["verdict"], passed["hops"][1]["rows_quarantined"]) == ("quarantined", 1)


def test_older_full_delivery_becomes_the_table_again_when_it_is_asked_for(lake: Any, sample: Any) -> None:
    first = sample.reference("airlines")
    short = lake.file("airlines-short.csv", b"".join(first.read_bytes().splitlines(keepends=True)[:-1]))
    lake.ingest("airlines", short)
    unasked = lake.run("ingest", "airlines", first)
    assert (unasked.code, "--force" in unasked.err) == (0, True), unasked
    newest = drops(lake, "airlines")[-1]
    assert newest == sha(short.read_bytes())
    (again,) = lake.ingest("airlines", first, options=("--force",))
    assert again["hops"][1]["verdict"] == "passed"
    assert drops(lake, "airlines")[-1] == sha(first.read_bytes())


def test_corrected_file_of_the_same_name_takes_a_refused_one_off_the_list(lake: Any, sample: Any) -> None:
    def pending() -> int:
        return {item["table"]: item["pending"] for item in lake.run("status", "--json").json["tables"]}[
            "weather"
        ]

    before, content = pending(), sample.reference("weather").read_bytes()
    refused = lake.file("weather-corrected.csv", content.replace(b",", b";"))
    for _ in range(2):
        done = lake.run("ingest", "weather", refused)
        assert (done.code, "Dagster was not notified" in done.err) == (3, False), done
    assert pending() == before + 1
    refused.write_bytes(b"".join(content.splitlines(keepends=True)[:-1]))
    lake.ingest("weather", refused)
    assert pending() == before


def test_those_behind_it_cost_a_drop_nothing(
    lakefs_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand of them asked for each other's order a million times."""
    contracts = tmp_path / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    (contracts / "rides.odcs.yaml").write_text(
        contract_text(writeMode="append", maxQuarantined=1.0, orderBy="ride")
    )
    session = open_session(replace(lakefs_home, project=tmp_path, tenant="behind"), say=print)
    contract, found = session.catalog.get("rides"), []
    for number in range(6):
        (tmp_path / f"{number}.csv").write_text(f"ride,fare\n{number},1.5\n")
        found.append(receive(session, "rides", tmp_path / f"{number}.csv"))
        carry_raw(session, contract, found[-1])
    honest, asked = Calls._once, list[str]()

    def once(calls: Calls, call: Any, doing: str) -> Any:
        asked.append(doing)
        return honest(calls, call, doing)

    for drop in found:  # whoever asks first has to learn where the others stand
        waits_for(session, contract, drop, carry_raw=lambda _: None)
    monkeypatch.setattr(Calls, "_once", once)
    assert waits_for(session, contract, found[0], carry_raw=lambda _: None) is None
    clear_corrected(session, contract, found[0])
    assert len(asked) == 2, asked
    assert "an earlier drop is on its way" in str(
        waits_for(session, contract, found[1], carry_raw=lambda _: None)
    )
