"""Versions that are kept whatever their contract says: until a day, or as long as a model is on record as using them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
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

    @property
    def why(self) -> str:
        """Why, in a few words."""
        return f"until {self.until}" if self.until else f"for {self.used_by}"

    def holds(self, now: datetime) -> bool:
        """Whether the version may not expire yet; its last day counts."""
        return not self.ended and (
            bool(self.used_by) or now.astimezone(UTC).date() <= date.fromisoformat(self.until)
        )


def pin_version(
    session: Session, name: VersionName, *, reason: str, until: date | None = None, used_by: str | None = None
) -> Pin:
    """Put on record that a version is kept; said again, the last word counts.

    Raises:
        UsageError: There is no such version, or not one of `until` and `used_by` is given, or no reason; or the day is past.
        Expired: It is gone already.
    """
    pin = _pin(name, reason, until, used_by)
    if until is not None and until < datetime.now(UTC).date():
        what = f"{until} is past"
        raise UsageError(
            what,
            fix="name the last day on which it must be there; `lakegate unpin` takes back what is on record",
        )
    return _record(session, pin)


def unpin_version(
    session: Session, name: VersionName, *, reason: str, until: date | None = None, used_by: str | None = None
) -> Pin:
    """Put on record that a version need not be kept any more, until a day or for a model.

    Raises:
        UsageError: There is no such version, or not one of `until` and `used_by` is given, or no reason; or there is nothing to take back.
        Expired: It is gone already.
    """
    pin = _pin(name, reason, until, used_by)
    return _record(session, replace(pin, ended=pin.at))


def _pin(name: VersionName, reason: str, until: date | None, used_by: str | None) -> Pin:
    if (until is None) == (not used_by):
        raise UsageError(
            "say either until when it is kept or which model uses it",
            fix="add --until YYYY-MM-DD or --used-by MODEL",
        )
    if not reason.strip():
        raise UsageError(
            "a pin needs a reason, and so does its end", fix="add --reason, which is kept on record"
        )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Pin(name, reason.strip(), current_user(), now, until.isoformat() if until else "", used_by or "")


def _record(session: Session, pin: Pin) -> Pin:
    repository, name = session.repository, pin.version
    if repository.get_json(MAIN, paths.head(name.table)) is None or repository.resolve(name.tag) is None:
        raise UsageError(
            f"there is no {name}", fix=f"`lakegate versions {name.table}` lists what was published"
        )
    published_version(session, name)
    path = paths.kept(name.table, name.number, hashlib.sha256(pin.used_by.encode()).hexdigest()[:12])
    if pin.ended and (repository.get_json(MAIN, path) or {"ended": pin.ended})["ended"]:
        why = f"for {pin.used_by}" if pin.used_by else "until a day"
        raise UsageError(f"nothing on record pins {name} {why}", fix="name the model as it is on record")
    records = {
        path: record_bytes({**vars(pin), "version": str(name)}),
        paths.use(name.table, name.number): use_bytes(),
    }
    merge_records(session, records, message=f"{name} is {'no longer ' * bool(pin.ended)}kept")
    session.finished.pop(name, None)
    published_version(session, name)  # which says so if it ended before this was merged
    return pin


def list_pins(repository: Repository) -> list[Pin]:
    """Everything that is on record about versions to be kept."""
    found = []
    for item in repository.listing(MAIN, paths.KEPT):
        body = repository.get_json(MAIN, item.path) or {}
        body.pop("format", None)
        found.append(Pin(**{**body, "version": VersionName.parse(str(body["version"]))}))
    return found
