"""Pins: versions that stay whatever their contract says, until a day or as long as a model uses them."""

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
    """Why a version is kept: `until` a day or `used_by` a model. `ended` is when a person took that back."""

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
        if self.ended:
            return False
        return bool(self.used_by) or now.astimezone(UTC).date() <= date.fromisoformat(self.until)


def pin_version(
    session: Session, name: VersionName, *, reason: str, until: date | None = None, used_by: str | None = None
) -> Pin:
    """Put on record that a version is kept; a later pin for the same replaces an earlier one.

    Args:
        session: The open lake.
        name: The version.
        reason: Why, put on record.
        until: The last day on which it must be there, or
        used_by: the model that uses it.

    Raises:
        UsageError: There is no such version or no reason, not one of `until` and `used_by`, or the day is
            past.
        Expired: It is gone already.
    """
    pin = _pin(name, reason, until, used_by)
    if until is not None and until < datetime.now(UTC).date():
        fix = "name the last day on which it must be there; `lakegate unpin` takes back what is on record"
        raise UsageError(f"{until} is past", fix=fix)
    return _record(session, pin)


def unpin_version(
    session: Session, name: VersionName, *, reason: str, until: date | None = None, used_by: str | None = None
) -> Pin:
    """Put on record that a version need not be kept any more, until a day or for a model.

    Args:
        session: The open lake.
        name: The version.
        reason: Why, put on record.
        until: The day of the pin that is taken back, or
        used_by: its model.

    Raises:
        UsageError: There is no such version or no reason, not one of `until` and `used_by`, or no such pin.
        Expired: It is gone already.
    """
    pin = _pin(name, reason, until, used_by)
    return _record(session, replace(pin, ended=pin.at))


def _pin(name: VersionName, reason: str, until: date | None, used_by: str | None) -> Pin:
    if (until is None) == (not used_by):
        what = "say either until when it is kept or which model uses it"
        raise UsageError(what, fix="add --until YYYY-MM-DD or --used-by MODEL")
    if not (given := reason.strip()):
        raise UsageError(
            "a pin needs a reason, and so does its end", fix="add --reason, which goes on record"
        )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Pin(name, given, current_user(), now, until.isoformat() if until else "", used_by or "")


def _record(session: Session, pin: Pin) -> Pin:
    repository, name = session.repository, pin.version
    if repository.get_json(MAIN, paths.head(name.table)) is None or repository.resolve(name.tag) is None:
        raise UsageError(
            f"there is no {name}", fix=f"`lakegate versions {name.table}` lists what was published"
        )
    published_version(session, name)
    path = paths.kept(name.table, name.number, hashlib.sha256(pin.used_by.encode()).hexdigest()[:12])
    if pin.ended:
        before = repository.get_json(MAIN, path)
        if before is None or before["ended"]:
            why = f"for {pin.used_by}" if pin.used_by else "until a day"
            raise UsageError(f"nothing on record pins {name} {why}", fix="name the model as it is on record")
    records = {
        path: record_bytes({**vars(pin), "version": str(name)}),
        paths.use(name.table, name.number): use_bytes(),
    }
    merge_records(session, records, message=f"{name} is {'no longer ' * bool(pin.ended)}kept")
    session.finished.pop(name, None)
    published_version(session, name)  # raises Expired where the version ended before this was merged
    return pin


def list_pins(repository: Repository) -> list[Pin]:
    """Every pin on record, those that ended among them."""
    found = []
    for item in repository.listing(MAIN, paths.KEPT):
        body = repository.get_json(MAIN, item.path) or {}
        body.pop("format", None)
        found.append(Pin(**{**body, "version": VersionName.parse(str(body["version"]))}))
    return found
