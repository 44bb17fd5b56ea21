"""A manifest is the same bytes whoever writes it, and is never guessed at."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakegate.errors import IntegrityError
from lakegate.manifest import Counts, DataFile, Manifest, Proof, manifest_path, sha256
from lakegate.names import VersionName
from tests.support.reader.one_manifest import COUNTS, MANIFEST


def test_manifest_comes_back_as_it_was():
    assert Manifest.from_bytes(MANIFEST.to_bytes(), where="here") == MANIFEST


def test_bytes_of_a_manifest_do_not_depend_on_the_order_of_keys():
    shuffled = replace(MANIFEST, source=dict(reversed(list({"a": 1, "b": 2}.items()))))
    assert shuffled.to_bytes() == replace(MANIFEST, source={"a": 1, "b": 2}).to_bytes()


def test_canonical_bytes_never_change_between_releases():
    raw = MANIFEST.to_bytes()
    assert raw.startswith(b'{"attempt":"a1","code":{"commit":null,"diff":null},"content_hash":"')
    assert "flüge.csv".encode() in raw
    assert sha256(raw) == "f02ad6d063fbf7344c4e50f6202af250928c5743b5b494019b5a24969e1844e2"


def test_reading_and_writing_again_gives_the_same_bytes():
    raw = MANIFEST.to_bytes()
    assert Manifest.from_bytes(raw, where="here").to_bytes() == raw


@pytest.mark.parametrize("found", [0, 3, "1", None])
def test_unknown_format_is_refused_by_name(found):
    raw = json.dumps({**json.loads(MANIFEST.to_bytes()), "format": found}).encode()
    with pytest.raises(IntegrityError, match=f"here: manifest format {found!r}"):
        Manifest.from_bytes(raw, where="here")


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"[]", b'"x"', b"null", b"{}", b'{"format":1}', MANIFEST.to_bytes()[:-20]]
)
def test_text_that_is_no_manifest_is_an_integrity_error_that_names_the_place(raw):
    with pytest.raises(IntegrityError, match="here"):
        Manifest.from_bytes(raw, where="here")


@pytest.mark.parametrize("key", ["tenant", "files", "counts", "parents", "drop"])
def test_manifest_that_lacks_a_field_is_refused(key):
    data = json.loads(MANIFEST.to_bytes())
    del data[key]
    with pytest.raises(IntegrityError):
        Manifest.from_bytes(json.dumps(data).encode(), where="here")


def test_names_come_from_table_and_version():
    assert MANIFEST.name == VersionName("flights", 6)
    assert str(MANIFEST.parents[0].name) == "airports@v1"
    assert manifest_path("flights", 6) == "_lakegate/manifests/flights/v6.json"


def test_counts_that_add_up_have_no_gap():
    assert COUNTS.gaps() == []


def test_record_lost_on_the_way_in_is_named():
    (gap,) = replace(COUNTS, records_in=11).gaps()
    assert gap == "11 in != 7 valid + 2 quarantined + 1 unreadable"


def test_row_lost_in_the_table_is_named():
    (gap,) = replace(COUNTS, after=11).gaps()
    assert gap == "11 after != 5 before + 7 inserted - 0 deleted"


def test_valid_row_that_went_nowhere_is_named():
    gaps = replace(COUNTS, inserted=6, after=11).gaps()
    assert gaps == ["7 valid != 6 inserted, updated, unchanged, tombstones and outdated"]


@given(st.tuples(*[st.integers(0, 10**9)] * 9))
def test_equations_both_hold_for_whatever_was_counted_right(terms):
    quarantined, unreadable, before, inserted, deleted, updated, unchanged, tombstones, outdated = terms
    valid = inserted + updated + unchanged + tombstones + outdated
    counts = Counts(
        records_in=valid + quarantined + unreadable,
        valid=valid,
        quarantined=quarantined,
        unreadable=unreadable,
        before=before,
        inserted=inserted,
        deleted=deleted,
        after=before + inserted - deleted,
        updated=updated,
        unchanged=unchanged,
        tombstones=tombstones,
        outdated=outdated,
    )
    assert counts.gaps() == []
    for term in ("records_in", "after", "outdated", "quarantined", "before", "inserted"):
        assert replace(counts, **{term: getattr(counts, term) + 1}).gaps()


def file(number: int) -> DataFile:
    return DataFile(
        f"processed/flights/part-{number:05}.parquet",
        f"lakegate-default/data/{number:020}",
        1000,
        f"{number:064x}",
        10,
    )


MERGED = -1


def proof(number: int, files: list[DataFile]) -> Proof:
    return Proof(
        f"_lakegate/proofs/flights/v{number}.json",
        f"lakegate-default/data/p{number}",
        99,
        "d" * 64,
        [item.path for item in files],
    )


def line(grows: list[int | None], *, proved: bool = False) -> list[Manifest]:
    """Versions of a table that a publish adds so many files to, or merges all but the first of (MERGED),
    or (None) begins anew.
    """
    made: list[Manifest] = []
    for number, grown in enumerate(grows, 1):
        parent, at = (made[-1] if made else None), 10_000 * number
        kept, aside = (parent.files, parent.quarantine) if parent and grown is not None else ([], [])
        kept = kept[:1] if grown == MERGED else kept
        files = [*kept, *map(file, range(at, at + abs(grown or 0)))]
        whole = replace(MANIFEST, version=number, files=files, quarantine=[*aside, file(at + 9999)])
        if proved:
            there = {item.path for item in files}
            before = [item for item in (parent.proofs if parent else ()) if there.intersection(item.covers)]
            whole = replace(
                whole, proofs=[*before, *([proof(number, files[len(kept) :])] if files[len(kept) :] else [])]
            )
        made.append(whole.after(parent))
    return made


@given(grows=st.lists(st.none() | st.integers(MERGED, 3), min_size=1, max_size=40), proved=st.booleans())
def test_manifest_written_as_a_change_is_the_whole_one(grows, proved):
    made = line(grows, proved=proved)
    kept = {item.version: item.to_bytes() for item in made}
    for item in made:
        assert Manifest.from_bytes(kept[item.version], where="here", earlier=kept.get) == item


def test_manifests_of_a_growing_table_stay_small_and_are_read_from_few():
    made = line([1] * 600)
    listed = [len(json.loads(item.to_bytes())["files"]) for item in made]
    assert sum(listed) < 600 * 10
    assert max(len(item.chain) for item in made) <= 10
    assert [len(item.files) for item in made] == list(range(1, 601))


def test_manifests_of_a_table_whose_files_are_merged_stay_small_while_its_quarantine_grows():
    made = line([MERGED if number % 32 == 0 else 1 for number in range(1, 601)])
    listed = [json.loads(item.to_bytes()) for item in made]
    assert max(len(item["files"]) for item in listed) <= 40
    assert sum(len(item["quarantine"]) for item in listed) < 600 * 10
    assert max(len(item.chain) for item in made) <= 10


def test_manifest_of_an_earlier_release_keeps_its_bytes_and_is_gone_on_with():
    """It knew no proofs, and its bases count none."""
    made = line([1] * 6)
    kept = {item.version: item.to_bytes() for item in made}
    assert not any(b"proofs" in raw for raw in kept.values())
    last = Manifest.from_bytes(kept[6], where="here", earlier=kept.get)
    covered = proof(7, last.files)
    after = replace(last, version=7, files=[*last.files, file(7)], proofs=[covered]).after(last)
    found = Manifest.from_bytes(after.to_bytes(), where="here", earlier=kept.get)
    assert found == after
    assert found.proofs == [covered]
    assert covered.file in found.all_files
    assert (covered.file.path, covered.file.rows) == (covered.path, 6)


def test_earlier_manifest_that_is_not_what_it_was_is_noticed():
    made = line([1, 1, 1, 1])
    kept = {item.version: item.to_bytes() for item in made}
    with pytest.raises(IntegrityError, match="flights@v1, whose manifest is missing"):
        Manifest.from_bytes(kept[2], where="here", earlier=lambda _: None)
    with pytest.raises(IntegrityError, match="not what it was"):
        Manifest.from_bytes(
            kept[2], where="here", earlier=lambda number: kept[number].replace(b'"a1"', b'"a2"')
        )


def test_table_that_begins_anew_lists_all_of_its_files():
    made = line([1, 1, None, 1])
    assert [json.loads(item.to_bytes())["format"] for item in made] == [1, 2, 1, 2]
    assert [len(item.chain) for item in made] == [0, 1, 0, 1]
