"""What all measurements share: where the checkout lies, the machine that they ran on, and how they talk."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import psutil

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGES: Final = [
    "deltalake",
    "duckdb",
    "great-expectations",
    "pandera",
    "polars",
    "pyarrow",
    "pysail",
    "pyspark",
    "delta-spark",
]


def say(text: str) -> None:
    """Print progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def parser_of(target: str, description: str | None) -> argparse.ArgumentParser:
    """The command line of a target of `make`; its description is a module's docstring."""
    formatter = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(prog=f"make {target}", description=description, formatter_class=formatter)


def described(machine: dict[str, Any]) -> str:
    """The machine in words."""
    size = f"{machine['cores']} cores, {machine['memory_gib']} GiB"
    return f"{machine['cpu']}, {size}, {machine['system']}, Python {machine['python']}."


def this_machine() -> dict[str, Any]:
    """The machine that this runs on, as pages name it (see `described`)."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next(
        (line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")),
        platform.processor(),
    )
    memory = round(psutil.virtual_memory().total / 1024**3, 1)
    return {
        "cpu": model,
        "cores": psutil.cpu_count(),
        "memory_gib": memory,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def versions(python: str) -> dict[str, str]:
    """The versions of the packages in question, as an interpreter has them."""
    code = (
        "import json,importlib.metadata as m\nfound={}\n"
        f"for name in {PACKAGES!r}:\n"
        "  try: found[name]=m.version(name)\n"
        "  except m.PackageNotFoundError: pass\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found
