"""Pins: a person's word that an alert is answered by a certain runbook. A pinned runbook comes first for its alert."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import RowMapping, delete, insert, select

from kb.audit import AuditLog, AuditNote
from kb.database import Database
from kb.errors import InvalidInput, KBError
from kb.principal import Principal
from kb.printable import one_line
from kb.slugs import is_valid_id
from kb.tables import pins

MAX_ALERT_NAME_CHARS = 200


class PinNotFound(KBError):
    """Nobody has pinned a runbook to this alert."""

    def __init__(self, alert_name: str) -> None:
        super().__init__(
            f"No runbook is pinned to the alert '{one_line(alert_name)[:MAX_ALERT_NAME_CHARS]}'.",
            advice="List the pins with GET /pins.",
        )
        self.alert_name = alert_name


@dataclass(frozen=True, slots=True)
class Pin:
    """One alert and the runbook it is pinned to. `event_time` is aware, UTC."""

    alert_name: str
    runbook_id: str
    note: str
    pinned_by: str
    event_time: datetime


class Pins(Protocol):
    """The pins. Whether the runbook exists is for the caller to know. Safe to call from several threads."""

    def pin(self, alert_name: str, runbook_id: str, principal: Principal, *, note: str = "") -> Pin:
        """Pin, in the place of an earlier pin of that alert. Raises `InvalidInput` for a name that can be none."""
        ...

    def unpin(self, alert_name: str, principal: Principal) -> None:
        """Raises `PinNotFound`."""
        ...

    def find(self, alert_name: str) -> Pin | None:
        """The pin of one alert; names are compared to the letter."""
        ...

    def all(self) -> Mapping[str, Pin]:
        """Every pin by alert name, ordered by name."""
        ...


class SqlPins:
    """`Pins` in the database of records; each act is in the audit."""

    def __init__(self, database: Database, audit: AuditLog, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._audit = audit
        self._now = now

    def pin(self, alert_name: str, runbook_id: str, principal: Principal, *, note: str = "") -> Pin:
        check_pin(alert_name, runbook_id)
        pin = Pin(alert_name, runbook_id, note, principal.name, self._now())
        with self._database.write() as connection:
            connection.execute(delete(pins).where(pins.c.alert_name == alert_name))
            connection.execute(
                insert(pins).values(
                    alert_name=pin.alert_name,
                    runbook_id=pin.runbook_id,
                    note=pin.note,
                    pinned_by=pin.pinned_by,
                    role=principal.role.value,
                    face=principal.face.value,
                    event_time=pin.event_time,
                    recorded_at=pin.event_time,
                )
            )
            details = {"runbook_id": runbook_id, "note": note}
            self._audit.append(connection, [AuditNote(principal, "pin.set", alert_name, details, pin.event_time)])
        return pin

    def unpin(self, alert_name: str, principal: Principal) -> None:
        if not _may_be_name(alert_name):
            raise PinNotFound(alert_name)
        with self._database.write() as connection:
            there = connection.execute(select(pins.c.runbook_id).where(pins.c.alert_name == alert_name)).scalar()
            if there is None:
                raise PinNotFound(alert_name)
            connection.execute(delete(pins).where(pins.c.alert_name == alert_name))
            details = {"runbook_id": there}
            self._audit.append(connection, [AuditNote(principal, "pin.remove", alert_name, details, self._now())])

    def find(self, alert_name: str) -> Pin | None:
        if not _may_be_name(alert_name):
            return None
        with self._database.read() as connection:
            row = connection.execute(select(pins).where(pins.c.alert_name == alert_name)).mappings().first()
        return _pin(row) if row else None

    def all(self) -> Mapping[str, Pin]:
        with self._database.read() as connection:
            found = [_pin(row) for row in connection.execute(select(pins)).mappings()]
        return {pin.alert_name: pin for pin in sorted(found, key=lambda pin: pin.alert_name)}


def check_pin(alert_name: str, runbook_id: str) -> None:
    """Raise `InvalidInput` unless the name is one printable line, not too long, and the id is an id."""
    if not _may_be_name(alert_name):
        raise InvalidInput(
            "alert_name",
            "is not the name of an alert",
            advice=f"Use one line of 1 to {MAX_ALERT_NAME_CHARS} printable characters.",
        )
    if not is_valid_id(runbook_id):
        raise InvalidInput("runbook_id", "is not a runbook id", advice="List the runbooks with GET /runbooks.")


def _may_be_name(alert_name: str) -> bool:
    return bool(alert_name.strip()) and len(alert_name) <= MAX_ALERT_NAME_CHARS and alert_name.isprintable()


def _pin(row: RowMapping) -> Pin:
    return Pin(row["alert_name"], row["runbook_id"], row["note"], row["pinned_by"], row["event_time"])
