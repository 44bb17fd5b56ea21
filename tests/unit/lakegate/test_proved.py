"""No byte that was not proved is handed out: every single bit that flips is found, or was not needed."""

import random
from dataclasses import dataclass, replace

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakegate.errors import IntegrityError
from lakegate.files import proved, ranges
from lakegate.files.proved import Prover
from lakegate.files.store import BlockStore
from lakegate.manifest import Proof
from tests.support.reader.proved_files import parts_of, with_proofs
from tests.support.reader.snapshot_lake import SCHEMA, Lake, rows

pytestmark = pytest.mark.usefixtures("no_settings")

NAMES = [column["name"] for column in SCHEMA]
COUNT = 24_000


@dataclass
class Wide:
    """A version of a file of several row groups, and the bytes of each part of it."""

    lake: object
    file: object
    expected: pa.Table
    parts: dict
    proof: Proof | None
    limits: dict

    def read(self, columns, snapshot=None):
        """The rows, as a reader with these limits reads them."""
        with pytest.MonkeyPatch.context() as patch:
            for (module, name), value in self.limits.items():
                patch.setattr(module, name, value)
            return (snapshot or self.lake.open()).arrow(columns)

    def flipped(self, bit, columns):
        """What a read of columns gives, while one bit of the file is another: its rows, or the error."""
        block = self.lake.block(self.file)
        with block.open("r+b") as file:
            file.seek(bit // 8)
            was = file.read(1)
            file.seek(bit // 8)
            file.write(bytes([was[0] ^ 1 << bit % 8]))
        try:
            return self.read(columns)
        except IntegrityError as error:
            return error
        finally:
            with block.open("r+b") as file:
                file.seek(bit // 8)
                file.write(was)


@pytest.fixture(scope="module", params=["ranges", "whole", "twice"])
def wide(request, tmp_path_factory):
    # What is too large to be held is read twice: so small are these limits then.
    limits = {(proved, "WHOLE"): 0, (ranges, "BLOCK"): 50_000} if request.param == "twice" else {}
    lake = Lake(tmp_path_factory.mktemp("wide") / "home")
    pick = random.Random(7)
    data = [
        row | {"flight": pick.randrange(10**9), "delay": pick.random(), "dest": pick.choice("ABCDEFGH")}
        for row in rows(0, COUNT)
    ]
    file = lake.table("a.parquet", data, row_group_size=COUNT // 3, compression="snappy")
    raw = lake.block(file).read_bytes()
    assert len(raw) > ranges.SMALL
    proof = with_proofs(lake, file) if request.param == "ranges" else None
    lake.publish([file], proofs=[proof] if proof else [])
    parts = parts_of(raw)
    assert {kind for kind, _ in parts} == {"footer", "dictionary", "data"}
    return Wide(lake, file, lake.open().arrow(), parts, proof, limits)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_flipped_bit_is_always_found_or_was_not_needed(wide, data):
    kind, name = data.draw(st.sampled_from(sorted(wide.parts)))
    start, stop = data.draw(st.sampled_from(wide.parts[kind, name]))
    bit = data.draw(st.integers(8 * start, 8 * stop - 1))
    columns = data.draw(st.lists(st.sampled_from([*NAMES, "_row"]), min_size=1, unique=True))
    found = wide.flipped(bit, columns)
    needed = wide.proof is None or kind == "footer" or name in columns
    if needed:
        assert isinstance(found, IntegrityError), f"bit {bit} of {kind} {name}"
        assert str(found).startswith("flights@v1, flights/a.parquet: ")
    else:
        assert found.equals(wide.expected.select(columns))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True))
def test_flipped_bit_of_the_proofs_is_always_found(wide, at):
    if wide.proof is None:
        return
    block = wide.lake.home.blocks / wide.proof.physical
    sound = block.read_bytes()
    bit = int(at * 8 * len(sound))
    block.write_bytes(sound[: bit // 8] + bytes([sound[bit // 8] ^ 1 << bit % 8]) + sound[bit // 8 + 1 :])
    try:
        with pytest.raises(IntegrityError, match=r"flights@v1, _lakegate/proofs/flights/v1\.json: SHA-256"):
            wide.lake.open().arrow(["dest"])
    finally:
        block.write_bytes(sound)


class Turning:
    """A store whose bytes change after they were read so many times."""

    def __init__(self, store, times):
        self.store, self.left = store, times

    def open_unproved(self, file):
        handle = self.store.open_unproved(file)
        return TurningFile(self, handle)

    def fault(self, file, error):
        raise AssertionError(file) from error


class TurningFile:
    def __init__(self, store, handle):
        self.store, self.handle = store, handle
        self.size, self.close = handle.size, handle.close

    def get_stream(self, start, count):
        raw = bytearray(self.handle.read_at(count, start))
        self.store.left -= 1
        if self.store.left < 0:
            raw[len(raw) // 2] ^= 1
        return pa.BufferReader(bytes(raw))


@pytest.mark.parametrize("times", [0, 1, 2, 3, 5, 8, 13, 21])
def test_bytes_that_change_between_the_hash_and_the_read_are_not_handed_out(wide, times):
    snapshot = wide.lake.open()
    store = Turning(BlockStore(wide.lake.home.blocks, snapshot.name), times)
    try:
        found = wide.read(None, replace(snapshot, _prover=Prover(snapshot.manifest, store)))
    except IntegrityError:
        found = None
    assert (found is None) == (store.left < 0)
    assert found is None or found.equals(wide.expected)
