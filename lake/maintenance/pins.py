"""Versions that are kept whatever their contract says: until a day, or as long as a model is on record as using them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime

from lake import paths
from lake.hops.published import published_version
from lake.lakefs.repository import MAIN, Repository
from lake.ledger.version_records import merge_records, record_bytes, use_bytes
from lake.runtime.identity import current_user
from lake.session import Session
from lakegate.errors import UsageError
from lakegate.names import VersionName


@dataclass(frozen=True)
class Pin:
    """Why a version is kept: `until` a day, or `used_by` a model; `ended` is when that was taken back, empty while it wasn't."""

    version: VersionName
    reason: str
    by: str
    at: str
    until: str = ""
    used_by: str = ""
    ended: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether the version may not expire yet; its last day counts."""
        return not self.ended and (bool(self.used_by) or now.astimezone(UTC).date() <= date.fromisoformat(self.until))


def keep_version(
    session: Session, name: VersionName, *, reason: str, until: date | None = None, used_by: str | None = None, ended: bool = False
) -> Pin:
    """Put on record that a version is kept, or with `ended` that it need not be any more; said again, the last word counts.

    Raises:
        UsageError: There is no such version, or not one of `until` and `used_by` is given, or no reason; the day is past; or there is nothing
            to take back.
        Expired: It is gone already.
    """
    if (until is None) == (not used_by):
        raise UsageError("say either until when it is kept or which model uses it", fix="add --until YYYY-MM-DD or --used-by MODEL")
    if not reason.strip():
        raise UsageError("keeping a version needs a reason", fix="add --reason, which is kept on record")
    if until is not None and not ended and until < datetime.now(UTC).date():
        what = f"{until} is past"
        raise UsageError(what, fix="name the last day on which it must be there; to take back what is on record, add --ended")
    repository = session.repository
    if repository.get_json(MAIN, paths.head(name.table)) is None or repository.resolve(name.tag) is None:
        raise UsageError(f"there is no {name}", fix=f"`lakegate versions {name.table}` lists what was published")
    published_version(session, name)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    told = Pin(name, reason.strip(), current_user(), now, until.isoformat() if until else "", used_by or "", now if ended else "")
    path = paths.kept(name.table, name.number, hashlib.sha256((used_by or "").encode()).hexdigest()[:12])
    if ended and (repository.get_json(MAIN, path) or {"ended": now})["ended"]:
        why = f"for {used_by}" if used_by else "until a day"
        raise UsageError(f"nothing on record keeps {name} {why}", fix="name the model as it is on record")
    body = {**vars(told), "version": str(name)}
    records = {path: record_bytes(body), paths.use(name.table, name.number): use_bytes()}
    merge_records(session, records, told=f"{name} is {'no longer ' * ended}kept")
    session.finished.pop(name, None)
    published_version(session, name)  # which says so if it ended before this was merged
    return told


def list_pins(repository: Repository) -> list[Pin]:
    """Everything that is on record about versions to be kept."""
    found = []
    for item in repository.listing(MAIN, paths.KEPT):
        body = repository.get_json(MAIN, item.path) or {}
        body.pop("format", None)
        found.append(Pin(**{**body, "version": VersionName.parse(str(body["version"]))}))
    return found
