"""Deliveries that are blocked, made of a month's lines, and what a blocked one is told."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Any


def without_column(lines: list[bytes], position: int) -> bytes:
    return b"".join(
        b",".join(field for index, field in enumerate(line.split(b",")) if index != position)
        for line in lines
    )


def with_column(lines: list[bytes]) -> bytes:
    return b"".join(
        line.rstrip(b"\r\n") + b"," + (b"0" if index else b"surplus") + b"\n"
        for index, line in enumerate(lines)
    )


def half_a_gzip(lines: list[bytes]) -> bytes:
    packed = gzip.compress(b"".join(lines), mtime=0)
    return packed[: len(packed) // 2]


def half_a_zip(lines: list[bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("flights.csv", b"".join(lines))
    return packed.getvalue()[: len(packed.getvalue()) // 2]


def bomb(lines: list[bytes]) -> bytes:
    return gzip.compress(b"".join(lines) + b"0" * (192 * 1024**2), 6, mtime=0)


def million_columns(_: list[bytes]) -> bytes:
    return b",".join(b"column%d" % number for number in range(10**6)) + b"\n" + b"0," * (10**6 - 1) + b"0\n"


def broken(result: dict[str, Any]) -> set[str]:
    return {
        rule["rule"]
        for hop in result["hops"]
        for rule in hop["rules"]
        if rule["failed"] and rule["severity"] == "block"
    }
