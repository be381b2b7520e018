"""TODO."""

import json
from collections.abc import Mapping
from typing import Any

from account_alerts.model.errors import InvalidRecordError
from account_alerts.records.codec import Codec, CodecError

_LONGEST_ID = 2_000
"""Characters of an id that the tables' indexes can hold, whatever they are (in bytes: 2,700)."""


class UnusableError(InvalidRecordError):
    """A record that is passed over: the last good one of its key stays in force."""


def profile_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """What senders need of an AlertSettings record, as its table has it."""
    addresses: dict[str, list[str]] = {}
    for address in record["addresses"]:
        addresses.setdefault(address["channel"], []).append(address["address"])
    return {
        **{name: record[name] for name in ("customer_id", "time_zone", "quiet_from", "quiet_to", "digest")},
        "addresses": addresses,
        "settings": {
            setting["setting_id"]: {
                name: setting[name] for name in ("account_id", "channels", "snoozed_until")
            }
            for setting in record["settings"]
        },
    }


def access_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """An AccountAuthorization record as its table has it."""
    return {"account_id": record["account_id"], "customer_ids": sorted(set(record["customer_ids"]))}


def read(key: bytes | None, value: bytes | None, *, settings: bool, decoder: Codec) -> tuple[str, Any]:
    """The key of a record and its row; None where the record says that there is none any more.

    Raises:
        UnusableError: It is no such record, or not of its key.
    """
    try:
        name = (key or b"").decode()
        record = None
        if value is not None:
            record = decoder.decode("AlertSettings" if settings else "AccountAuthorization", value)
    except (UnicodeDecodeError, CodecError) as error:
        raise UnusableError(str(error)) from error
    if not name or len(name.encode()) > _LONGEST_ID:
        raise UnusableError("no key, or one that is too long")
    if "\0" in name:
        raise UnusableError("a NUL character in the key, which the table cannot hold")
    if record is None:
        return name, None
    if record["customer_id" if settings else "account_id"] != name:
        raise UnusableError("the key is not the record's")
    row = profile_row(record) if settings else access_row(record)
    if "\\u0000" in json.dumps(row):
        raise UnusableError("a NUL character, which the table cannot hold")
    return name, row
