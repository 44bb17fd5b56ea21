"""What raw holds is what was delivered, or the drop goes no further."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.contract import Contract
from expectations.verdict import Verdict
from lake import paths
from lake.hops import raw
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.raw import carry_raw
from lake.hops.receive import receive
from lake.ledger.receipts import Drop
from lake.parsing.parsed import Parsed
from lake.session import Session, open_session
from lakegate.errors import IntegrityError
from lakegate.settings import Settings

pytestmark = pytest.mark.server

READINGS = """
apiVersion: v3.2.0
kind: DataContract
id: readings
name: readings
version: 1.0.0
status: draft
schema:
  - name: readings
    properties:
      - {name: meter, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: value, logicalType: number}
customProperties:
  - {property: writeMode, value: append}
"""


@pytest.fixture
def session(lakefs_home: Settings, tmp_path: Path) -> Session:
    contracts = tmp_path / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    (contracts / "readings.odcs.yaml").write_text(READINGS)
    return open_session(replace(lakefs_home, project=tmp_path), say=print)


def delivered(session: Session, folder: Path, *, first: int) -> Drop:
    file = folder / f"from-{first}.csv"
    file.write_text("meter,value\n" + "".join(f"{first + number},1.5\n" for number in range(1000)))
    return receive(session, "readings", file)


@pytest.mark.parametrize("linked", [True, False])
def test_bytes_that_changed_on_the_way_from_arrival_to_the_gate_are_noticed(
    session: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    linked: bool,
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    if not linked:
        monkeypatch.setattr(os, "link", no_links)
    contract, at = session.catalog.get("readings"), 10_000 * (1 + linked)
    with session.caching():
        well, ill = delivered(session, tmp_path, first=at), delivered(session, tmp_path, first=at + 5000)
        block = session.repository.block("main", paths.raw_object("readings", ill.sha256))
        assert block is not None
        assert session.cache(DeliveryCache).is_copy(ill.sha256, block) is linked
        with block.open("r+b") as file:
            file.seek(-2, 2)
            file.write(b"7")
        assert not session.cache(DeliveryCache).is_copy(ill.sha256, block)
        assert carry_raw(session, contract, well).verdict is Verdict.PASSED
        with pytest.raises(IntegrityError, match="raw holds bytes"):
            carry_raw(session, contract, ill)


def test_bytes_that_change_while_they_are_parsed_are_noticed(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = raw.parse_received

    def parse_and_spoil(session: Session, contract: Contract, drop: Drop) -> Parsed:
        parsed = honest(session, contract, drop)
        block = session.repository.block("main", paths.raw_object("readings", drop.sha256))
        assert block is not None
        with block.open("r+b") as file:
            file.seek(-2, 2)
            file.write(b"7")
        return parsed

    monkeypatch.setattr(raw, "parse_received", parse_and_spoil)
    with session.caching(), pytest.raises(IntegrityError, match="raw holds bytes"):
        carry_raw(session, session.catalog.get("readings"), delivered(session, tmp_path, first=50_000))
