"""A contract beyond its schema: how a dataset is delivered and written; a feature table's SQL and inputs."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Any, Final

from catalog.contract import Contract, FileFormat, Kind
from catalog.documents.document import suggest
from catalog.mistakes import Mistakes
from catalog.odcs import schema
from catalog.odcs.custom_properties import Custom
from catalog.odcs.drift_defaults import drift_of
from catalog.odcs.file_format import file_format
from catalog.odcs.policy import duplicate_keys, max_shrink_of, same_name_of, unexpected_columns, upsert_of
from catalog.queries.feature_sql import read_sql

MAX_QUARANTINED: Final = 0.10
"""Default of a full delivery: to quarantine more of it would take good rows away from readers."""
_SQL_FILE: Final = re.compile(r"[a-z][a-z0-9_]*\.sql")
_SOURCE: Final = ("name", "query", "licence")
_FEATURE_ONLY: Final = ("sql", "driver", "inputs")
_DATASET_ONLY: Final = (
    "orderBy",
    "file",
    "maxQuarantined",
    "duplicateKeys",
    "unexpectedColumns",
    "sameName",
    "upsert",
    "source",
    "drift",
)


def dataset_parts(contract: Contract, custom: Custom, mistakes: Mistakes) -> Contract:
    """The contract of a dataset with its delivery and writing; mistakes are noted and left out."""
    attempt = mistakes.attempt
    _refuse(custom, _FEATURE_ONLY, "feature", mistakes)
    order_by = attempt(partial(_order_by, contract, custom), None)
    share, rows = attempt(partial(custom.budget, "maxQuarantined"), (None, None))
    unbounded = share is None and rows is None
    keep, keep_order = attempt(partial(duplicate_keys, custom, contract), ("none", ()))
    nested = tuple((item.name, item.nested) for item in contract.columns if item.nested)
    typed = tuple((item.name, item.type) for item in contract.columns if item.plain)
    headers = tuple((item.header, item.name) for item in contract.columns if item.delivered_as is not None)
    file = attempt(partial(file_format, custom), FileFormat())
    found = replace(
        contract,
        file=replace(file, nested=nested, typed=typed, headers=headers),
        source=attempt(partial(_source_of, custom), {}),
        drift=attempt(partial(drift_of, custom, contract), None),
        order_by=order_by,
        max_quarantined=MAX_QUARANTINED if unbounded and contract.write_mode == "replace" else share,
        max_quarantined_rows=rows,
        max_shrink=attempt(partial(max_shrink_of, custom, contract), None),
        keep=keep,
        keep_order=keep_order,
        upsert=attempt(partial(upsert_of, custom, contract), None),
        same_name=attempt(partial(same_name_of, custom, contract), "refuse"),
    )
    return attempt(partial(unexpected_columns, custom, found), found)


def _source_of(custom: Custom) -> dict[str, Any]:
    """Where the data comes from.

    Raises:
        ContractError: A key is unknown or its value no text.
    """
    given = custom.mapping("source", _SOURCE)
    for key, value in given.items():
        if not isinstance(value, str):
            raise custom.error("source", f"{key} is {value!r}"[:200], key, fix="write text")
    return dict(given)


def _order_by(contract: Contract, custom: Custom) -> str | None:
    order_by = custom.text("orderBy")
    if order_by is None:
        return None
    column, why = custom.column("orderBy", contract, order_by), ""
    if column.personal:
        why = "is personal"
    elif not column.required:
        why = "may be null"
    elif contract.write_mode == "upsert":
        why = "takes no place: an upsert table takes drops in any order"
    elif contract.write_mode == "replace":
        why = "orders full deliveries"
    if why:
        fix = "order an append dataset by a required column that is not personal"
        raise custom.error("orderBy", f"orderBy {order_by!r} {why}", fix=fix)
    if column.type == "boolean" or column.nested:
        what = f"orderBy {order_by!r} is {'JSON' if column.nested else 'true or false'}, which has no order"
        raise custom.error("orderBy", what, fix="order by a date, a timestamp, a number or text")
    return order_by


def feature_of(contract: Contract, custom: Custom, mistakes: Mistakes) -> Contract:
    """The contract of a feature table with its SQL, driver and inputs; mistakes are noted and left out."""
    _refuse(custom, _DATASET_ONLY, "dataset", mistakes)
    _feature_columns(contract, custom, mistakes)
    contract = replace(contract, max_shrink=mistakes.attempt(partial(max_shrink_of, custom, contract), None))
    contract = mistakes.attempt(partial(_inputs, contract, custom, mistakes), contract)
    return mistakes.attempt(partial(_sql, contract, custom), contract)


def _inputs(contract: Contract, custom: Custom, mistakes: Mistakes) -> Contract:
    for name in _FEATURE_ONLY:
        if name not in custom.found:
            what = f"the feature has no {name!r}"
            mistakes.add(custom.error("kind", what, fix=f"add a custom property {name!r}"))
    driver, inputs = custom.text("driver") or "", custom.texts("inputs")
    if driver not in inputs and {"driver", "inputs"} <= custom.found.keys():
        what = f"the driver {driver!r} is none of the inputs"
        mistakes.add(custom.error("driver", what, fix=suggest(driver, inputs)))
    if len(set(inputs)) != len(inputs) or contract.name in inputs:
        what = "inputs name a table twice, or the feature itself"
        raise custom.error("inputs", what, fix="name each table that the SQL reads once")
    return replace(contract, driver=driver, inputs=inputs)


def _sql(contract: Contract, custom: Custom) -> Contract:
    file = custom.text("sql")
    if file is None:
        return contract
    if not _SQL_FILE.fullmatch(file):
        fix = "name a file in catalog/sql/, such as flight_features.sql"
        raise custom.error("sql", f"sql is {file!r}", fix=fix)
    path = contract.path.parent.parent / "sql" / file
    if not path.is_file():
        present = [item.name for item in path.parent.glob("*.sql")]
        fix = suggest(file, present) if present else "write it"
        raise custom.error("sql", f"{path} is not there", fix=fix)
    return replace(contract, sql=read_sql(path, contract), sql_path=path)


def _feature_columns(contract: Contract, custom: Custom, mistakes: Mistakes) -> None:
    """Refuse what only says how a column is delivered."""
    for place, column in enumerate(contract.columns):
        at, of = (*schema.OBJECT, "properties", place), f"column {column.name!r} of a feature table"
        if column.nested:
            what, fix = f"{of} is an {column.nested.type}", "select its fields as columns of their own"
            mistakes.add(custom.document.error(what, *at, "logicalType", fix=fix))
        if column.delivered_as is not None:
            what, fix = f"{of} has another physicalName", "leave it out: the SQL gives its columns names"
            mistakes.add(custom.document.error(what, *at, "physicalName", fix=fix))
        if column.format:
            what, fix = f"{of} has a format", "leave it out: it says how delivered text is read"
            mistakes.add(custom.document.error(what, *at, "logicalTypeOptions", fix=fix))


def _refuse(custom: Custom, names: tuple[str, ...], kind: Kind, mistakes: Mistakes) -> None:
    other = "dataset" if kind == "feature" else "feature"
    for name in names:
        if name in custom.found:
            what = f"{name!r} means nothing for a {other}"
            mistakes.add(custom.error(name, what, fix=f"remove it, or set kind to {kind}"))
