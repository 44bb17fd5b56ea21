"""A contract whose columns come under other headers, and what is staged of a text with it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from catalog.contract import Contract, FileFormat
from catalog.odcs.loader import load_contract
from expectations.building.build import build_suite
from expectations.verdict import Verdict, verdict_of
from lake.hops.gate.messages import blocked_message
from lake.hops.raw import judge_raw
from lake.parsing.csv.parse import parse
from lake.parsing.parsed import Parsed

CONTRACT = """apiVersion: v3.2.0
kind: DataContract
id: orders
name: orders
version: 1.0.0
status: active
schema:
- name: orders
  properties:
  - {name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
COLUMNS
customProperties:
- {property: writeMode, value: append}
MORE"""


def contract(folder: Path, *columns: str, more: str = "") -> Contract:
    path = folder / "orders.odcs.yaml"
    body = CONTRACT.replace(
        "COLUMNS", "\n".join(f"  - {{logicalType: string, {column}}}" for column in columns)
    ).replace("MORE", more)
    path.write_text(body, encoding="utf-8")
    return load_contract(path)


def staged(text: str, format: FileFormat) -> tuple[Parsed, list[dict[str, Any]]]:  # noqa: A002
    with tempfile.TemporaryDirectory() as folder:
        path, into = Path(folder, "drop.csv"), Path(folder, "staging.parquet")
        path.write_text(text, encoding="utf-8", newline="")
        found = parse(path, format, into=into)
        return found, pq.read_table(into).drop_columns(["_row"]).to_pylist() if into.exists() else []


def refused(made: Contract, text: str) -> str:
    outcomes = judge_raw(build_suite(made, "raw", made.path.parent), staged(text, made.file)[0])
    return blocked_message(made, outcomes) if verdict_of(outcomes, quarantined=0) is Verdict.BLOCKED else ""
