"""The settings, read from the environment here and nowhere else."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, get_args

from lakegate.errors import UsageError
from lakegate.home import Endpoint, Home
from lakegate.names import checked_name

Engine = Literal["sail", "spark"]
GIB = 1024**3
SHIPPED: Final = Path(__file__).resolve().parent.parent
"""The project that ships with the service: the demo's."""
_WHOLE = re.compile(r"[1-9][0-9]{0,17}\Z")
_NO_PATH: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of line ends, control characters and surrogates."""
_URL = re.compile(r"https?://[^/?#@\s]+/*\Z")


@dataclass(frozen=True)
class Settings:
    """Everything that may differ from one installation to the next. Sizes in bytes."""

    home: Home
    project: Path
    """The folder that holds catalog/contracts/, expectations/suites/ and catalog/sql/."""
    cache: Path
    """Where a lakeFS that was built here lies for the next home."""
    tenant: str = "default"
    engine: Engine = "sail"
    memory: int = 1 * GIB
    """Memory that an engine may use before it spills."""
    lease: int = 20
    """Seconds without a heartbeat after which a lease is free; taking a living holder's costs only work."""
    scratch: Path | None = None
    """Where runs put intermediate files; shared storage on a cluster, `<home>/scratch` by default."""
    lakefs_binary: Path | None = None
    lakefs: Endpoint | None = None
    """An external lakeFS; None means the embedded one."""
    lakefs_namespace: str | None = None
    """Storage namespace prefix on it, for example s3://bucket/lakegate; the tenant is appended."""
    spark_remote: str = "local[2]"
    """Where the Spark engine runs: local[N], or the sc:// address of a Spark Connect server."""
    sail_guard: bool = True
    """Whether Sail excludes other accounts of this machine, or isn't started; possible on Linux alone."""
    shipped: bool = False
    """Whether the project is the shipped one, as none is set and the working directory is none."""

    @property
    def repository(self) -> str:
        """The tenant's lakeFS repository (ids allow no underscore)."""
        return f"lakegate-{self.tenant.replace('_', '-')}"

    @property
    def scratch_dir(self) -> Path:
        """Where runs put intermediate files."""
        return self.scratch or self.home.scratch

    def with_home(self, root: Path) -> Settings:
        """The same settings for another home."""
        return replace(self, home=Home(root))

    @classmethod
    def load(
        cls,
        *,
        home: str | Path | None = None,
        project: str | Path | None = None,
        tenant: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Settings:
        """Settings from arguments first, then LAKEGATE_* of the environment, then defaults.

        Raises:
            UsageError: A setting has a value that it can't have.
        """
        env = os.environ if environ is None else environ
        named = project or env.get("LAKEGATE_PROJECT") or _own_project()
        root = _place(home or env.get("LAKEGATE_HOME") or ".lakegate", of="the home")
        engine = env.get("LAKEGATE_ENGINE", "sail")
        if engine not in get_args(Engine):
            raise UsageError(
                f"LAKEGATE_ENGINE is {engine!r}", fix="use sail (embedded, the default) or spark"
            )
        guard = env.get("LAKEGATE_SAIL_GUARD", "on" if sys.platform == "linux" else "off")
        if guard not in ("on", "off"):
            what = f"LAKEGATE_SAIL_GUARD is {guard!r}"
            fix = "where no other account can run anything on this machine"
            raise UsageError(what, fix=f"use on (the default on Linux), or off {fix}")
        binary, scratch = env.get("LAKEGATE_LAKEFS"), env.get("LAKEGATE_SCRATCH")
        cache = env.get("LAKEGATE_CACHE") or Path(env.get("XDG_CACHE_HOME") or "~/.cache", "lakegate")
        return cls(
            home=Home(root),
            project=_expanded(named or SHIPPED, of="the project").resolve(),
            tenant=checked_name(tenant or env.get("LAKEGATE_TENANT", "default"), kind="tenant"),
            engine="spark" if engine == "spark" else "sail",
            memory=_positive(env, "LAKEGATE_MEMORY", GIB, of="bytes"),
            lease=_positive(env, "LAKEGATE_LEASE", 20, of="seconds"),
            scratch=_place(scratch, of="LAKEGATE_SCRATCH") if scratch else None,
            lakefs_binary=_expanded(binary, of="LAKEGATE_LAKEFS") if binary else None,
            cache=_expanded(cache, of="LAKEGATE_CACHE"),
            lakefs=_external(env),
            lakefs_namespace=env.get("LAKEGATE_LAKEFS_NAMESPACE"),
            spark_remote=env.get("LAKEGATE_SPARK_REMOTE", "local[2]"),
            sail_guard=guard == "on",
            shipped=named is None,
        )


def _place(path: str | Path, *, of: str) -> Path:
    """A folder for engines and servers, which fail at a path with line ends or control characters."""
    found = _expanded(path, of=of).absolute()
    if any(unicodedata.category(character) in _NO_PATH for character in str(found)):
        what = f"{of} lies at {str(found)!r}, which holds a line end or a character that can't be shown"
        raise UsageError(what, fix="name another folder; nothing was made")
    return found


def _expanded(path: str | Path, *, of: str) -> Path:
    """A path with `~` or `~user` replaced by that user's folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        what = f"{of} is {str(path)!r}, and there is no such user"
        fix = "write the path out, or ./ before a folder whose name begins with ~"
        raise UsageError(what, fix=fix) from None


def _external(env: Mapping[str, str]) -> Endpoint | None:
    names = ("LAKEGATE_LAKEFS_URL", "LAKEGATE_LAKEFS_KEY_ID", "LAKEGATE_LAKEFS_SECRET")
    given = [name for name in names if env.get(name)]
    if not given:
        return None
    if missing := [name for name in (*names, "LAKEGATE_LAKEFS_NAMESPACE") if not env.get(name)]:
        what = f"an external lakeFS needs {', '.join(missing)} too"
        raise UsageError(what, fix=f"set all four, or unset {', '.join(given)} to use the embedded one")
    url, key_id, secret = (env[name] for name in names)
    if not _URL.match(url):
        fix = "give scheme, host and port without a path, for example https://lakefs.example.org:8000"
        raise UsageError(f"{names[0]} is {url!r}", fix=fix)
    return Endpoint(url.rstrip("/"), key_id, secret)


def _positive(env: Mapping[str, str], name: str, default: int, *, of: str) -> int:
    text = env.get(name)
    if text is None:
        return default
    if not _WHOLE.match(text):
        raise UsageError(f"{name} is {text!r}", fix=f"give a number of {of} greater than 0")
    return int(text)


def _own_project() -> Path | None:
    """The working directory where it is a lake of the user's own."""
    here = Path.cwd()
    return here if (here / "catalog" / "contracts").is_dir() else None
