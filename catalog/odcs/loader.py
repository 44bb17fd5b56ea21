"""Read a contract: ODCS YAML in; plain values out, or all its mistakes, each with file, line and fix."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from catalog.contract import Column, Contract, Kind, QualityRule, WriteMode
from catalog.documents.containment import check_texts, mistakes_in
from catalog.documents.document import Document, Steps, parse_yaml, read_text
from catalog.may_be import as_may_be
from catalog.mistakes import Mistakes
from catalog.odcs import schema
from catalog.odcs.checked_before import mistakes_once
from catalog.odcs.custom_properties import Custom, custom_mistakes, kind_of, read_custom, write_mode_of
from catalog.odcs.dataset_parts import dataset_parts, feature_of
from catalog.odcs.policy import retention_of
from catalog.odcs.quality_rules import quality_rules
from catalog.odcs.relationships import relationships
from catalog.odcs.standard import API_VERSION
from catalog.rules.rule_checks import FEATURE_SEVERITIES, ROW_SEVERITIES
from lakegate.errors import ContractError
from lakegate.names import MAX_NAME, NAME

SUFFIX: Final = ".odcs.yaml"
_DERIVED: Final = ("_raw", "_quarantine")
_NEEDS_KEY: Final = {
    "feature": "a feature table needs",
    "upsert": "writeMode upsert, which keeps the newest row of each key, needs",
}


@lru_cache(maxsize=4096)
def _checked(path: Path, text: str) -> tuple[Document, tuple[tuple[Steps, ContractError], ...]]:
    """A document, and what the standard refuses in it: a process reads the same one again and again."""
    document = parse_yaml(path, text)
    check_texts(document)
    return document, mistakes_once(document, text)


@dataclass(frozen=True)
class Loaded:
    """A contract with its document and the places in it that name other datasets."""

    contract: Contract
    document: Document
    places: dict[str, Steps]
    """By `relationship:<index>` and `inputs`."""


def load_contract(path: Path) -> Contract:
    """Read and check one contract by itself; what it says of other datasets is checked by `catalog.files`.

    Raises:
        ContractError: It has a mistake; the error has file, line and what to do.
    """
    with mistakes_in(path):
        return read_contract(path).contract


def read_contract(path: Path) -> Loaded:
    """Read and check one contract, with the places of names that `catalog.files` looks up.

    Raises:
        ContractError: It has mistakes; the error has file, line and what to do for each.
    """
    document, refused = _checked(path, text := read_text(path))
    mistakes = Mistakes(refused)
    if not isinstance(document.data, dict):
        mistakes.end()
    loaded = mistakes.attempt(partial(_read, path, document, text, mistakes), None)
    mistakes.end()
    if loaded is None:  # nothing of it could be read, and the standard finds nothing wrong
        fix = "report this as a bug of Lakegate, with the contract"
        raise document.error("the contract can't be read", fix=fix)
    return loaded


def _read(path: Path, document: Document, text: str, mistakes: Mistakes) -> Loaded | None:
    attempt = mistakes.attempt
    if not document.data["apiVersion"].startswith("v3."):
        what = f"apiVersion is {document.data['apiVersion']}"
        mistakes.add(document.error(what, "apiVersion", fix=f"use {API_VERSION}"))
    with mistakes.noting():
        for error in custom_mistakes(document):
            mistakes.add(error)
    custom = attempt(partial(read_custom, document), Custom(document, (), {}))
    name: str = attempt(partial(_name, document), dataset_of(path))
    kind: Kind = attempt(partial(kind_of, custom), "dataset")
    if not document.data.get("schema"):  # which `_name` noted
        return None
    columns = attempt(partial(schema.columns, document, mistakes), ())
    about = _About(path, document, text, custom, name, kind)
    if not mistakes.spoilt:
        return _with_columns(about, columns, mistakes)
    loaded, found = None, list[Mistakes]()
    for may_be in as_may_be(columns, mistakes.spoilt):
        found.append(part := mistakes.apart())
        loaded = part.attempt(partial(_with_columns, about, may_be, part), None) or loaded
    everywhere = set.intersection(*({(error.where, error.what) for error in part.found} for part in found))
    for error in found[0].found:
        if (error.where, error.what) in everywhere:
            mistakes.add(error)
    return loaded


class _About(NamedTuple):
    """A contract before its columns are known."""

    path: Path
    document: Document
    text: str
    custom: Custom
    name: str
    kind: Kind


def _with_columns(about: _About, columns: tuple[Column, ...], mistakes: Mistakes) -> Loaded:
    """The contract with these columns, which are as they were read or as they may be."""
    path, document, text, custom, name, kind = about
    attempt = mistakes.attempt
    write_mode: WriteMode | None = attempt(partial(write_mode_of, custom, kind), None)
    needed_by = _NEEDS_KEY.get("feature" if kind == "feature" else write_mode or "")
    key = attempt(partial(schema.key, document, columns, needed_by=needed_by), ())
    severities = FEATURE_SEVERITIES if kind == "feature" else ROW_SEVERITIES
    found = attempt(partial(relationships, document, name, columns, severities, mistakes), [])
    contract = Contract(
        name=name,
        kind=kind,
        path=path,
        hash=_hash(document.data),
        columns=columns,
        key=key,
        write_mode=write_mode or ("upsert" if "upsert" in custom.found else "append"),
        relationships=tuple(item for item, _ in found),
        owner=attempt(partial(_owner, document.data), ""),
        support=attempt(partial(_support, document.data), ""),
        text=text,
    )
    attempt(partial(custom.texts, "accessPatterns"), ())
    contract = replace(contract, retention=attempt(partial(retention_of, custom), None))
    more = feature_of if kind == "feature" else dataset_parts
    contract = attempt(partial(more, contract, custom, mistakes), contract)
    rules: tuple[QualityRule, ...] = attempt(lambda: tuple(quality_rules(document, contract, mistakes)), ())
    contract = replace(contract, rules=rules)
    places = {f"relationship:{i}": (*at, "to") for i, (_, at) in enumerate(found)}
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
        fix = "describe one table under schema; write one contract for each dataset"
        raise document.error(what, "schema", fix=fix)
    table = data["schema"][0]["name"]
    name = data.get("name", table)
    longest = MAX_NAME - max(map(len, _DERIVED))
    if not NAME.match(name) or len(name) > longest:
        fix = f"use a lower-case letter, then letters, digits and _ ({longest} at most)"
        raise document.error(f"{name[:80]!r} can't name a dataset", "name", fix=fix)
    if name.endswith(_DERIVED):
        what = f"{name!r} is the name of another dataset's table"
        raise document.error(what, "name", fix=f"don't end it in {' or '.join(_DERIVED)}")
    if table != name:
        what = f"the table is named {table!r}, the contract {name!r}"
        raise document.error(what, *schema.OBJECT, "name", fix="give both one name")
    return str(name)


def _hash(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _owner(data: dict[str, Any]) -> str:
    team = data.get("team") or {}
    if isinstance(team, dict) and team.get("name"):
        return str(team["name"])
    members = team.get("members", []) if isinstance(team, dict) else team
    return ", ".join(member["username"] for member in members)


def _support(data: dict[str, Any]) -> str:
    lines = []
    for item in data.get("support", ()):
        channel = f"{item['channel']} ({item['url']})" if "url" in item else item["channel"]
        lines.append(f"{channel}: {item['description']}" if item.get("description") else channel)
    return "\n".join(lines)
