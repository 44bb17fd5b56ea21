"""One module writes to the terminal; logs and Dagster's Markdown get text written for them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.support.places import ROOT

PACKAGES = ("lakegate", "catalog", "expectations", "lake", "assets", "sensors", "cli")

WRITERS = {"lake/session.py", "lakegate/home.py", "lake/engine/sail_server.py"}
"""Beside cli/terminal.py: two that say something to stderr and use `message`,
and a server that tells its owner its port.
"""


def calls(path: Path) -> list[str]:
    """What a module calls or imports that writes to a terminal."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            told = ast.unparse(node.func)
            if told == "print" or re.fullmatch(
                r"(click\.(echo|secho|style|echo_via_pager|prompt|confirm)|.*sys\.(stdout|stderr)\.write(lines)?|.*\.show)",
                told,
            ):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} {told}")
        names = (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [item.name for item in getattr(node, "names", [])]
            if isinstance(node, ast.Import)
            else []
        )
        found += [
            f"{path.relative_to(ROOT)}:{node.lineno} import {name}"
            for name in names
            if name.split(".")[0] == "rich"
        ]
        if isinstance(node, ast.ImportFrom) and node.module == "click":
            found.append(f"{path.relative_to(ROOT)}:{node.lineno} from click")
    return found


def test_terminal_is_written_to_by_one_module() -> None:
    modules = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    assert len(modules) > 150
    others = [path for path in modules if str(path.relative_to(ROOT)) not in WRITERS | {"cli/terminal.py"}]
    assert [call for path in others for call in calls(path)] == []


def logged(path: Path) -> list[str]:
    """Calls that log what no function of `lakegate.media` wrote."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and re.fullmatch(
            r"(.*\.)?log(\.(debug|info|warning|error|critical|exception))?|.*getLogger\(.*\)\.warning",
            ast.unparse(node.func),
        ):
            bare = [
                ast.unparse(item)
                for item in node.args[1:]
                if not (isinstance(item, ast.Call) and ast.unparse(item.func) in ("line", "message"))
            ]
            if bare or (node.args and not isinstance(node.args[0], ast.Constant | ast.Name)):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} {bare}")
    return found


def test_log_lines_were_written_for_a_log() -> None:
    modules = [path for package in ("assets", "sensors") for path in sorted((ROOT / package).rglob("*.py"))]
    assert [call for path in modules for call in logged(path)] == []


def marked(path: Path) -> list[str]:
    """Markdown that is made of more than what `lakegate.media` wrote."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "MetadataValue.md":
            (value,) = node.args
            if not (
                isinstance(value, ast.Call)
                and ast.unparse(value.func) in ("markdown", "code", "block", "drawn")
            ):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(value)}")
    return found


def test_markdown_for_dagster_is_written_as_markdown() -> None:
    modules = sorted((ROOT / "assets").rglob("*.py"))
    assert [call for path in modules for call in marked(path)] == []
