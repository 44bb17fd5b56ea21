"""The sensors over a real home: files that land are received, carried, and put away."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from catalog.contract import QualityRule
from lake.decisions import approvals
from lake.ledger.receipts import last_position, pending
from lake.pipeline.ingest import ingest
from lake.sources import Extract
from sensors import landing_sensor
from tests.support.deliveries.list_source import ListSource
from tests.support.orchestration.landing_home import Home

pytestmark = pytest.mark.server


def test_half_written_file_is_not_touched_until_it_stands_still(home: Home) -> None:
    home.sample("airlines", "airlines.csv.part", "airlines.csv")
    home.sample("airlines", ".airlines.csv", "airlines.csv")
    growing = home.put("airlines", "airlines.csv", b"carrier,name\n")
    for _ in range(3):
        assert home.look() == []
        with growing.open("ab") as writer:
            writer.write(b"XX,Ten Air\n")
    assert home.look() == []
    (request,) = home.look()
    assert request.job_name == "carry_airlines"
    assert str(request.partition_key).startswith("airlines.csv~")
    assert home.listed("airlines") == [".airlines.csv", "airlines.csv", "airlines.csv.part"]
    assert not home.run(request)  # its key comes again and again


def test_file_is_carried_and_then_put_away(home: Home) -> None:
    before = home.version("airlines")
    home.sample("airlines", "airlines.csv", "airlines.csv")
    assert home.look() == []
    (request,) = home.look()
    assert home.listed("airlines") == ["airlines.csv"]
    assert home.run(request)
    assert home.look() == []
    assert home.listed("airlines") == [".done/airlines.csv"]
    assert home.version("airlines") == before + 1


def test_same_bytes_again_are_put_away_and_publish_nothing(home: Home) -> None:
    before = home.version("airlines")
    home.sample("airlines", "again.csv", "airlines.csv")
    home.look()
    for request in home.look():  # one, where another delivery of the table is still on its way
        assert home.run(request)
    assert home.look() == []
    assert home.listed("airlines") == [".done/again.csv"]
    assert home.version("airlines") == before


def test_blocked_file_is_put_away_with_a_note_that_quotes_no_value(home: Home) -> None:
    home.put("airlines", "bad.csv", b"carrier\nQQQSECRET\n")
    home.look()
    (request,) = home.look()
    assert not home.run(request)
    assert home.look() == []
    assert home.listed("airlines") == [".blocked/bad.csv", ".blocked/bad.csv.txt"]
    note = (home.landing / "airlines/.blocked/bad.csv.txt").read_text()
    assert "name" in note
    assert home.session.catalog.get("airlines").owner in note
    assert "QQQSECRET" not in note


def test_blocked_file_that_is_put_there_again_is_judged_again(home: Home) -> None:
    home.put("airlines", "bad.csv", b"carrier\nQQQSECRET\n")
    home.look()
    (request,) = home.look()
    assert not home.run(request)


def test_held_file_is_put_away_and_carried_by_the_sensor_once_it_is_approved(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = home.session.catalog.get("airlines")
    many = QualityRule(
        "many", "processed", "expect_table_row_count_to_be_between", {"min_value": 100}, "hold", "schema", 0
    )
    monkeypatch.setitem(
        home.session.catalog.contracts,
        "airlines",
        replace(contract, rules=(*contract.rules, many), max_shrink=None, hash="with-a-hold"),
    )
    held = Home(home.session, home.instance, home.files, clock=home.clock)
    monkeypatch.setattr(landing_sensor.time, "time", lambda: held.clock)
    content, before = b"carrier,name\nAD,Adagio\n", held.version("airlines")
    held.put("airlines", "few.csv", content)
    held.look()
    (request,) = held.look()
    assert not held.run(request)
    assert held.look() == []
    assert held.listed("airlines") == [".blocked/few.csv", ".blocked/few.csv.txt"]
    note = (held.landing / "airlines/.blocked/few.csv.txt").read_text()
    assert "lakegate approve" in note
    assert "put it into the folder" not in note
    found = approvals.find_held(held.session, hashlib.sha256(content).hexdigest())
    approvals._decide(
        held.session,
        found,
        "approved",
        "few it is",
        {"rules": ["many"], "suite_hash": found.body["suite_hash"]},
    )
    (request,) = held.look()
    assert held.run(request)
    assert held.version("airlines") == before + 1


def test_look_that_comes_too_early_asks_for_nothing_twice(home: Home) -> None:
    home.put("airlines", "other.csv", b"carrier,name\nAB,Able\n")
    home.look()
    (first,) = home.look()
    (second,) = home.look()  # the daemon died before it made the run: the same key
    assert first.run_key == second.run_key
    job = home.jobs.job("carry_airlines")
    home.instance.create_run_for_job(job, tags=dict(first.tags))
    assert home.look() == []


def test_drop_whose_runs_die_is_tried_a_few_times_and_then_left(home: Home) -> None:
    home.put("airlines", "unlucky.csv", b"carrier,name\nAC,Accident\n")
    home.look()
    job = home.jobs.job("carry_airlines")
    asked = 0
    while requests := home.look():
        asked += 1
        run = home.instance.create_run_for_job(job, tags=dict(requests[0].tags))
        home.instance.report_run_failed(run)
    assert asked == 3
    assert home.listed("airlines") == ["unlucky.csv"]


def test_folder_that_no_contract_knows_is_left_alone_and_said_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.put("mystery", "a.csv", b"x\n1\n")
    assert home.look() == []
    assert home.look() == []
    assert home.listed("mystery") == ["a.csv"]
    assert home.cursor is not None
    assert "folder mystery" in home.cursor


def test_drops_wait_for_references_and_features_follow(home: Home) -> None:
    home.sample("flights", "flights-2013-01.csv", "flights-2013-01.csv")
    home.look()
    (waits,) = home.look()
    assert home.run(waits)
    assert home.version("flights_raw") == 1
    assert home.version("flights") == 0
    assert home.look() == []
    home.references()
    (again,) = home.look()
    assert again.run_key != waits.run_key
    assert home.run(again)
    assert home.look() == []
    assert home.listed("flights") == [".done/flights-2013-01.csv"]
    (follows,) = home.missing()
    assert home.run(follows)
    assert home.missing() == []
    assert home.version("flight_features") == 1


def test_dagster_is_told_of_what_the_command_line_published(home: Home) -> None:
    home.references()
    month = home.sample("flights", "flights-2013-02.csv", "flights-2013-02.csv")
    ingest(home.session, "flights", [month])
    home.look()
    (tells,) = home.look()
    version = home.version("flights")
    assert home.run(tells)
    assert home.look() == []
    assert home.version("flights") == version
    assert home.listed("flights") == [".done/flights-2013-02.csv"]
    (follows,) = home.missing()
    assert str(follows.run_key).startswith("flight_features:tell ")
    assert home.run(follows)
    assert home.missing() == []


def test_source_with_positions_needs_no_other_sensor(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each delivery is received at the look that finds it; runs that a daemon lost are asked for again."""
    before = home.version("airlines")
    contents = [b"carrier,name\nAE,Aether\n", b"carrier,name\nAF,Afar\n"]
    source = ListSource("airlines", contents, home.landing.parent)
    monkeypatch.setattr(landing_sensor.Tick, "sources", lambda _: iter([source]))
    lost = home.look()
    assert [request.job_name for request in lost] == ["carry_airlines"] * 2
    assert last_position(home.session, "list") == "2"
    while requests := home.look():
        assert home.run(requests[0])
    assert home.version("airlines") == before + 2
    drops = {hashlib.sha256(content).hexdigest() for content in contents}
    assert drops.isdisjoint(pending(home.session, "airlines"))
    assert not any(home.files.parent.rglob("delivery-*.csv"))


def test_file_that_cannot_be_received_keeps_back_the_rest(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pending(home.session, "airlines")
    source = ListSource("mystery", [b"x\n1\n"], home.landing.parent, name="stuck")
    behind = Extract("airlines", home.put("airlines", "behind.csv", b"carrier,name\nAG,Agape\n"), "2", "2")
    monkeypatch.setattr(source, "poll", lambda position: [*ListSource.poll(source, position), behind])
    monkeypatch.setattr(landing_sensor.Tick, "sources", lambda _: iter([source]))
    assert home.look() == []
    assert last_position(home.session, "stuck") == ""
    assert pending(home.session, "airlines") == before
