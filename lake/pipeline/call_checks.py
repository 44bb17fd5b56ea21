"""The checks of a call before any file is taken in: dataset, suites, paths, and corrected drops."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from catalog.contract import Contract
from expectations.building.build import build_suite
from lake.hops.file_names import check_appends, check_corrects
from lake.hops.receive import check_path
from lake.session import Session
from lakegate.errors import UsageError


def check_call(session: Session, dataset: str, paths: Iterable[Path], *, supersede: bool) -> Contract:
    """The contract of a dataset that files are to be taken in for.

    Raises:
        UsageError: There is none, a path can't be taken in, or there is nothing to supersede.
        ContractError: It is broken, or a suite of its rules is.
    """
    contract = require_dataset(session, dataset)
    build_suite(contract, "raw", session.settings.project)
    build_suite(contract, "processed", session.settings.project)
    if supersede:
        check_appends(contract)
    for path in paths:
        check_path(path)
        if supersede:
            check_corrects(session, contract, path)
    return contract


def require_dataset(session: Session, dataset: str) -> Contract:
    """The contract of a dataset that files can be delivered for.

    Raises:
        UsageError: There is none, or it is a feature table's.
        ContractError: It is broken.
    """
    contract = session.catalog.get(dataset)
    if contract.kind != "dataset":
        what = f"{dataset} is a feature table, it is made from other tables"
        raise UsageError(what, fix=f"deliver files of {', '.join(contract.inputs)}")
    return contract
