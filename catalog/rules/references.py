"""The datasets and columns that rules refer to, checked against those datasets' contracts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from catalog.contract import Contract, QualityRule
from catalog.documents.document import suggest
from lakegate.errors import ContractError

_PAIRED: Final = (("on", "reference_on"), ("by", "reference_by"))


def wrong_reference(contract: Contract, known: dict[str, Contract]) -> ContractError | None:
    """The first mistake in a reference: a missing dataset or column, or columns of different types."""
    for rule in contract.rules:
        if "reference" in rule.kwargs and (found := _wrong(contract, rule, known)) is not None:
            what, fix = found
            return ContractError(f"rule {rule.id!r}: {what}", where=f"{contract.path}:{rule.line}", fix=fix)
    return None


def _wrong(contract: Contract, rule: QualityRule, known: dict[str, Contract]) -> tuple[str, str] | None:
    name = rule.kwargs["reference"]
    target = known.get(name)
    if contract.kind == "feature" and name not in contract.inputs:
        why = "a feature table is compared with the versions that it was made from"
        return f"{name!r} is no input of {contract.name}, and {why}", suggest(name, contract.inputs)
    usable = contract.kind == "feature" or (target is not None and target.kind == "dataset")
    if target is None or not usable or name == contract.name:
        options = [
            other.name for other in known.values() if other.kind == "dataset" and other is not contract
        ]
        fix = f"correct that contract if it is broken, or here: {suggest(name, options)}"
        return f"{name!r} is no other dataset with a valid contract", fix
    columns = [column.name for column in target.columns]
    for own, there in _pairs(rule.kwargs):
        if there not in columns:
            return f"{name} has no column {there!r}", suggest(there, columns)
        if contract.column(own).type != target.column(there).type:
            types = contract.column(own).type, target.column(there).type
            what = f"{own} is of type {types[0]}, {name}.{there} of type {types[1]}"
            return what, "compare columns of one type"
    return None


def _pairs(kwargs: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield kwargs["column"], kwargs["reference_column"]
    for own, there in _PAIRED:
        yield from zip(kwargs.get(own, ()), kwargs.get(there, ()), strict=True)
