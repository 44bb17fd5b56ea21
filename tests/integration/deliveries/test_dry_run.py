"""A dry run says of a file what its hops are going to say, and leaves nothing behind: in the lake,
the ledger or the home.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lake import paths
from lake.decisions.approvals import find_rejectable, reject
from lake.decisions.rollback import roll_back
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.receive import receive
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.ledger.receipts import pending
from lake.pipeline.dry_run import dry_run
from lake.pipeline.ingest import DropResult, ingest
from lake.session import Session, open_session
from lakegate.errors import ContractError, UsageError
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.deliveries.fares import file, state, write_contract

pytestmark = pytest.mark.server


@pytest.fixture
def session(lakefs_home: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    mode = getattr(request, "param", "append")
    write_contract(tmp_path, mode)
    return open_session(
        replace(lakefs_home, project=tmp_path, tenant=f"d{abs(hash(request.node.name)) % 10**8}"), say=print
    )


def said(result: DropResult) -> list[Any]:
    hops = [hop for hop in result.hops if hop.hop != "features"]
    published = ("version", "name", "table")
    return [{name: told for name, told in hop.to_json().items() if name not in published} for hop in hops]


def look(session: Session, path: Path, **how: bool) -> DropResult:
    """What a dry run says, which changes nothing."""
    before = state(session)
    (dry,) = dry_run(session, "fares", [path], **how)
    assert state(session) == before
    return dry


def both(session: Session, path: Path, **how: bool) -> list[str]:
    """The verdicts of a dry run and of the real one, which are the same,
    and so is all that is said of them.
    """
    dry = look(session, path, **how)
    (real, *_) = [item for item in ingest(session, "fares", [path], **how) if item.drop == dry.drop]
    assert said(dry) == said(real)
    assert [hop.counts for hop in dry.hops if hop.verdict == "unchanged"] == [
        hop.counts for hop in real.hops if hop.verdict == "unchanged"
    ]
    return [str(hop.verdict) for hop in dry.hops]


def test_rows_that_are_added(session: Session) -> None:
    first = file(session, "a.csv", "1,1.5,1", "2,2.5,1", "3,free,1")
    assert both(session, first) == ["passed", "quarantined"]
    assert both(session, first) == ["unchanged", "unchanged"]
    corrected = file(session, "a.csv", "1,1.5,1", "2,9.5,1")
    assert both(session, corrected) == ["passed", "blocked"], "the name is taken"
    assert both(session, corrected, supersede=True) == ["unchanged", "passed"]
    assert both(session, file(session, "header.csv")) == ["blocked"]
    assert both(session, file(session, "bad.csv", "7,free,1", "8,free,1", "9,1.5,1")) == ["passed", "blocked"]
    assert both(session, file(session, "other/a.csv", "1,1.5,1", "2,9.5,1")) == ["unchanged", "unchanged"]
    file(session, "bytes.csv").write_bytes(b"\x1f\x8b\x08\x00")
    assert both(session, session.settings.project / "bytes.csv") == ["blocked"]
    held = file(session, "b.csv", "11,1000,2")
    assert both(session, held) == ["passed", "held"]
    assert both(session, held) == ["unchanged", "held"]
    assert both(session, file(session, "c.csv", "21,1.5,3")) == ["passed", "waiting"]
    again = file(session, "d.csv", "1,1.5,1")
    assert both(session, again) == ["passed", "blocked"], "all of its rows are set aside"
    list(
        reject(
            session,
            find_rejectable(session, records.find(session, dataset="fares")[-1].cause),
            reason="a test",
        )
    )
    assert both(session, again) == ["unchanged", "blocked"]
    assert both(session, again, again=True) == ["unchanged", "blocked"]


@pytest.mark.parametrize("session", ["replace"], indirect=True)
def test_table_that_is_replaced(session: Session) -> None:
    """A file that was taken in before is delivered anew by another path, or where somebody asks for it,
    and not else.
    """
    first, second = file(session, "a.csv", "1,1.5,1", "2,2.5,1"), file(session, "b.csv", "1,1.5,1")
    assert both(session, first) == both(session, second) == ["passed", "passed"]
    assert both(session, first) == ["unchanged", "unchanged"]
    assert look(session, first).hops[1].reason == "fares is at v2 since; `--force` delivers this content anew"
    assert both(session, first, again=True) == ["unchanged", "passed"]
    assert both(session, file(session, "other/b.csv", "1,1.5,1")) == ["unchanged", "passed"]
    held = file(session, "c.csv", "1,1000,1")
    assert both(session, held) == ["passed", "held"]
    assert both(session, file(session, "d.csv", "4,1.5,1")) == ["passed", "passed"]
    assert "came of a delivery that was received after this one" in look(session, held).hops[1].reason
    assert both(session, held) == ["unchanged", "unchanged"]
    roll_back(session, VersionName("fares", 1), reason="a test")
    assert both(session, first) == ["unchanged", "passed"]
    for judge in (dry_run, ingest):
        with pytest.raises(UsageError, match="fares has writeMode replace"):
            judge(session, "fares", [second], supersede=True)


@pytest.mark.parametrize("session", ["upsert"], indirect=True)
def test_rows_that_are_merged_by_key(session: Session) -> None:
    assert both(session, file(session, "a.csv", "1,1.5,2", "2,2.5,2")) == ["passed", "passed"]
    late = file(session, "b.csv", "1,9.5,1")
    dry = look(session, late)
    assert "no row was taken, the only one is outdated" in dry.hops[1].reason
    assert dry.hops[1].none_taken
    assert both(session, late) == ["passed", "passed"]
    contract = session.settings.project / "catalog" / "contracts" / "fares.odcs.yaml"
    contract.write_text(
        contract.read_text().replace("    quality:", "      - {name: tip, logicalType: number}\n    quality:")
    )
    fresh = open_session(session.settings, say=print)
    for judge in (dry_run, ingest):
        with pytest.raises(ContractError, match="the contract's columns are not those of fares@v2"):
            judge(fresh, "fares", [late])


def test_drop_that_nobody_carries_is_carried_while_somebody_looks_at_it(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, asked = file(session, "a.csv", "1,1.5,1"), list[bool]()
    drop = receive(session, "fares", path)
    honest, other = DeliveryCache.parsed, open_session(session.settings, say=print)
    monkeypatch.setattr(
        DeliveryCache,
        "parsed",
        lambda *told: asked.append(other.cache(DeliveryCache).elsewhere(drop.sha256)) or honest(*told),
    )
    assert [hop.verdict for hop in look(session, path).hops] == ["passed", "passed"]
    assert asked
    assert not any(asked)
    assert pending(session, "fares") == [drop.sha256]


def test_a_version_that_its_process_died_at_is_left_as_it_is(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merged, without a name: a dry run reads it by its commit, as table and as reference."""
    contracts = session.settings.project / "catalog" / "contracts"
    trips = (contracts / "fares.odcs.yaml").read_text().replace("fares", "trips")
    severity = "customProperties: [{property: severity, value: quarantine}]"
    relation = f"name: fare, logicalType: integer, relationships: [{{to: fares.ride, {severity}}}]"
    (contracts / "trips.odcs.yaml").write_text(trips.replace("name: fare, logicalType: number", relation))
    first, trip = file(session, "a.csv", "1,1.5,1"), file(session, "trips.csv", "7,1,1", "8,2,1")
    with monkeypatch.context() as patched:
        patched.setattr("lake.hops.runner.keep", lambda *_: 1 / 0)
        patched.setattr("lake.lakefs.repository.Repository.tag", lambda *_: 1 / 0)
        patched.setattr("lake.hops.published.give_name", lambda *_: None)
        patched.setattr("lake.hops.published.copy_manifest", lambda *_: None)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                ingest(session, "fares", [first])
    assert session.repository.get_json(MAIN, paths.head("fares")) is not None
    tag = VersionName("fares", 1).tag
    assert session.repository.resolve(tag) is None
    fresh = open_session(session.settings, say=print)
    before = state(fresh)
    for path in (first, file(session, "b.csv", "2,1.5,2")):
        (dry,) = dry_run(fresh, "fares", [path])
        assert dry.verdict == ("unchanged" if path == first else "passed")
    (dry,) = dry_run(fresh, "trips", [trip])
    assert [hop.verdict for hop in dry.hops] == ["passed", "quarantined"]
    assert state(fresh) == before
    (real,) = ingest(fresh, "trips", [trip])
    assert real.hops[1].counts == dry.hops[1].counts
    assert fresh.repository.resolve(tag) is not None
