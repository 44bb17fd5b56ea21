"""Contracts become assets: `<dataset>_raw` and `<dataset>` with a partition a drop, one asset a feature."""

# No `from __future__ import annotations` here: Dagster reads the context's annotation, and not as text.
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dagster import (
    AllPartitionMapping,
    AssetDep,
    AssetExecutionContext,
    AssetsDefinition,
    AssetSelection,
    AssetSpec,
    PartitionsDefinition,
    define_asset_job,
    multi_asset,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from assets import resource, run_tags
from assets.asset_bodies import Output, carry_drop, carry_feature
from assets.events.checks import check_specs, source_spec
from assets.events.metadata import table_metadata
from assets.events.triggers import trigger_spec
from assets.partitions import partitions_of
from catalog.contract import Contract, Hop
from catalog.documents.containment import mistakes_in
from catalog.files import Catalog
from expectations.building.build import HOPS, build_suite
from expectations.suite import Suite, table_of
from lakegate.errors import ContractError, LakegateError
from lakegate.media import code, line, markdown, message

KINDS: Final[dict[Hop, set[str]]] = {
    "raw": {"lakefs", "file"},
    "processed": {"lakefs", "deltalake"},
    "features": {"lakefs", "deltalake", "sql"},
}
BROKEN: Final = "broken_contracts"
"""Group of the placeholders of contracts with a mistake."""

_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
"""What Dagster takes for one."""
_NOT_A_NAME: Final = re.compile(r"[^A-Za-z0-9_]+")


@dataclass
class Made:
    """Assets and jobs of the good contracts; for each other one a placeholder that shows its mistake."""

    assets: list[AssetsDefinition] = field(default_factory=list)
    jobs: dict[str, UnresolvedAssetJobDefinition] = field(default_factory=dict)
    """One per contract, by its name: raw and processed of a drop, or a feature's missing versions."""
    triggers: list[AssetSpec] = field(default_factory=list)
    """Of the tables that can raise a retrain trigger."""
    broken: list[AssetSpec] = field(default_factory=list)
    errors: dict[str, ContractError] = field(default_factory=dict)
    """What is wrong with each broken contract (or its suite), by file stem or name."""


def make_assets(catalog: Catalog, project: Path) -> Made:
    """Assets, checks and a job for each contract; a broken one stops no other and is shown with its error."""
    made = Made(errors=dict(catalog.broken))
    taken: set[str] = set()
    for contract in (*catalog.datasets, *catalog.features):
        try:
            with mistakes_in(contract.path):
                taken |= _add(made, contract, catalog, project, taken)
        except ContractError as error:
            made.errors[contract.name] = error
    made.broken = [_placeholder(name, error, taken) for name, error in sorted(made.errors.items())]
    return made


def _add(made: Made, contract: Contract, catalog: Catalog, project: Path, taken: set[str]) -> set[str]:
    """Add what one contract gives, all of it or nothing; the tables that it has."""
    suites = {hop: build_suite(contract, hop, project) for hop in HOPS[contract.kind]}
    tables = {hop: table_of(contract, hop) for hop in suites}
    if clash := taken & set(tables.values()):
        what = f"another contract has a table {clash.pop()!r} too"
        raise ContractError(what, where=str(contract.path), fix="rename one of the two datasets")
    assets = [_asset(contract, hop, suite, catalog) for hop, suite in suites.items()]
    raised = (trigger_spec(contract, tables[hop], suite) for hop, suite in suites.items())
    triggers = [spec for spec in raised if spec is not None]
    text = f"Process one drop of {contract.name} through raw and processed."
    if contract.kind == "feature":
        text = f"Make every version of {contract.name} that is missing."
    job = define_asset_job(
        job_name(contract.name),
        selection=AssetSelection.assets(*tables.values()),
        tags=run_tags.tags_for(contract),
        description=text,
    )
    made.assets += assets
    made.triggers += triggers
    made.jobs[contract.name] = job
    return set(tables.values())


def job_name(name: str) -> str:
    """The job that processes a drop of a dataset, or makes a feature's missing versions."""
    return f"carry_{name}"


def _asset(contract: Contract, hop: Hop, suite: Suite, catalog: Catalog) -> AssetsDefinition:
    table = table_of(contract, hop)
    partitions = partitions_of(contract.name) if contract.kind == "dataset" else None
    checks = check_specs(table, suite, partitions)
    families = [check.name for check in checks]
    if hop == "raw":
        checks = [*checks, source_spec(contract)]

    # can_subset makes the outputs of checks optional: a drop that waits has none.
    @multi_asset(
        name=table,
        specs=[_spec(contract, hop, suite, catalog, partitions)],
        check_specs=checks,
        can_subset=True,
        required_resource_keys={resource.NAME},
    )
    def body(context: AssetExecutionContext) -> Iterator[Output]:
        lake = getattr(context.resources, resource.NAME)
        if hop == "features":
            yield from carry_feature(context, lake, contract, families)
        else:
            yield from carry_drop(context, lake, contract, hop, families)

    return body


def _spec(
    contract: Contract, hop: Hop, suite: Suite, catalog: Catalog, partitions: PartitionsDefinition[str] | None
) -> AssetSpec:
    owner = contract.owner if _EMAIL.fullmatch(contract.owner) else f"team:{line(contract.owner)}"
    return AssetSpec(
        table_of(contract, hop),
        deps=_inputs(contract, hop, catalog),
        skippable=True,
        partitions_def=partitions,
        group_name=contract.name,
        kinds=KINDS[hop],
        owners=[owner] if contract.owner else [],
        tags={"lakegate/dataset": contract.name, "lakegate/hop": hop},
        code_version="-".join([contract.hash[:12], suite.hash[:12]]),
        description=_description(contract, hop),
        metadata=table_metadata(contract, hop, catalog.contracts),
    )


def _inputs(contract: Contract, hop: Hop, catalog: Catalog) -> Sequence[AssetDep]:
    """Tables that a hop reads: the drop's raw version, and the latest version of each reference or input."""
    every = AllPartitionMapping()
    if hop == "raw":
        return []
    if hop == "features":
        known = [catalog.contracts[name] for name in contract.inputs if name in catalog.contracts]
        return [AssetDep(it.name, partition_mapping=every if it.kind == "dataset" else None) for it in known]
    others = [name for name in contract.references if name != contract.name]
    return [AssetDep(f"{contract.name}_raw"), *(AssetDep(name, partition_mapping=every) for name in others)]


def _description(contract: Contract, hop: Hop) -> str:
    if hop == "raw":
        version = "a version is one file whose schema passed the gate"
        return f"Files of {contract.name} as they were delivered; {version}."
    if hop == "features":
        return f"A version for each version of {contract.driver}, from SQL over {', '.join(contract.inputs)}."
    ways = {
        "append": "each drop adds rows",
        "upsert": "the newest row of each key stays",
        "replace": "each drop takes the place of the one before",
    }
    passed = f"Typed rows of {contract.name} that passed the gate ({ways[contract.write_mode]})"
    return f"{passed}; `lakegate quarantine {contract.name}` lists the others."


def _placeholder(name: str, error: LakegateError, taken: set[str]) -> AssetSpec:
    key = _NOT_A_NAME.sub("_", name) or "contract"
    if key in taken:
        key += "_broken"
    metadata: dict[str, Any] = {
        "what": message(error.what),
        "where": line(error.where),
        "what to do": message(error.fix),
    }
    mistakes = [
        f"{markdown(item.what)}\n\nWhere: {code(item.where)}\n\nWhat to do: {markdown(item.fix)}"
        for item in (error, *error.others)
    ]
    text = "\n\n".join(["**The contract has a mistake; no drop of it is processed.**", *mistakes])
    tags = {"lakegate/broken": "true"}
    return AssetSpec(key, group_name=BROKEN, description=text, metadata=metadata, tags=tags)
