"""A snapshot refuses damaged, missing and foreign files before it gives a row of them."""

import json
from dataclasses import replace

import pytest

from lakegate.errors import IntegrityError, LakegateError
from lakegate.manifest import DataFile, sha256
from tests.support.reader.snapshot_lake import damage, rows

pytestmark = pytest.mark.usefixtures("no_settings")


def test_damaged_byte_is_found_before_a_row_is_read(lake):
    good, bad = lake.table("a.parquet", rows(0, 5)), lake.table("b.parquet", rows(5, 5))
    lake.publish([good, bad])
    damage(lake.block(bad))
    with pytest.raises(IntegrityError) as caught:
        lake.open().arrow()
    found = sha256(lake.block(bad).read_bytes())
    assert str(caught.value).startswith(
        f"flights@v1, flights/b.parquet: SHA-256 {bad.sha256} expected, {found} found"
    )


def test_cut_file_is_found_by_its_size(lake):
    file = lake.table("a.parquet", rows(0, 5))
    lake.publish([file])
    lake.block(file).write_bytes(lake.block(file).read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=f"size {file.size} expected, {file.size - 1} found"):
        lake.open().arrow()


def test_missing_file_is_named(lake):
    file = lake.table("a.parquet", rows(0, 5))
    lake.publish([file])
    lake.block(file).unlink()
    with pytest.raises(
        IntegrityError, match=f"flights@v1, flights/a.parquet: the file is missing .*{file.physical}"
    ):
        lake.open().arrow()


def test_rows_that_the_manifest_does_not_count_are_refused_before_they_are_given(lake):
    lake.publish([replace(lake.table("a.parquet", rows(0, 5)), rows=6)])
    with pytest.raises(IntegrityError, match="6 rows expected, 5 found"):
        next(lake.open().batches())


def test_file_that_is_no_parquet_is_refused(lake):
    lake.publish([lake.put("a.parquet", b"not parquet at all", 1)])
    with pytest.raises(IntegrityError, match=r"flights/a\.parquet: the file can't be read as Parquet"):
        lake.open().arrow()


@pytest.mark.parametrize("physical", ["../../outside", "/etc/passwd", "a/../../../outside", "", "a\0b"])
def test_path_out_of_the_store_is_refused(lake, physical):
    (lake.home.root / "outside").write_bytes(b"secret")
    lake.publish([DataFile("flights/a.parquet", physical, 6, sha256(b"secret"), 1)])
    with pytest.raises(IntegrityError, match="leads out of the store"):
        lake.open().arrow()


def test_link_out_of_the_store_is_refused(lake):
    (lake.home.root / "outside").write_bytes(b"secret")
    lake.home.blocks.mkdir()
    (lake.home.blocks / "link").symlink_to(lake.home.root / "outside")
    lake.publish([DataFile("flights/a.parquet", "link", 6, sha256(b"secret"), 1)])
    with pytest.raises(IntegrityError, match="leads out of the store"):
        lake.open().arrow()


def test_manifest_of_another_version_is_refused(lake):
    for version, tenant, table in (
        (2, "default", "flights"),
        (1, "acme", "flights"),
        (1, "default", "planes"),
    ):
        lake.publish(
            [],
            version=version,
            tenant=tenant,
            table=table,
            copy=lake.home.manifest_copy("default", "flights", 1),
        )
        with pytest.raises(
            IntegrityError,
            match=f"manifest of {table}@v{version} of tenant {tenant}, not of flights@v1 of tenant default",
        ):
            lake.open()


def test_manifest_that_is_damaged_or_too_new_is_refused(lake):
    copy = lake.home.manifest_copy("default", "flights", 1)
    lake.publish([])
    copy.write_text(json.dumps({**json.loads(copy.read_bytes()), "format": 3}))
    with pytest.raises(IntegrityError, match="manifest format 3"):
        lake.open()
    copy.write_bytes(b"{")
    with pytest.raises(IntegrityError, match=r"v1\.json"):
        lake.open()
    copy.unlink()
    copy.mkdir()
    with pytest.raises(LakegateError, match="can't be read"):
        lake.open()
