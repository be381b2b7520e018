"""Reads a change of the bank's tables into the record of the contract that it becomes. Pure functions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from account_alerts.model.errors import InvalidRecordError
from account_alerts.records.bookings import DEFAULTS, FIELDS
from account_alerts.records.codec import Record, RecordName
from ingest.capture.debezium import AUTHORIZATIONS, BOOKINGS, OPT_OUTS, SETTINGS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ADDED = ("c", "r")
"""Created, and read for a snapshot: what happens to a booking's row later is no booking."""


class InvalidChangeError(InvalidRecordError):
    """A change is no row of its table; the text says why, and quotes nothing of the content."""


@dataclass(frozen=True)
class Change:
    """The record that a change becomes."""

    name: RecordName
    record: Record | None
    """None: the customer left, nobody may see the account any more, or the number's row is gone."""
    committed_ms: int | None = None
    """When the bank's database committed it, milliseconds UTC; None where it was read for a snapshot."""


_NAMES: dict[str, tuple[RecordName, str]] = {
    SETTINGS: ("AlertSettings", "customer_id"),
    AUTHORIZATIONS: ("AccountAuthorization", "account_id"),
    BOOKINGS: ("AccountEntry", "account_id"),
    OPT_OUTS: ("SmsOptOut", "number"),
}


def read_change(table: str, key: bytes | None, value: bytes | None, oldest_booking: int) -> Change | None:
    """Read a change of a table into a record; None where it becomes none.

    Args:
        table: Its name, one of `debezium.tables`.
        key: The customer's or the account's id, or the number.
        value: The row as JSON; None where it was deleted. A row without a record is of a customer who left.
        oldest_booking: Milliseconds; in a snapshot, a booking older than this becomes no record: a customer
            is not to be alerted today of what happened a year ago.

    Raises:
        InvalidChangeError: The row cannot be read, or has another key.
    """
    name, field = _NAMES[table]
    if table == BOOKINGS and value is None:
        return None
    if not key:
        raise InvalidChangeError("no key")
    if value is None:
        return Change(name, None)
    row = _object(value, "the row")
    committed = row.get("__source_ts_ms") if row.get("__op") != "r" else None
    committed_ms = committed if isinstance(committed, int) else None
    if table == BOOKINGS:
        if row.get("__op") not in _ADDED:
            return None
        record = _booking(row)
        read_at = row.get("__source_ts_ms")
        if row["__op"] == "r" and isinstance(read_at, int) and record["booked_at"] < read_at - oldest_booking:
            return None
    elif table == OPT_OUTS:
        record = {name: row.get(name) for name in ("number", "stopped")}
        record["changed_at"] = milliseconds(row.get("changed_at"), "changed_at")
    elif row.get("record", "") is None:
        return Change(name, None, committed_ms)
    else:
        record = _object(row.get("record"), "the record")
    if record.get(field) != key.decode(errors="replace"):
        raise InvalidChangeError(f"the key is not the {field}")
    return Change(name, record, committed_ms)


def _object(text: Any, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "")
    except (ValueError, TypeError) as error:
        raise InvalidChangeError(f"{what} is no JSON") from error
    if not isinstance(found, dict):
        raise InvalidChangeError(f"{what} is no JSON object")
    return found


def _booking(row: Mapping[str, Any]) -> Record:
    # A row that was captured before a column was added does not have it.
    if missing := FIELDS.difference(row, DEFAULTS):
        raise InvalidChangeError(f"the row has no {', '.join(sorted(missing))}")
    given = {name: row[name] for name in FIELDS.intersection(row)}
    return {**DEFAULTS, **given, "booked_at": milliseconds(row["booked_at"], "booked_at")}


def milliseconds(time: Any, name: str) -> int:
    """Convert a time as Debezium writes it (ISO 8601) to milliseconds UTC; `name`: its column.

    Raises:
        InvalidChangeError: It is no such time.
    """
    try:
        moment = datetime.fromisoformat(time)
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, TypeError) as error:
        raise InvalidChangeError(f"{name} is no time") from error
