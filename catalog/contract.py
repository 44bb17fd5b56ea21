"""Contracts as plain values: `catalog.odcs.loader` reads them from ODCS YAML, `catalog.files` finds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from catalog.drift import Drift
from catalog.nested import Nested
from catalog.retention import Retention

Kind = Literal["dataset", "feature"]
WriteMode = Literal["append", "upsert", "replace"]
Hop = Literal["raw", "processed", "features"]
Family = Literal["schema", "range", "distribution", "duplicate", "temporal", "consistency"]
Severity = Literal["warn", "trigger", "quarantine", "hold", "block"]
"""What a broken rule does; `trigger` and `hold` are for table rules, `quarantine` for row rules."""
Keep = Literal["none", "first", "last"]
FileKind = Literal["csv"]
"""Formats of delivered files; `lake.parsing.formats` has a module of each one's name."""
ColumnType = Literal["string", "integer", "double", "boolean", "date", "timestamp"]
"""Types of a processed column. `integer` is 64 bit; `timestamp` is UTC with microseconds."""

PERSONAL = frozenset({"personal", "sensitive", "pii"})
"""Classifications whose values appear in data files only (promise P6)."""

Unexpected = Literal["refuse", "ignore", "rescue"]
"""What is done with delivered columns that the contract doesn't name."""
SameName = Literal["refuse", "supersede"]
RESCUED: Final = "_rescued"
"""The column that keeps the values of unexpected columns, where the contract rescues them."""


@dataclass(frozen=True)
class Column:
    """One column; `format` is a Spark datetime pattern where the text is not ISO 8601.

    `nested` is what it holds where that is an object or array: a string column of JSON, as it was delivered.
    """

    name: str
    type: ColumnType
    required: bool = False
    classification: str = "public"
    format: str | None = None
    description: str = ""
    nested: Nested | None = None
    delivered_as: str | None = None
    """The header that brings it, where that is another text than its name (`physicalName`)."""

    @property
    def header(self) -> str:
        """The header that brings it in a delivered file."""
        return self.name if self.delivered_as is None else self.delivered_as

    @property
    def personal(self) -> bool:
        """Whether its values must stay out of logs, results and metadata."""
        return self.classification.lower() in PERSONAL

    @property
    def plain(self) -> bool:
        """Whether its values in plain spelling are typed while a file is parsed."""
        return self.format is None and self.type not in ("string", "boolean")

    @property
    def counted(self) -> bool:
        """Whether histograms count its values: no personal ones, no times, which always grow, and no JSON."""
        return not self.personal and self.nested is None and self.type not in ("date", "timestamp")


@dataclass(frozen=True)
class Relationship:
    """A foreign key: `columns` of this dataset refer to `to_columns` of dataset `to`; NULL passes."""

    columns: tuple[str, ...]
    to: str
    to_columns: tuple[str, ...]
    severity: Severity


@dataclass(frozen=True)
class QualityRule:
    """A rule as the contract states it: a GX expectation type with its arguments."""

    id: str
    hop: Hop
    type: str
    kwargs: dict[str, Any]
    severity: Severity
    family: Family
    line: int


@dataclass(frozen=True)
class FileFormat:
    """How a delivered file is to be read; `max_lines` is how many lines one quoted field may run over."""

    kind: FileKind = "csv"
    delimiter: str = ","
    null_values: tuple[str, ...] = ("",)
    max_lines: int = 1
    max_bytes: int = 2 * 1024**3
    """Most bytes a delivery may unpack to; a compressed one that holds more is refused."""
    max_columns: int = 2000
    max_unreadable: float | None = 0.10
    """Share of unreadable records over which the raw gate blocks the drop; None: no bound."""
    max_unreadable_rows: int | None = None
    """Number of them over which it does; None: no bound."""
    final_line_end: bool = False
    """Whether a file whose last record has no line end is refused."""
    nested: tuple[tuple[str, Nested], ...] = ()
    """The columns that hold JSON, each with what the contract says of its inside."""
    typed: tuple[tuple[str, ColumnType], ...] = ()
    """The columns whose values in plain spelling are typed while the file is parsed."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers and the columns that they bring, where a column's name is another text."""
    known: tuple[str, ...] | None = None
    """The columns that the contract names, where `_rescued` holds the values of all others; else None."""


@dataclass(frozen=True)
class Upsert:
    """How rows of one key follow each other: by column `order`; `tombstone` is SQL of rows that delete it."""

    order: str
    tombstone: str | None = None


@dataclass(frozen=True)
class Contract:
    """One dataset (or feature table): its columns, how it is written, its rules, and its owner.

    `hash` is the SHA-256 of the contract's canonical JSON. `order_by` names the column whose least value
    orders the drops of an append dataset. A feature has `sql` (text), `driver` (one features version per
    version of it) and `inputs` (all tables its SQL reads).
    """

    name: str
    kind: Kind
    path: Path
    hash: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    write_mode: WriteMode
    upsert: Upsert | None = None
    """Where the write mode is upsert."""
    relationships: tuple[Relationship, ...] = ()
    rules: tuple[QualityRule, ...] = ()
    file: FileFormat = field(default_factory=FileFormat)
    order_by: str | None = None
    max_quarantined: float | None = None
    """Share of quarantined rows over which the drop is blocked (table rule); None: no bound.

    Replace tables: 0.10.
    """
    max_quarantined_rows: int | None = None
    """Number of them over which it is; None: no bound."""
    max_shrink: float | None = None
    """Share of its rows that a version which takes the place of the one before may lose; None: no bound.

    Replace and feature tables: 0.5.
    """
    keep: Keep = "none"
    """Which row of a key to keep that comes more than once: by `keep_order`, then by record number."""
    keep_order: tuple[str, ...] = ()
    same_name: SameName = "refuse"
    """What happens to other bytes under the name of a published drop: refused, or they supersede it."""
    unexpected: Unexpected = "refuse"
    """What is done with delivered columns that the contract doesn't name."""
    source: dict[str, Any] = field(default_factory=dict)
    """Where the data comes from: `{"name", "query", "licence"}`, as far as the contract tells."""
    retention: Retention | None = None
    """Which versions are retained; None: all of them."""
    owner: str = ""
    support: str = ""
    """Whom to ask and what to do when the gate refuses, shown with every block."""
    text: str = ""
    """The contract as it was written, with comments: stored as evidence with every version."""
    sql: str | None = None
    sql_path: Path | None = None
    driver: str | None = None
    inputs: tuple[str, ...] = ()
    drift: Drift | None = field(default_factory=Drift)
    """Which rules on drift are made by default; None: none."""

    @property
    def delivered(self) -> tuple[Column, ...]:
        """The columns that a delivery has to bring: all but the one that Lakegate fills itself."""
        return tuple(column for column in self.columns if column.name != RESCUED)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def references(self) -> tuple[str, ...]:
        """Datasets whose pinned versions the rows are judged by: those of relationships and of rules."""
        named = {str(rule.kwargs["reference"]) for rule in self.rules if "reference" in rule.kwargs}
        return tuple(sorted({item.to for item in self.relationships} | named))

    @property
    def drifting(self) -> tuple[Column, ...]:
        """The columns that are compared with the previous and the pinned version by default."""
        if self.drift is None:
            return ()
        if self.drift.columns is not None:
            return tuple(column for column in self.columns if column.name in self.drift.columns)
        others = {*self.key, self.order_by, *self.drift.left_out, *self.drift.calendar}
        return tuple(column for column in self.columns if column.counted and column.name not in others)

    @property
    def seasonal(self) -> tuple[Column, ...]:
        """The columns that are compared with a season before by default: drifting ones and the calendar's."""
        if self.drift is None or self.drift.season is None:
            return ()
        names = {column.name for column in self.drifting} | set(self.drift.calendar)
        return tuple(column for column in self.columns if column.name in names)

    @property
    def nullable(self) -> tuple[Column, ...]:
        """The columns whose shares of NULL are compared by default: nullable ones that drift includes."""
        if self.drift is None or self.drift.nulls is None:
            return ()
        others = {*self.key, self.order_by, RESCUED, *self.drift.left_out}
        return tuple(column for column in self.columns if not column.required and column.name not in others)

    @property
    def with_statistics(self) -> tuple[str, ...]:
        """Columns whose least and greatest value may be in the Delta log.

        Not personal ones (P6) nor JSON, whose unexpected fields nobody classified; not booleans (Delta has
        none for them), and no doubles: statistics leave NaN out, and Sail 0.7.2 reads 1.0 and NaN as a
        constant 1.0 then.
        """
        open_ones = (column for column in self.columns if not column.personal and column.nested is None)
        return tuple(column.name for column in open_ones if column.type not in ("boolean", "double"))

    @property
    def personal(self) -> frozenset[str]:
        """Names of the columns whose values must stay in data files."""
        return frozenset(column.name for column in self.columns if column.personal)
