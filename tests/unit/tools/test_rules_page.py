"""The pages of docs/ that are made from the code say what it does."""

from __future__ import annotations

import importlib.util

import pytest

from tests.support.places import ROOT


@pytest.mark.parametrize("name", ["rules_page", "sql_page"])
def test_list_of_rules_is_what_the_code_says(name: str) -> None:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "run `make docs`"
