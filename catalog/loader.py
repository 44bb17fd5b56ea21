"""Read a contract: ODCS YAML in, plain values out, or one error with file, line and what to do."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from catalog import odcs
from catalog.containment import check_texts, mistakes_in
from catalog.contract import Contract, Kind
from catalog.custom import Custom, check_custom, file_format, kind_of, read_custom, source_of, write_mode_of
from catalog.document import Document, Steps, parse_yaml, read_text, suggest
from catalog.drift import drift_of
from catalog.feature_sql import read_sql
from catalog.policy import duplicate_keys, retention_of, same_name_of, unexpected_columns, upsert_of
from catalog.relationships import relationships
from catalog.rules import FEATURE_SEVERITIES, ROW_SEVERITIES
from catalog.standard import API_VERSION, check
from lakegate.names import MAX_NAME, NAME

SUFFIX: Final = ".odcs.yaml"
MAX_QUARANTINED: Final = 0.10
"""A full delivery of which more is set aside would take good rows away from readers."""
_DERIVED: Final = ("_raw", "_quarantine")
_SQL_FILE: Final = re.compile(r"[a-z][a-z0-9_]*\.sql")
_NEEDS_KEY: Final = {"feature": "a feature table needs", "upsert": "writeMode upsert, where the newest row of each key stands, needs"}
_FEATURE_ONLY: Final = ("sql", "driver", "inputs")
_DATASET_ONLY: Final = ("orderBy", "file", "maxQuarantined", "duplicateKeys", "unexpectedColumns", "sameName", "upsert", "source", "drift")


@lru_cache(maxsize=256)
def _checked(path: Path, text: str) -> Document:
    """A document of the standard. A process reads the same one at each command, tick and run: forty milliseconds each time."""
    document = parse_yaml(path, text)
    check_texts(document)
    check(document)
    return document


@dataclass(frozen=True)
class Loaded:
    """A contract with its document and where in it the names of other datasets stand."""

    contract: Contract
    document: Document
    places: dict[str, Steps]
    """By `relationship:<index>` and `inputs`."""


def load_contract(path: Path) -> Contract:
    """Read and check one contract by itself; what it says of other datasets is checked by `catalog.files`.

    Raises:
        ContractError: It has a mistake; the error tells file, line and what to do.
    """
    with mistakes_in(path):
        return read_contract(path).contract


def read_contract(path: Path) -> Loaded:
    """Read and check one contract, keeping the places of names that `catalog.files` looks up.

    Raises:
        ContractError: It has a mistake; the error tells file, line and what to do.
    """
    document = _checked(path, text := read_text(path))
    if not document.data["apiVersion"].startswith("v3."):
        what = f"apiVersion is {document.data['apiVersion']}"
        raise document.error(what, "apiVersion", fix=f"use {API_VERSION}")
    check_custom(document)
    custom = read_custom(document)
    name, kind = _name(document), kind_of(custom)
    columns = odcs.columns(document)
    write_mode = write_mode_of(custom, kind)
    key = odcs.key(document, columns, needed_by=_NEEDS_KEY.get("feature" if kind == "feature" else write_mode))
    found = list(relationships(document, name, columns, FEATURE_SEVERITIES if kind == "feature" else ROW_SEVERITIES))
    for i, (item, at) in enumerate(found):
        if any((item.columns, item.to) == (other.columns, other.to) for other, _ in found[:i]):
            what = f"{', '.join(item.columns)} points at {item.to} twice"
            raise document.error(what, *at, "to", fix="keep one of the relationships")
    places = {f"relationship:{i}": (*at, "to") for i, (_, at) in enumerate(found)}
    contract = Contract(
        name=name,
        kind=kind,
        path=path,
        hash=_hash(document.data),
        columns=columns,
        key=key,
        write_mode=write_mode,
        relationships=tuple(item for item, _ in found),
        owner=_owner(document.data),
        support=_support(document.data),
        text=text,
    )
    custom.texts("accessPatterns")
    contract = replace(contract, retention=retention_of(custom))
    contract = _feature(contract, custom) if kind == "feature" else _dataset(contract, custom)
    contract = replace(contract, rules=tuple(odcs.rules(document, contract)))
    if "inputs" in custom.found:
        places["inputs"] = custom.found["inputs"][1]
    return Loaded(contract, document, places)


def dataset_of(path: Path) -> str:
    """The dataset that a contract's file is named after."""
    return path.name.removesuffix(SUFFIX).removesuffix(path.suffix)


def _name(document: Document) -> str:
    data = document.data
    if not data.get("schema") or len(data["schema"]) != 1:
        what = f"the contract describes {len(data.get('schema', ()))} tables"
        raise document.error(what, "schema", fix="describe one table under schema; write one contract for each dataset")
    table = data["schema"][0]["name"]
    name = data.get("name", table)
    longest = MAX_NAME - max(map(len, _DERIVED))
    if not NAME.match(name) or len(name) > longest:
        what = f"{name[:80]!r} can't name a dataset"
        raise document.error(what, "name", fix=f"use a lower-case letter, then letters, digits and _ ({longest} at most)")
    if name.endswith(_DERIVED):
        what = f"{name!r} is the name of another dataset's table"
        raise document.error(what, "name", fix=f"don't end it in {' or '.join(_DERIVED)}")
    if table != name:
        what = f"the table is named {table!r}, the contract {name!r}"
        raise document.error(what, *odcs.OBJECT, "name", fix="give both one name")
    return str(name)


def _dataset(contract: Contract, custom: Custom) -> Contract:
    _refuse(custom, _FEATURE_ONLY, "feature")
    order_by, names = custom.text("orderBy"), [column.name for column in contract.columns]
    if order_by is not None:
        if order_by not in names:
            raise custom.error("orderBy", f"{contract.name} has no column {order_by!r}", fix=suggest(order_by, names))
        column = contract.column(order_by)
        if column.personal or not column.required or contract.write_mode != "append":
            later = (
                "takes no place: an upsert table takes drops in any order" if contract.write_mode == "upsert" else "orders full deliveries"
            )
            why = "is personal" if column.personal else "may be null" if not column.required else later
            fix = "order an append dataset by a required column that is not personal"
            raise custom.error("orderBy", f"orderBy {order_by!r} {why}", fix=fix)
    share, rows = custom.budget("maxQuarantined")
    unbounded = share is None and rows is None
    keep, keep_order = duplicate_keys(custom, contract)
    nested = tuple((item.name, item.nested) for item in contract.columns if item.nested)
    typed = tuple((item.name, item.type) for item in contract.columns if item.plain and (item.name, item.type) != (order_by, "double"))
    headers = tuple((item.header, item.name) for item in contract.columns if item.delivered_as is not None)
    found = replace(
        contract,
        file=replace(file_format(custom), nested=nested, typed=typed, headers=headers),
        source=source_of(custom),
        drift=drift_of(custom, contract),
        order_by=order_by,
        max_quarantined=MAX_QUARANTINED if unbounded and contract.write_mode == "replace" else share,
        max_quarantined_rows=rows,
        keep=keep,
        keep_order=keep_order,
        upsert=upsert_of(custom, contract),
        same_name=same_name_of(custom, contract),
    )
    return unexpected_columns(custom, found)


def _feature(contract: Contract, custom: Custom) -> Contract:
    _refuse(custom, _DATASET_ONLY, "dataset")
    _feature_columns(contract, custom)
    for name in _FEATURE_ONLY:
        if name not in custom.found:
            raise custom.error("kind", f"the feature has no {name!r}", fix=f"add a custom property {name!r}")
    file, driver, inputs = custom.text("sql") or "", custom.text("driver") or "", custom.texts("inputs")
    if not _SQL_FILE.fullmatch(file):
        raise custom.error("sql", f"sql is {file!r}", fix="name a file in catalog/sql/, such as flight_features.sql")
    if driver not in inputs:
        raise custom.error("driver", f"the driver {driver!r} is none of the inputs", fix=suggest(driver, inputs))
    if len(set(inputs)) != len(inputs) or contract.name in inputs:
        raise custom.error("inputs", "inputs name a table twice, or the feature itself", fix="name each table that the SQL reads once")
    path = contract.path.parent.parent / "sql" / file
    if not path.is_file():
        present = [item.name for item in path.parent.glob("*.sql")]
        raise custom.error("sql", f"{path} is not there", fix=suggest(file, present) if present else "write it")
    contract = replace(contract, driver=driver, inputs=inputs)
    return replace(contract, sql=read_sql(path, contract), sql_path=path)


def _feature_columns(contract: Contract, custom: Custom) -> None:
    """Refuse what only says how a column is delivered."""
    for place, column in enumerate(contract.columns):
        if column.nested:
            what, fix = f"column {column.name!r} of a feature table is an {column.nested.type}", "select its fields as columns of their own"
            raise custom.document.error(what, *odcs.OBJECT, "properties", place, "logicalType", fix=fix)
        if column.delivered_as is not None:
            what, fix = (
                f"column {column.name!r} of a feature table has another physicalName",
                "leave it out: the SQL gives its columns names",
            )
            raise custom.document.error(what, *odcs.OBJECT, "properties", place, "physicalName", fix=fix)
        if column.format:
            what, fix = f"column {column.name!r} of a feature table has a format", "leave it out: it says how delivered text is read"
            raise custom.document.error(what, *odcs.OBJECT, "properties", place, "logicalTypeOptions", fix=fix)


def _refuse(custom: Custom, names: tuple[str, ...], kind: Kind) -> None:
    for name in names:
        if name in custom.found:
            other = "dataset" if kind == "feature" else "feature"
            raise custom.error(name, f"{name!r} means nothing for a {other}", fix=f"remove it, or set kind to {kind}")


def _hash(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _owner(data: dict[str, Any]) -> str:
    team = data.get("team") or {}
    if isinstance(team, dict) and team.get("name"):
        return str(team["name"])
    members = team.get("members", []) if isinstance(team, dict) else team
    return ", ".join(member["username"] for member in members)


def _support(data: dict[str, Any]) -> str:
    return "\n".join(
        f"{item['channel']}{' (' + item['url'] + ')' if 'url' in item else ''}: {item.get('description', '')}".removesuffix(": ")
        for item in data.get("support", ())
    )
