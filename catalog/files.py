"""All contracts of a project: each checked by itself, then with the others; a broken one stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from catalog.column_names import suggest_column
from catalog.contract import Contract
from catalog.documents.containment import mistake_of, mistakes_in
from catalog.documents.document import suggest
from catalog.mistakes import joined
from catalog.odcs.checked_before import recall, remember
from catalog.odcs.loader import SUFFIX, Loaded, dataset_of, read_contract
from catalog.queries.feature_sql import unsound_sql
from catalog.rules.references import wrong_reference
from lakegate.errors import ContractError, UsageError

_YAML: Final = (".yaml", ".yml")


@dataclass(frozen=True)
class Catalog:
    """The contracts that can be used, by dataset, and what is wrong with the others, by file stem."""

    contracts: dict[str, Contract]
    broken: dict[str, ContractError]
    declared: dict[str, str] = field(default_factory=dict)
    """File stem of each broken contract whose dataset's name could be read, by that name."""

    def get(self, name: str) -> Contract:
        """The contract of a dataset or feature.

        Raises:
            ContractError: Its contract is broken.
            UsageError: There is none.
        """
        if name in self.contracts:
            return self.contracts[name]
        if (stem := self.declared.get(name, name)) in self.broken:
            raise self.broken[stem]
        known = [*self.contracts, *self.broken]
        raise UsageError(
            f"unknown dataset {name!r}", fix=suggest(name, known) if known else "write a contract"
        )

    @property
    def datasets(self) -> tuple[Contract, ...]:
        """Contracts of delivered data, by name."""
        return tuple(item for _, item in sorted(self.contracts.items()) if item.kind == "dataset")

    @property
    def features(self) -> tuple[Contract, ...]:
        """Contracts of feature tables, by name."""
        return tuple(item for _, item in sorted(self.contracts.items()) if item.kind == "feature")


def load_catalog(project: Path, *, cache: Path | None = None) -> Catalog:
    """Read every contract in `<project>/catalog/contracts/`.

    `cache` is the folder of a home (see `catalog.odcs.checked_before`), which spares judging again what was
    right.

    Raises:
        UsageError: The project has no such folder.
    """
    folder = project / "catalog" / "contracts"
    if not folder.is_dir():
        fix = "run `lakegate init DIR` for a lake of your own, or name one with --project"
        raise UsageError(f"{project} has no folder catalog/contracts", fix=fix)
    loaded: dict[str, Loaded] = {}
    broken: dict[str, ContractError] = {}
    if cache is not None:
        recall(cache)
    for path in sorted(folder.iterdir()):
        if path.suffix not in _YAML or path.name.startswith("."):
            continue
        stem = dataset_of(path)
        if not path.name.isprintable():  # a name that is no UTF-8 isn't either
            what, fix = "the file's name can't be shown", "rename it to <dataset>.odcs.yaml"
            broken[ascii(stem)] = ContractError(what, where=ascii(str(path)), fix=fix)
            continue
        if not path.name.endswith(SUFFIX):
            what, fix = (
                "contracts are files named <dataset>.odcs.yaml",
                f"rename it to {stem.removesuffix('.odcs')}{SUFFIX}",
            )
            broken[path.name] = ContractError(what, where=str(path), fix=fix)
            continue
        try:
            with mistakes_in(path):
                loaded[stem] = read_contract(path)
        except ContractError as error:
            broken[stem] = error
    if cache is not None:
        remember(cache)
    return _together(loaded, broken)


def _together(loaded: dict[str, Loaded], broken: dict[str, ContractError]) -> Catalog:
    """Check the contracts against each other.

    A dataset whose reference's file can't be used is broken; one whose reference is itself broken only by
    what that refers to is not, for its own reference can still be read. A feature is broken by any broken
    input.
    """
    everything, declared = list(loaded.values()), {item.contract.name: stem for stem, item in loaded.items()}

    def refuse(check: Callable[[Loaded, dict[str, Contract]], ContractError | None]) -> bool:
        """Move the contracts in which a check finds a mistake to the broken ones; whether there are any."""
        known = {item.contract.name: item.contract for item in loaded.values()}
        before = len(broken)
        for stem, item in list(loaded.items()):
            if (error := mistake_of(item.contract.path, partial(check, item, known))) is not None:
                broken[stem] = error
                del loaded[stem]
        return len(broken) > before

    refuse(lambda item, _: _declared_twice(item, everything))
    refuse(_unknown_reference)
    refuse(lambda item, known: wrong_reference(item.contract, known))
    refuse(_circle)
    while refuse(_unusable_input) or refuse(lambda item, known: unsound_sql(item.contract, known)):
        pass
    refuse(_circle)
    contracts = {item.contract.name: item.contract for item in loaded.values()}
    unusable = {name: stem for name, stem in declared.items() if name not in contracts}
    return Catalog(contracts, broken, unusable)


def _declared_twice(item: Loaded, everything: Iterable[Loaded]) -> ContractError | None:
    name = item.contract.name
    others = [other for other in everything if other.contract.name == name and other is not item]
    if not others:
        return None
    files = ", ".join(sorted(other.contract.path.name for other in others))
    return item.document.error(f"{files} declares the dataset {name!r} too", "name", fix="keep one of them")


def _unknown_reference(item: Loaded, known: dict[str, Contract]) -> ContractError | None:
    checked = (_unknown_target(item, i, known) for i in range(len(item.contract.relationships)))
    found = [error for error in checked if error is not None]
    return joined(found) if found else None


def _unknown_target(item: Loaded, index: int, known: dict[str, Contract]) -> ContractError | None:
    own, at = item.contract, item.places[f"relationship:{index}"]
    relationship = own.relationships[index]
    target = known.get(relationship.to)
    if own.kind == "feature" and relationship.to not in own.inputs:
        what = f"the relationship points at {relationship.to!r}, which is no input of {own.name}"
        return item.document.error(what, *at, fix=suggest(relationship.to, own.inputs))
    if target is None or (target.kind != "dataset" and own.kind == "dataset"):
        options = [name for name, other in known.items() if other.kind == "dataset" and name != own.name]
        what = f"the relationship points at {relationship.to!r}, which is no dataset with a valid contract"
        fix = f"correct that contract if it is broken, or here: {suggest(relationship.to, options)}"
        return item.document.error(what, *at, fix=fix)
    for column, other in zip(relationship.columns, relationship.to_columns, strict=True):
        if other not in [entry.name for entry in target.columns]:
            fix = suggest_column(other, target.columns)
            return item.document.error(f"{target.name} has no column {other!r}", *at, fix=fix)
        types = own.column(column).type, target.column(other).type
        if types[0] != types[1]:
            what = f"{column} is of type {types[0]}, {target.name}.{other} of type {types[1]}"
            return item.document.error(what, *at, fix="give both the same logicalType")
    return None


def _unusable_input(item: Loaded, known: dict[str, Contract]) -> ContractError | None:
    for name in item.contract.inputs:
        if name not in known:
            what = f"the input {name!r} has no valid contract"
            instead = suggest(name, known.keys() - {item.contract.name})
            fix = f"correct that contract if it is broken, or here: {instead}"
            return item.document.error(what, *item.places["inputs"], fix=fix)
    return None


def _circle(item: Loaded, known: dict[str, Contract]) -> ContractError | None:
    """A dataset that waits for a version of itself, by way of what it refers to or reads."""
    start = item.contract.name
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        contract = known.get(waiting.pop())
        for name in (*contract.references, *contract.inputs) if contract else ():
            if name == start:
                places = item.places
                at = places.get("inputs") or places.get("relationship:0") or ("schema", 0, "quality")
                what = f"{start!r} refers to itself, by way of {sorted(seen) or 'nothing'}"
                return item.document.error(what, *at, fix="break the circle")
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return None
