"""Open a published version and read it: Arrow, polars, pandas, or a raw delivery's bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa

from lakegate.errors import Expired, IntegrityError, LakegateError, UsageError
from lakegate.files.parquet import PROVENANCE, TYPES, conform, read_groups
from lakegate.files.proved import Prover
from lakegate.files.store import choose_store
from lakegate.files.window import Window
from lakegate.manifest import DataFile, Manifest, Parent, sha256
from lakegate.named import demand_named
from lakegate.names import VersionName
from lakegate.not_found import version_not_found
from lakegate.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

BUFFER = 256 * 1024
"""Bytes of a raw version that are read at once."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A version opened for reading; rows come in no promised order, sort where it matters."""

    name: VersionName
    manifest: Manifest = field(repr=False)
    _prover: Prover = field(repr=False)
    _opened: tuple[Path, str] = field(repr=False)
    """Home and tenant that it was opened by."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle name, home and tenant, but no key: unpickling opens it again, by the settings there."""
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
        """The rows, all proved, in batches of at most 65,536; raises as `arrow` does.

        It holds one row group and the bytes of the next.
        """
        return self._read(self._selected(columns))

    def polars(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """All rows as a polars frame; raises as `arrow` does."""
        _need("polars")
        import polars as pl

        return cast("pl.DataFrame", pl.from_arrow(self.arrow(columns)))

    def pandas(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """All rows as a pandas frame; raises as `arrow` does.

        Integers and booleans have nullable types, so that a NULL changes no value.
        """
        _need("pandas")
        import pandas as pd

        nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
        return cast("pd.DataFrame", self.arrow(columns).to_pandas(types_mapper=nullable.get))

    def open(self) -> BinaryIO:
        """The delivered bytes of a raw version, as a seekable binary file; close it after use.

        Only some megabytes of a large file are held. Its bytes are proved as they are read, so reading may
        raise as this does.

        Raises:
            UsageError: The version is a table.
            IntegrityError: The file is not what the manifest says.
        """
        if self.manifest.hop != "raw":
            fix = "read it with .arrow(), .batches(), .polars() or .pandas(); .open() is for raw versions"
            raise UsageError(f"{self.name} is a table", fix=fix)
        if len(self.files) != 1:
            what = f"a raw version is one file, its manifest lists {len(self.files)}"
            raise IntegrityError(what, where=str(self.name), fix=f"run `lakegate verify {self.name}`")
        return io.BufferedReader(Window(self._prover.open(self.files[0])), BUFFER)

    def _fields(self) -> list[pa.Field]:
        fields = []
        for name, kind in self.schema:
            if kind not in TYPES:
                what, fix = f"column {name} has the unknown type {kind!r}", "install a release of lakegate"
                raise IntegrityError(what, where=str(self.name), fix=f"{fix} that knows it")
            fields.append(pa.field(name, TYPES[kind]))
        return [*fields, *(pa.field(name, kind) for name, kind in PROVENANCE.items())]

    def _selected(self, columns: Sequence[str] | None) -> pa.Schema:
        if self.manifest.hop == "raw":
            what = f"{self.name} is a raw version: a delivered file, not a table"
            raise UsageError(what, fix="read its bytes with .open()")
        known = {item.name: item for item in self._fields()}
        if columns is None:
            columns = list(known)
        wanted = [columns] if isinstance(columns, str) else list(columns)
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
        Expired: Its contract retains it no longer.
        Transient: The settings name an external lakeFS, which doesn't respond.
    """
    version, settings = VersionName.parse(name), Settings.load(home=home, tenant=tenant)
    lake, owner = settings.home, settings.tenant
    if not lake.format_file.is_file():
        fix = 'name it: open_snapshot(..., home="FOLDER"), --home on the command line, or LAKEGATE_HOME'
        raise UsageError(f"there is no Lakegate home at {lake.root}", fix=fix)
    lake.check_format()
    copy = lake.manifest_copy(owner, version.table, version.number)
    try:
        raw = copy.read_bytes()
    except FileNotFoundError:
        raise version_not_found(version, lake, owner) from None
    except OSError as error:
        what = f"the home's copy of the manifest can't be read ({error.strerror})"
        raise LakegateError(what, where=str(copy), fix="make it readable, or name another home") from error

    def earlier(number: int) -> bytes | None:
        return _read(copy.with_name(f"v{number}.json"))

    manifest = Manifest.from_bytes(raw, where=str(copy), earlier=earlier)
    if (manifest.tenant, manifest.name) != (owner, version):
        found = f"this is the manifest of {manifest.name} of tenant {manifest.tenant}"
        what, fix = (
            f"{found}, not of {version} of tenant {owner}",
            "delete the copy; `lakegate up` rebuilds it",
        )
        raise IntegrityError(what, where=str(copy), fix=f"{fix} from the lake")
    if (expiry := _read(lake.expiry_copy(owner, version.table, version.number))) is not None:
        raise Expired.of(version, json.loads(expiry), where=str(copy))
    if settings.lakefs is not None:
        demand_named(settings.lakefs, settings.repository, version, manifest_sha256=sha256(raw))
    return Snapshot(version, manifest, Prover(manifest, choose_store(settings, manifest)), (lake.root, owner))


def _reopened(name: str, home: str, tenant: str, manifest_sha256: str) -> Snapshot:
    snapshot = open_snapshot(name, home=home, tenant=tenant)
    if sha256(snapshot.manifest.to_bytes()) != manifest_sha256:
        what = f"{name} in this home has another manifest than the one that was pickled"
        fix = "name the same lake where it is unpickled; `lakegate verify` proves it"
        raise IntegrityError(what, where=home, fix=fix)
    return snapshot


def _read(copy: Path) -> bytes | None:
    try:
        return copy.read_bytes()
    except OSError:
        return None


def _need(module: str) -> None:
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        what = f"{module} is not installed"
        raise UsageError(what, fix=f"pip install 'lakegate[{module}]', or use .arrow()") from None
