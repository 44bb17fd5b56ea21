"""Proofs of byte ranges: what they cover, which are refused, and how little is fetched with them."""

import io
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.tables.range_hashes import ends_of
from lakegate.errors import IntegrityError
from lakegate.files import proved, ranges, window
from lakegate.files.ranges import Ranges, blocks, measure
from lakegate.manifest import sha256
from tests.support.reader.proved_files import parts_of, reading, with_proofs
from tests.support.reader.snapshot_lake import damage, rows

pytestmark = pytest.mark.usefixtures("no_settings")


@given(
    size=st.integers(1, 4000),
    cuts=st.sets(st.integers(1, 4000)),
    span=st.tuples(st.integers(0, 4000), st.integers(0, 4000)),
)
def test_bytes_lie_each_in_one_range_and_a_span_names_those_that_hold_it(size, cuts, span):
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


def test_file_is_hashed_the_same_however_it_is_read(monkeypatch):
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


def test_column_of_a_proved_file_fetches_that_column_and_the_footer(lake, monkeypatch):
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
def test_large_delivery_is_streamed_in_bounded_memory(lake, monkeypatch, step, proofs):
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


def test_ranges_of_a_parquet_file_end_where_columns_and_footer_begin(lake):
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
