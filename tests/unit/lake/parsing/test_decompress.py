"""A delivery is unpacked whole or refused, and never swells beyond its limit."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.contract import FileFormat
from lake.parsing import decompress as unpacking
from lake.parsing.decompress import unpack
from lakegate.errors import DataRejected

TEXT = b"a,b\n" + b"".join(b"%d,%d\n" % (number, number * number) for number in range(2000))


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(1024**2)) for _ in range(size // 1024**2)), packer.flush()])


def deliver(folder: Path, data: bytes, name: str = "drop.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def refused(folder: Path, data: bytes, limit: FileFormat | None = None) -> str:
    with pytest.raises(DataRejected) as caught:
        unpack(deliver(folder, data), folder / "plain", limit=limit or FileFormat())
    assert not (folder / "plain").exists()
    assert caught.value.fix
    return str(caught.value)


def test_plain_file_is_not_copied(tmp_path: Path) -> None:
    raw = deliver(tmp_path, TEXT, "drop.gz")
    found = unpack(raw, tmp_path / "plain", limit=FileFormat())
    assert (found.path, found.size, found.packing) == (raw, len(TEXT), "plain")
    assert not (tmp_path / "plain").exists()


@pytest.mark.parametrize(
    ("data", "packing"),
    [
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]), "gzip"),
        (zipped({"any/name.txt": TEXT}), "zip"),
        (zipped({"x.csv": TEXT}, zipfile.ZIP_STORED), "zip"),
        (zipped({"folder/": b"", "folder/x.csv": TEXT}), "zip"),
        (zipped({"../../../etc/x.csv": TEXT}), "zip"),
        (zipped({"x.csv": TEXT, "__MACOSX/._x.csv": b"\0\5\x16\7", ".DS_Store": b"\0"}), "zip"),
    ],
)
def test_packing_is_told_by_the_bytes(tmp_path: Path, data: bytes, packing: str) -> None:
    found = unpack(deliver(tmp_path, data), tmp_path / "plain", limit=FileFormat())
    assert (found.path, found.packing, found.size) == (tmp_path / "plain", packing, len(TEXT))
    assert found.path.read_bytes() == TEXT
    assert {item.name for item in tmp_path.iterdir()} == {"drop.csv", "plain"}


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.9999])
@pytest.mark.parametrize("packed", [gzip.compress(TEXT), zipped({"x.csv": TEXT})], ids=["gzip", "zip"])
def test_truncated_file_is_refused(tmp_path: Path, packed: bytes, share: float) -> None:
    assert "truncated" in refused(tmp_path, packed[: max(5, int(len(packed) * share))])


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[-6] ^= 1
    assert "gzip is damaged" in refused(tmp_path, bytes(packed))


def test_zip_with_a_bad_checksum_is_refused(tmp_path: Path) -> None:
    packed = bytearray(zipped({"x.csv": TEXT}, zipfile.ZIP_STORED))
    packed[200] ^= 1
    assert "zip is damaged" in refused(tmp_path, bytes(packed))


@pytest.mark.parametrize(("members", "count"), [({}, 0), ({"a.csv": TEXT, "b.csv": TEXT}, 2)])
def test_zip_holds_exactly_one_file(tmp_path: Path, members: dict[str, bytes], count: int) -> None:
    assert f"holds {count} files" in refused(tmp_path, zipped(members))


@pytest.mark.parametrize(
    ("members", "what"),
    [
        (
            ("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"),
            "it is an Excel workbook (.xlsx)",
        ),
        (("[Content_Types].xml", "word/document.xml"), "it is a Word document (.docx)"),
        (("mimetype", "META-INF/manifest.xml", "content.xml"), "it is a LibreOffice document"),
    ],
)
def test_document_that_is_a_zip_inside_is_called_what_it_is(
    tmp_path: Path, members: tuple[str, ...], what: str
) -> None:
    told = refused(tmp_path, zipped(dict.fromkeys(members, b"<x/>")))
    assert what in told
    assert "CSV" in told
    assert "the zip holds" not in told


def test_encrypted_zip_is_refused(tmp_path: Path) -> None:
    packed = bytearray(zipped({"x.csv": TEXT}))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refused(tmp_path, bytes(packed))


def test_zip_whose_member_has_no_name_is_refused(tmp_path: Path) -> None:
    packed = bytearray(zipped({"x.csv": TEXT}))
    packed[packed.index(b"PK\x01\x02") + 46] = 0
    assert "zip is damaged" in refused(tmp_path, bytes(packed))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_method_that_cannot_be_bounded_is_refused(tmp_path: Path, method: int) -> None:
    assert "compression method" in refused(tmp_path, zipped({"x.csv": TEXT}, method))


def test_unpacking_never_goes_beyond_the_limit(tmp_path: Path) -> None:
    limit = FileFormat(max_bytes=len(TEXT) - 1)
    for data in (TEXT, gzip.compress(TEXT), zipped({"x.csv": TEXT})):
        assert "more than" in refused(tmp_path, data, limit)
    assert unpack(
        deliver(tmp_path, TEXT), tmp_path / "plain", limit=FileFormat(max_bytes=len(TEXT))
    ).size == len(TEXT)


def test_bomb_is_stopped_long_before_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "RATIO_FROM", 4 * 1024**2)
    monkeypatch.setattr(unpacking, "CHUNK", 64 * 1024)
    assert "200 times" in refused(tmp_path, bomb(16 * 1024**2))
    below = unpack(deliver(tmp_path, bomb(3 * 1024**2)), tmp_path / "plain", limit=FileFormat())
    assert below.size == 3 * 1024**2


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([gzip.compress(TEXT[:500]), zipped({"x.csv": TEXT[:500]})]), st.data())
def test_damage_is_always_refused_or_harmless(tmp_path: Path, packed: bytes, data: st.DataObject) -> None:
    broken = bytearray(packed)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(4, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = unpack(deliver(tmp_path, bytes(broken)), tmp_path / "plain", limit=FileFormat())
    except DataRejected:
        assert not (tmp_path / "plain").exists()
    else:
        assert found.path.read_bytes() == TEXT[:500]


def test_empty_file_is_plain(tmp_path: Path) -> None:
    assert unpack(deliver(tmp_path, b""), tmp_path / "plain", limit=FileFormat()).size == 0


def test_full_disk_is_not_the_deliverys_fault(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("no /dev/full here")
    raw = deliver(tmp_path, gzip.compress(os.urandom(3 * 1024**2)))
    (tmp_path / "plain").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space"):
        unpack(raw, tmp_path / "plain", limit=FileFormat())
