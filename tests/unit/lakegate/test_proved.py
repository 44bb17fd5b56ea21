"""No byte that was not proved is handed out: every single bit that flips is found, or was not needed."""

import io
import random
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lake.tables.range_hashes import ends_of
from lakegate import proved, ranges, window
from lakegate.errors import IntegrityError
from lakegate.manifest import Proof, sha256
from lakegate.proved import Prover
from lakegate.ranges import Ranges, blocks, measure
from lakegate.store import BlockStore
from tests.support.snapshot_lake import SCHEMA, Lake, damage, rows

pytestmark = pytest.mark.usefixtures("no_settings")

NAMES = [column["name"] for column in SCHEMA]
COUNT = 24_000


def reading(raw):
    return lambda start, stop: memoryview(raw)[start:stop]


def with_proofs(lake, *files):
    """The proofs of files as a publish makes them, in the lake."""
    found = {}
    for file in files:
        raw = lake.block(file).read_bytes()
        digest, found[file.path] = measure(reading(raw), len(raw), ends_of(reading(raw), len(raw)))
        assert digest == file.sha256
    body = ranges.to_bytes(found)
    put = lake.put("proofs.json", body, len(files))
    return Proof("_lakegate/proofs/flights/v1.json", put.physical, put.size, put.sha256, [*found])


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


def parts_of(raw):
    """Of a Parquet file: the bytes of its footer, and of each column's dictionary and data pages, as [start, stop) by name."""
    metadata = pq.read_metadata(io.BytesIO(raw))
    length = int.from_bytes(raw[-8:-4], "little") + 8
    found = {("footer", ""): [(len(raw) - length, len(raw))]}
    for number in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            column = metadata.row_group(number).column(index)
            start = column.dictionary_page_offset or column.data_page_offset
            stop = start + column.total_compressed_size
            if column.dictionary_page_offset:
                found.setdefault(("dictionary", column.path_in_schema), []).append(
                    (start, column.data_page_offset)
                )
            found.setdefault(("data", column.path_in_schema), []).append((column.data_page_offset, stop))
    return found


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
def test_every_flipped_bit_is_found_or_was_not_needed(wide, data):
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
def test_every_flipped_bit_of_the_proofs_is_found(wide, at):
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


@given(
    size=st.integers(1, 4000),
    cuts=st.sets(st.integers(1, 4000)),
    span=st.tuples(st.integers(0, 4000), st.integers(0, 4000)),
)
def test_every_byte_lies_in_one_range_and_a_span_names_those_that_hold_it(size, cuts, span):
    ends = sorted({cut for cut in cuts if cut < size} | {size})
    raw = random.Random(size).randbytes(size)
    digest, found = measure(reading(raw), size, ends)
    assert digest == sha256(raw)
    assert [found.bounds(number) for number in range(len(ends))] == list(zip([0, *ends], ends, strict=False))
    assert all(found.holds(number, raw[slice(*found.bounds(number))]) for number in range(len(ends)))
    start, stop = (min(at, size) for at in sorted(span))
    touched = {
        number
        for number in range(len(ends))
        for first, last in [found.bounds(number)]
        if first < stop and start < last
    }
    assert set(found.over(start, stop)) == (touched if start < stop else set())
    assert ranges.from_bytes(ranges.to_bytes({"a": found}), where="here") == {"a": found}


def test_a_file_is_hashed_the_same_however_it_is_read(monkeypatch):
    raw = random.Random(1).randbytes(10_000)
    told = measure(reading(raw), len(raw), [3000, 3001, 10_000])
    for piece in (1, 7, 2999, 3000, 3001):
        monkeypatch.setattr(ranges, "PIECE", piece)
        assert measure(reading(raw), len(raw), [3000, 3001, 10_000]) == told
    assert measure(reading(raw[:-1]), len(raw), [3000, 3001, 10_000])[0] != told[0]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"format":2,"files":{"a":{"ends":[2,1],"blake3":["x","y"]}}}',
        b'{"format":2,"files":{"a":{"ends":[],"blake3":[]}}}',
        b'{"format":2,"files":{"a":{"ends":[1],"blake3":[]}}}',
    ],
)
def test_proofs_that_can_not_be_read_are_refused(body):
    with pytest.raises(IntegrityError, match="here"):
        ranges.from_bytes(body, where="here")


def test_proofs_of_another_release_leave_the_files_to_be_hashed_whole(lake, monkeypatch):
    pick = random.Random(3)
    file = lake.table("a.parquet", [row | {"delay": pick.random()} for row in rows(0, 60_000)])
    monkeypatch.setattr(ranges, "FORMAT", 1)
    proof = with_proofs(lake, file)
    monkeypatch.undo()
    lake.publish([file], proofs=[proof])
    assert lake.open().arrow(["dest"]).num_rows == 60_000
    damage(lake.block(file), at=1000)
    with pytest.raises(IntegrityError, match="SHA-256"):
        lake.open().arrow(["dest"])


def test_proofs_that_lack_a_file_they_cover_are_a_gap(lake):
    pick = random.Random(3)
    file = lake.table("a.parquet", [row | {"delay": pick.random()} for row in rows(0, 60_000)])
    proof = with_proofs(lake, file)
    other = lake.table("b.parquet", [row | {"delay": pick.random()} for row in rows(0, 60_000)])
    lake.publish([other], proofs=[replace(proof, covers=[other.path])])
    with pytest.raises(
        IntegrityError,
        match=r"flights@v1, flights/b\.parquet: _lakegate/proofs/flights/v1\.json says nothing of this file",
    ):
        lake.open().arrow(["dest"])


def test_one_column_of_a_proved_file_fetches_that_column_and_the_footer(lake, monkeypatch):
    pick = random.Random(5)
    file = lake.table(
        "a.parquet",
        [row | {"delay": pick.random(), "flight": pick.randrange(10**9)} for row in rows(0, 60_000)],
    )
    lake.publish([file], proofs=[with_proofs(lake, file)])
    fetched = []
    run = proved.Proved._run
    monkeypatch.setattr(
        proved.Proved, "_run", lambda self, numbers: fetched.append(numbers) or run(self, numbers)
    )
    assert lake.open().arrow(["late"]).num_rows == 60_000
    assert len(fetched) == 2  # the footer, and the only row group's column
    assert all(len(numbers) == 1 for numbers in fetched)


@pytest.mark.parametrize("step", [1000, 300_000, 2_500_000])
@pytest.mark.parametrize("proofs", [True, False])
def test_a_large_delivery_is_streamed_in_bounded_memory(lake, monkeypatch, step, proofs):
    """Forwards, backwards and from anywhere; and a bit that flips in it is found where it is read."""
    raw = random.Random(11).randbytes(9_000_000)
    file = lake.put("flights.csv", raw, 1)
    monkeypatch.setattr(proved, "WHOLE", 1024**2)
    monkeypatch.setattr(window, "RUN", 2 * 1024**2)
    lake.publish([file], table="flights_raw", hop="raw", proofs=[with_proofs(lake, file)] if proofs else [])
    largest = []
    run = proved.Proved._run
    monkeypatch.setattr(
        proved.Proved,
        "_run",
        lambda self, numbers: largest.append(len((found := run(self, numbers))[1])) or found,
    )
    with lake.open("flights_raw@v1").open() as stream:
        assert b"".join(iter(lambda: stream.read(step), b"")) == raw
        for at in (8_999_999, 4_000_000, 1_048_575, 0):
            stream.seek(at)
            assert stream.read(10) == raw[at : at + 10]
        assert stream.seek(-5, io.SEEK_END) == 8_999_995
        assert stream.read() == raw[-5:]
        assert not stream.writable()
    assert max(largest) <= 3 * 1024**2
    block = lake.block(file)
    block.write_bytes(raw[:5_000_000] + bytes([raw[5_000_000] ^ 4]) + raw[5_000_001:])
    with pytest.raises(IntegrityError, match=r"flights_raw@v1, flights/flights\.csv: "):
        drained(lake.open("flights_raw@v1"), step)


def drained(snapshot, step):
    with snapshot.open() as stream:
        return b"".join(iter(lambda: stream.read(step), b""))


def test_the_ranges_of_a_parquet_file_end_where_columns_and_footer_begin(lake):
    file = lake.table("a.parquet", rows(0, 5000), row_group_size=1000)
    raw = lake.block(file).read_bytes()
    ends = ends_of(reading(raw), len(raw))
    bounds = {
        at
        for kind, spans in parts_of(raw).items()
        if kind[0] != "dictionary"
        for start, stop in spans
        for at in (start, stop)
    }
    starts = {
        start
        for (kind, name), spans in parts_of(raw).items()
        if kind == "data"
        for start, _ in spans
        if ("dictionary", name) in parts_of(raw)
    }
    assert bounds - starts <= set(ends)
    assert ends_of(reading(b"no Parquet at all"), 17) == [17]
    assert blocks(3 * ranges.BLOCK + 1)[-2:] == [3 * ranges.BLOCK, 3 * ranges.BLOCK + 1]
    assert Ranges((5, 9), ("a", "b")).over(4, 6) == range(2)
