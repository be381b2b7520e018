"""Reads the records that profiles are made of, and makes their rows. Pure functions."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from account_alerts.model.alerts import Channel
from account_alerts.model.errors import InvalidRecordError
from account_alerts.records.codec import Codec, CodecError, Record
from account_alerts.records.customers import read_authorization, read_key, read_opt_out, read_settings
from account_alerts.records.settings import invalid_fields

_LONGEST_ID = 2_000
"""Characters of an id that the tables' indexes can hold, whatever they are (in bytes: 2,700)."""

_NUMBER = re.compile(r"\s*(?:\+|00)([1-9][\d\s/.-]{6,30})", re.ASCII)
"""A number as most are written; it only finds the language of an answer, and a numbering plan takes longer
than all else about a record."""
_NOT_DIGITS = re.compile(r"\D")
_WITHOUT = {"time_zone": "UTC"}
"""What stands in the place of an invalid field; null in that of any other."""

_SETTING = (
    *("account_id", "channels", "snoozed_until"),
    *("alert_type", "currency", "threshold_minor", "count", "window_minutes"),
)
"""What is kept of a setting: what a sender asks, and what tells whether a change has come through Kafka."""

_LAST_MS = 253_402_300_799_000
"""The end of the year 9999, UTC."""

Table = Literal["profiles", "account_access", "sms_opt_outs"]


class InvalidProfileError(InvalidRecordError):
    """A record that is skipped: the last good one of its key stays in force."""


@dataclass(frozen=True)
class ProfileRow:
    """The newest state of a key; `row` is None where the record says that there is none any more."""

    key: str
    row: Mapping[str, Any] | None


@dataclass
class Batch:
    """What was read of one partition: the newest row of each key, and up to where."""

    rows: dict[str, tuple[int, ProfileRow]] = field(default_factory=dict)
    """By key: the record's offset, and the row."""
    next_offset: int = -1

    def put(self, offset: int, row: ProfileRow) -> None:
        """Add the row of a record."""
        self.rows[row.key] = offset, row

    def advance(self, next_offset: int) -> None:
        """Note up to where the partition is read."""
        self.next_offset = max(self.next_offset, next_offset)

    def since(self, offset: int) -> list[ProfileRow]:
        """Return the rows of records from an offset on: those before are applied already."""
        return [row for position, row in self.rows.values() if position >= offset]


def profile_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what senders need of an AlertSettings record, as its table has it.

    An invalid field is as if it were not there; the alerting job writes the dead letter.
    """
    invalid = invalid_fields(record)
    own = {
        name: _WITHOUT.get(name) if name in invalid else record[name]
        for name in ("customer_id", "language", "time_zone", "quiet_from", "quiet_to", "digest")
    }
    addresses: dict[str, list[str]] = {}
    for address in record["addresses"]:
        addresses.setdefault(address["channel"], []).append(address["address"])
    numbers = filter(None, map(_NUMBER.fullmatch, addresses.get(Channel.SMS, ())))
    return {
        **own,
        "addresses": addresses,
        "sms_number": next((_NOT_DIGITS.sub("", found[1]) for found in numbers), None),
        "settings": {
            setting["setting_id"]: {name: setting[name] for name in _SETTING}
            for setting in record["settings"]
        },
    }


def access_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return an AccountAuthorization record as its table has it."""
    return {"account_id": record["account_id"], "customer_ids": sorted(set(record["customer_ids"]))}


def opt_out_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return an SmsOptOut record as its table has it; a time beyond every calendar is the last there is."""
    return {**record, "changed_at": min(max(record["changed_at"], 0), _LAST_MS)}


_READERS: Mapping[Table, Callable[[Codec, str, bytes | None], Record | None]] = {
    "profiles": read_settings,
    "account_access": read_authorization,
    "sms_opt_outs": read_opt_out,
}
_ROWS: Mapping[Table, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "profiles": profile_row,
    "account_access": access_row,
    "sms_opt_outs": opt_out_row,
}


def parse(key: bytes | None, value: bytes | None, table: Table, decoder: Codec) -> ProfileRow:
    """Read a record of the topic that a table is made of.

    Raises:
        InvalidProfileError: It is no such record, or not of its key.
    """
    try:
        name = read_key(key)
        record = _READERS[table](decoder, name, value)
    except CodecError as error:
        raise InvalidProfileError(str(error)) from error
    if not name or len(name.encode()) > _LONGEST_ID:
        raise InvalidProfileError("no key, or one that is too long")
    if "\0" in name:
        raise InvalidProfileError("a NUL character in the key, which the table cannot hold")
    if record is None:
        return ProfileRow(name, None)
    row = _ROWS[table](record)
    if "\\u0000" in json.dumps(row):
        raise InvalidProfileError("a NUL character, which the table cannot hold")
    return ProfileRow(name, row)
