"""Open a published version and read it: Arrow, polars, pandas, or a raw delivery's bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa

from lakegate.errors import Expired, IntegrityError, LakegateError, UsageError, VersionNotFound
from lakegate.home import Home
from lakegate.manifest import DataFile, Manifest, Parent, sha256
from lakegate.named import demand_named
from lakegate.names import VersionName
from lakegate.parquet import PROVENANCE, TYPES, conform, read_groups
from lakegate.proved import Prover
from lakegate.settings import Settings
from lakegate.store import choose_store
from lakegate.window import Window

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

BUFFER = 256 * 1024
"""Bytes of a raw version that are handed from hand to hand at once."""

SHOWN = 5
"""Versions that an error offers instead of the one it can't find."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A version opened for reading; rows come in no promised order, sort where it matters."""

    name: VersionName
    manifest: Manifest = field(repr=False)
    _prover: Prover = field(repr=False)
    _opened: tuple[Path, str] = field(repr=False)
    """Home and tenant that it was opened by."""

    def __reduce__(self) -> tuple[object, ...]:
        """Open it again where it is unpickled, by the settings there: no key is pickled, and no more than its name, home and tenant."""
        return _reopened, (str(self.name), *map(str, self._opened), sha256(self.manifest.to_bytes()))

    @property
    def schema(self) -> list[tuple[str, str]]:
        """Name and type of each of the contract's columns, in contract order."""
        return [(column["name"], column["type"]) for column in self.manifest.schema]

    @property
    def columns(self) -> list[str]:
        """What `arrow()` returns: the contract's columns, then the provenance columns `_drop` and `_row`."""
        return [item.name for item in self._fields()]

    @property
    def files(self) -> list[DataFile]:
        """The version's files."""
        return self.manifest.files

    @property
    def parents(self) -> list[Parent]:
        """The versions that this one was made from or judged against."""
        return self.manifest.parents

    def arrow(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows as an Arrow table, or only the named columns in the order given.

        Raises:
            UsageError: A column isn't there, or the version is a raw delivery.
            IntegrityError: A file is not what the manifest says.
        """
        schema = self._selected(columns)
        return pa.Table.from_batches(self._read(schema), schema)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows in batches of at most 65,536, holding one row group and the bytes of the next; raises as `arrow` does.

        What a batch is made of was proved before it is handed out.
        """
        return self._read(self._selected(columns))

    def polars(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """All rows as a polars frame; raises as `arrow` does."""
        _need("polars")
        import polars as pl

        return cast("pl.DataFrame", pl.from_arrow(self.arrow(columns)))

    def pandas(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """All rows as a pandas frame, integers and booleans in nullable types so that a NULL changes no value; raises as `arrow` does."""
        _need("pandas")
        import pandas as pd

        kept = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
        return cast("pd.DataFrame", self.arrow(columns).to_pandas(types_mapper=kept.get))

    def open(self) -> BinaryIO:
        """The delivered bytes of a raw version, as a seekable binary file; close it after use.

        Of a large one no more than some megabytes are held. They are proved as they are read, so that reading may raise as this does.

        Raises:
            UsageError: The version is a table.
            IntegrityError: The file is not what the manifest says.
        """
        if self.manifest.hop != "raw":
            what = f"{self.name} is a table"
            raise UsageError(
                what,
                fix="read it with .arrow(), .batches(), .polars() or .pandas(); .open() is for raw versions",
            )
        if len(self.files) != 1:
            what = f"a raw version is one file, its manifest lists {len(self.files)}"
            raise IntegrityError(what, where=str(self.name), fix=f"run `lakegate verify {self.name}`")
        return io.BufferedReader(Window(self._prover.open(self.files[0])), BUFFER)

    def _fields(self) -> list[pa.Field]:
        fields = []
        for name, kind in self.schema:
            if kind not in TYPES:
                what = f"column {name} has the unknown type {kind!r}"
                raise IntegrityError(
                    what, where=str(self.name), fix="install a release of lakegate that knows it"
                )
            fields.append(pa.field(name, TYPES[kind]))
        return [*fields, *(pa.field(name, kind) for name, kind in PROVENANCE.items())]

    def _selected(self, columns: Sequence[str] | None) -> pa.Schema:
        if self.manifest.hop == "raw":
            what = f"{self.name} is a raw version: a delivered file, not a table"
            raise UsageError(what, fix="read its bytes with .open()")
        known = {item.name: item for item in self._fields()}
        wanted = list(known) if columns is None else [columns] if isinstance(columns, str) else list(columns)
        if unknown := [name for name in wanted if name not in known]:
            what = f"{self.name} has no column {', '.join(map(repr, unknown))}"
            raise UsageError(what, fix=f"choose from {', '.join(known)}")
        if not wanted or len(set(wanted)) != len(wanted):
            what = f"columns={wanted!r} names a column twice, or none"
            raise UsageError(what, fix="name each column once, or leave columns out for all of them")
        return pa.schema([known[name] for name in wanted])

    def _read(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for group in read_groups(self._prover, self.files, schema.names):
            for batch in group.batches():
                yield conform(batch, schema, where=group.of.where)


def open_snapshot(name: str, *, home: str | Path | None = None, tenant: str | None = None) -> Snapshot:
    """Open a version by its name, for example `open_snapshot("flights@v6").arrow()`.

    Args:
        name: `TABLE@vN`.
        home: The home folder; LAKEGATE_HOME or `.lakegate` where it is left out.
        tenant: Whose lake; LAKEGATE_TENANT or `default` where it is left out.

    Raises:
        VersionNotFound: There is no such version here.
        UsageError: The name is not one, or the home doesn't exist.
        IntegrityError: The manifest is not this version's.
        Expired: It was one, and its contract keeps it no longer.
        Transient: The settings name a lakeFS elsewhere, which doesn't answer.
    """
    version, settings = VersionName.parse(name), Settings.load(home=home, tenant=tenant)
    if not settings.home.format_file.is_file():
        what = f"there is no Lakegate home at {settings.home.root}"
        raise UsageError(
            what,
            fix='name it: open_snapshot(..., home="FOLDER"), --home on the command line, or LAKEGATE_HOME',
        )
    settings.home.check_format()
    copy = settings.home.manifest_copy(settings.tenant, version.table, version.number)
    try:
        raw = copy.read_bytes()
    except FileNotFoundError:
        raise _not_found(version, settings.home, settings.tenant) from None
    except OSError as error:
        what = f"the home's copy of the manifest can't be read ({error.strerror})"
        raise LakegateError(what, where=str(copy), fix="make it readable, or name another home") from error
    manifest = Manifest.from_bytes(
        raw, where=str(copy), earlier=lambda number: _read(copy.with_name(f"v{number}.json"))
    )
    if (manifest.tenant, manifest.name) != (settings.tenant, version):
        what = f"this is the manifest of {manifest.name} of tenant {manifest.tenant}, not of {version} of tenant {settings.tenant}"
        raise IntegrityError(
            what, where=str(copy), fix="delete the copy; `lakegate up` rebuilds it from the lake"
        )
    if (
        ended := _read(settings.home.expiry_copy(settings.tenant, version.table, version.number))
    ) is not None:
        raise Expired.of(version, json.loads(ended), where=str(copy))
    if settings.lakefs is not None:
        demand_named(settings.lakefs, settings.repository, version, manifest_sha256=sha256(raw))
    return Snapshot(
        version,
        manifest,
        Prover(manifest, choose_store(settings, manifest)),
        (settings.home.root, settings.tenant),
    )


def _reopened(name: str, home: str, tenant: str, manifest_sha256: str) -> Snapshot:
    snapshot = open_snapshot(name, home=home, tenant=tenant)
    if sha256(snapshot.manifest.to_bytes()) != manifest_sha256:
        what = f"{name} in this home has another manifest than the one that was pickled"
        raise IntegrityError(
            what, where=home, fix="name the same lake where it is unpickled; `lakegate verify` proves it"
        )
    return snapshot


def _read(copy: Path) -> bytes | None:
    try:
        return copy.read_bytes()
    except OSError:
        return None


def _not_found(version: VersionName, home: Home, tenant: str) -> VersionNotFound:
    folder = home.manifest_copy(tenant, version.table, version.number).parent
    numbers = sorted(int(path.stem[1:]) for path in folder.glob("v*.json") if path.stem[1:].isdecimal())
    rebuild = "`lakegate up` rebuilds the home's copies of the manifests"
    what = f"{version} is not known in {home.root} (tenant {tenant})"
    if numbers:
        near = sorted(sorted(numbers, key=lambda number: abs(number - version.number))[:SHOWN])
        shown = ", ".join(f"{version.table}@v{number}" for number in near)
        return VersionNotFound(
            what,
            fix=f"{len(numbers)} versions are, closest {shown}, latest {version.table}@v{numbers[-1]}; {rebuild}",
        )
    tables = sorted(
        path.name for path in folder.parent.glob("*") if path.is_dir() and any(path.glob("v*.json"))
    )
    listed = get_close_matches(version.table, tables, n=SHOWN) or tables[:SHOWN]
    hint = (
        f"the table has no version here, others have: {', '.join(listed)}"
        if listed
        else f"tenant {tenant} has no version here at all"
    )
    return VersionNotFound(what, fix=f"{hint}; {rebuild}")


def _need(module: str) -> None:
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        what = f"{module} is not installed"
        raise UsageError(what, fix=f"pip install 'lakegate[{module}]', or use .arrow()") from None
