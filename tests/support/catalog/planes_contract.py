"""The demo's planes with other policies."""

from __future__ import annotations

import shutil
from pathlib import Path

from ruamel.yaml import YAML

from catalog.contract import Contract
from catalog.odcs.loader import load_contract
from tests.support.places import ROOT


def planes(folder: Path, *words: str) -> Contract:
    """The contract of planes with further custom properties, or other ones."""
    source = ROOT / "catalog" / "contracts" / "planes.odcs.yaml"
    path = folder / "catalog" / "contracts" / "planes.odcs.yaml"
    path.parent.mkdir(parents=True)
    shutil.copytree(ROOT / "catalog" / "sql", folder / "catalog" / "sql")
    yaml = YAML(typ="safe", pure=True)
    data, given = yaml.load(source), [yaml.load(word) for word in words]
    others = [
        item
        for item in data["customProperties"]
        if item["property"] not in {item["property"] for item in given}
    ]
    with path.open("w") as file:
        yaml.dump(data | {"customProperties": [*others, *given]}, file)
    return load_contract(path)
