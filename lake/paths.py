"""The paths in the tree of a tenant's repository."""

from __future__ import annotations

from typing import Final

LEDGER: Final = "ledger"
"""Branch of the execution-state records that are not part of a publish; never merged."""

SEPARATOR: Final = "~"
"""Separates the words in the name of a ledger's record."""

FORMAT: Final = 1
"""Format of the JSON records that Lakegate writes into the lake (heads, drops, receipts, ledger)."""


LEDGER_FORMAT: Final = "_lakegate/format.json"
"""On the ledger's branch: the format that its records are in (see `lake.migrations`)."""


def raw_object(dataset: str, drop: str) -> str:
    """The delivered bytes, verbatim."""
    return f"raw/{dataset}/{drop}/data"


def receipts(dataset: str, drop: str = "") -> str:
    """Prefix of the receipts of a drop, or of every drop of a dataset."""
    return f"raw/{dataset}/{drop}/receipts/" if drop else f"raw/{dataset}/"


def processed_table(dataset: str) -> str:
    """The Delta table of rows that passed."""
    return f"processed/{dataset}"


def quarantine_table(dataset: str) -> str:
    """The Delta table of quarantined rows."""
    return f"quarantine/{dataset}"


def resolutions_table(dataset: str) -> str:
    """The Delta table of resolved rows of the quarantine: replayed, discarded or superseded."""
    return f"settled/{dataset}"


def tombstones_table(dataset: str) -> str:
    """The Delta table of the keys that were deleted from an upsert table, each with its order."""
    return f"tombstones/{dataset}"


def feature_table(table: str) -> str:
    """The Delta table of a feature."""
    return f"features/{table}"


def head(table: str) -> str:
    """The table's latest version; two publishes of one table always conflict on it."""
    return f"{HEADS}{table}.json"


def publication(dataset: str, cause: str, table: str) -> str:
    """The record that a drop (or another cause) was published; two publishes of one drop conflict on it."""
    return f"_lakegate/drops/{dataset}/{cause}.{table}.json"


def publications(dataset: str = "") -> str:
    """Prefix of these records, of a dataset or of all."""
    return f"_lakegate/drops/{dataset}/" if dataset else "_lakegate/drops/"


def evidence(table: str, number: int) -> str:
    """GX results, suite and unreadable records of a version."""
    return f"_lakegate/evidence/{table}/v{number}.json"


def histograms(table: str, number: int) -> str:
    """Counts of a version's rows, by column and bin, by which distributions are compared."""
    return f"_lakegate/histograms/{table}/v{number}.json"


HEADS: Final = "_lakegate/heads/"
"""Prefix of the tables' heads."""

MANIFESTS: Final = "_lakegate/manifests/"
"""Prefix of the manifests."""


PROOFS: Final = "_lakegate/proofs/"
"""Prefix of the proofs of versions."""


def proofs(table: str, number: int) -> str:
    """Hashes of ranges of a version's new files, by which a reader proves a part of a file."""
    return f"{PROOFS}{table}/v{number}.json"


EXPIRED: Final = "_lakegate/expired/"
"""Prefix of the records of expired versions."""


def expired(table: str, number: int) -> str:
    """The record that a version expired: when, by whom and why."""
    return f"{EXPIRED}{table}/v{number}.json"


KEPT: Final = "_lakegate/kept/"
"""Prefix of the pins: records of versions that are kept whatever their contract says."""


def kept(table: str, number: int, why: str) -> str:
    """The record that a version is kept, and why; `why` is the hash of who uses it."""
    return f"{KEPT}{table}/v{number}/{why}.json"


def use(table: str, number: int) -> str:
    """The last decision that a version's files are needed, or not: expiry, pin or rollback; two conflict."""
    return f"_lakegate/uses/{table}/v{number}.json"


def ledger_entry(table: str, number: int) -> str:
    """The ledger's entry of a published version, in the data's own merge."""
    return f"_lakegate/ledger/{table}/v{number}.json"


PENDING: Final = "_lakegate/pending/"
"""Prefix of the markers of drops that are not published."""


def pending(dataset: str, drop: str = "") -> str:
    """The marker that a received drop is not published yet (or the prefix of all); the publish removes it."""
    return f"{PENDING}{dataset}/{drop}.json" if drop else f"{PENDING}{dataset}/"


def position(source: str) -> str:
    """The record of a source's newest receipt; two deliveries that begin at one position conflict on it."""
    return f"_lakegate/positions/{source}.json"


REFUSED: Final = "_lakegate/refused/"
"""Prefix, on the ledger's branch, of the markers of refused drops (see `lake.ledger.refused_drops`)."""


def refused(dataset: str) -> str:
    """Prefix of the markers of a dataset's refused drops."""
    return f"{REFUSED}{dataset}/"


def delivered_name(dataset: str, name_hash: str) -> str:
    """The record which published drop of an append dataset was delivered under a name."""
    return f"_lakegate/names/{dataset}/{name_hash}.json"
