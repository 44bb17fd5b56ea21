"""The manifest: the JSON that pins a version for good. Reader and service share this one definition."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import takewhile
from typing import Any

from lakegate.counts import Counts
from lakegate.errors import IntegrityError
from lakegate.manifest_records import Base, DataFile, Parent, Proof
from lakegate.names import VersionName

__all__ = ["Base", "Counts", "DataFile", "Manifest", "Parent", "Proof", "manifest_path", "sha256"]

FORMAT, BASED = 1, 2
"""Formats of a manifest that lists all of its files, and of one that lists those which its base doesn't."""

LATER = ("resolved", "balance", "tombstones", "proofs")
"""Fields that were added after the first release of the format."""

LISTS = ("files", "quarantine", "resolved", "tombstones", "proofs")
STORED = {"resolved": "settled", "balance": "aside"}
"""The keys of fields that the format names otherwise."""
_RESTORE = "restore it from the lake: `lakegate up` rebuilds the home's copies"
Earlier = Callable[[int], bytes | None]
"""The bytes of the manifest of an earlier version of the same table; None where there is none."""


@dataclass(frozen=True)
class Manifest:
    """What a version is and how it was made.

    `drop` is the SHA-256 of the delivered bytes (of the parents' names for a feature table). `schema` lists
    `{"name", "type"}` in contract order. `rules` holds `{"rule", "family", "severity", "failed", "of"}`, and
    a `value` where a number was measured. `quarantine` are the data files of the quarantine table at the same
    version, `resolved` those of its rows' resolutions, and `balance` their counts: set_aside = open +
    replayed + discarded + superseded. `tombstones` are the files of the keys that were deleted from an
    upsert table; `proofs` hold the hashes of ranges of all these. Times are ISO 8601 in UTC, durations in
    seconds.
    """

    tenant: str
    table: str
    version: int
    hop: str
    drop: str
    attempt: str
    root: str
    files: list[DataFile]
    quarantine: list[DataFile]
    schema: list[dict[str, str]]
    content_hash: str
    counts: Counts
    verdict: str
    rules: list[dict[str, Any]]
    suite_hash: str
    evidence_sha256: str
    contract_hash: str
    sql_hash: str | None
    parents: list[Parent]
    source: dict[str, Any]
    delivered_at: str | None
    extracted_at: str | None
    created_at: str
    code: dict[str, str | None]
    packages: dict[str, str]
    engine: dict[str, str]
    settings: dict[str, Any]
    durations: dict[str, float]
    format: int = FORMAT
    notes: dict[str, Any] = field(default_factory=dict)
    resolved: list[DataFile] = field(default_factory=list)
    tombstones: list[DataFile] = field(default_factory=list)
    balance: dict[str, int] = field(default_factory=dict)
    proofs: list[Proof] = field(default_factory=list)
    chain: tuple[Base, ...] = ()
    """The base, its base, and so on to the one that lists all of its files; empty where this one does."""

    @property
    def name(self) -> VersionName:
        """The version's name."""
        return VersionName(self.table, self.version)

    @property
    def all_files(self) -> list[DataFile]:
        """Every file that belongs to the version, those of its quarantine and its proofs among them."""
        proofs = (item.file for item in self.proofs)
        return [*self.files, *self.quarantine, *self.resolved, *self.tombstones, *proofs]

    def after(self, parent: Manifest | None) -> Manifest:
        """The same manifest, written as a change of an earlier one; in full where it shares no file with it.

        The earlier one is chosen as in a Fenwick tree (doi:10.1002/spe.4380240306): the n-th version after
        the last full list is read from log n manifests at most, and n of them list n log n files together,
        where lists grow at their ends.
        """
        if parent is None:
            return replace(self, chain=(), format=FORMAT)
        shared = {name: _common(getattr(parent, name), getattr(self, name)) for name in LISTS}
        if parent.all_files and not any(shared.values()):
            return replace(self, chain=(), format=FORMAT)
        full = parent.chain[-1].version if parent.chain else parent.version
        step = self.version - full
        chosen = self.version - (step & -step)
        chain = (Base(parent.version, sha256(parent.to_bytes()), shared), *parent.chain)
        at = [base.version for base in chain].index(chosen)
        counts = {name: min(base.counts.get(name, 0) for base in chain[: at + 1]) for name in LISTS}
        if not counts["proofs"]:  # the first release of this format had none
            del counts["proofs"]
        return replace(self, chain=(replace(chain[at], counts=counts), *chain[at + 1 :]), format=BASED)

    def to_bytes(self) -> bytes:
        """Canonical JSON: sorted keys, no spaces, UTF-8. The merge commit's metadata hold its SHA-256.

        Empty fields that earlier releases don't know are left out, so that the bytes of their manifests stay
        the same.
        """
        base = self.chain[0] if self.chain else None
        own: dict[str, Any] = {}
        if base is not None:
            own = {name: getattr(self, name)[count:] for name, count in base.counts.items()}
        record = asdict(replace(self, chain=(), **own))
        del record["chain"]
        record = {_key(name): value for name, value in record.items() if value or name not in LATER}
        if base is not None:
            counts = {_key(name): count for name, count in base.counts.items()}
            record["base"] = asdict(replace(base, counts=counts))
        return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, raw: bytes, *, where: str, earlier: Earlier = lambda _: None) -> Manifest:
        """Read a manifest, and the earlier ones that its lists begin with.

        Args:
            raw: The manifest's bytes.
            where: Its place, for errors.
            earlier: Reads an earlier manifest of the table.

        Raises:
            IntegrityError: It is not JSON, or of an unknown format; or an earlier manifest has changed.
        """
        try:
            data = json.loads(raw)
            if data["format"] not in (FORMAT, BASED):
                what = f"manifest format {data['format']!r}, this release reads {FORMAT} and {BASED}"
                raise IntegrityError(what, where=where, fix="install a release of lakegate that reads it")
            known = {item.name: data[_key(item.name)] for item in fields(cls) if _key(item.name) in data}
            for name in LISTS:
                kind = Proof if name == "proofs" else DataFile
                known[name] = [
                    kind(**item) for item in (known.get(name, []) if name in LATER else known[name])
                ]
            known["parents"] = [Parent(**item) for item in data["parents"]]
            known["counts"] = Counts(**data["counts"])
            found = cls(**known)
            base = Base(**data["base"]) if data["format"] == BASED else None
            if base is not None:
                counts = {name: base.counts[_key(name)] for name in LISTS if _key(name) in base.counts}
                base = replace(base, counts=counts)
        except (ValueError, KeyError, TypeError) as error:
            what = f"the manifest can't be read ({type(error).__name__})"
            raise IntegrityError(what, where=where, fix=_RESTORE) from error
        return found if base is None else found._completed(base, where=where, earlier=earlier)

    def _completed(self, base: Base, *, where: str, earlier: Earlier) -> Manifest:
        raw, name = earlier(base.version), VersionName(self.table, base.version)
        if raw is None or sha256(raw) != base.sha256:
            state = "missing" if raw is None else "not what it was"
            what = f"its lists begin with those of {name}, whose manifest is {state}"
            raise IntegrityError(what, where=where, fix=_RESTORE)
        before = Manifest.from_bytes(raw, where=f"the manifest of {name}", earlier=earlier)
        whole: dict[str, Any] = {}
        for item in LISTS:
            first, count = getattr(before, item), base.counts.get(item, 0)
            if len(first) < count:
                what = f"{name} has fewer files than it had"
                raise IntegrityError(what, where=where, fix=f"`lakegate verify {name}`")
            whole[item] = [*first[:count], *getattr(self, item)]
        return replace(self, chain=(base, *before.chain), **whole)


def _key(field: str) -> str:
    """The key of a field in the stored manifest."""
    return STORED.get(field, field)


def _common(first: Sequence[object], second: Sequence[object]) -> int:
    """How many items both begin with."""
    same = (one == other for one, other in zip(first, second, strict=False))
    return sum(takewhile(bool, same))


def sha256(raw: bytes) -> str:
    """Hex SHA-256 of bytes."""
    return hashlib.sha256(raw).hexdigest()


def manifest_path(table: str, number: int) -> str:
    """Where a version's manifest lies in the tree its tag names."""
    return f"_lakegate/manifests/{table}/v{number}.json"
