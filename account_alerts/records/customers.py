"""One reader of the compacted topics about customers, for every consumer of them in Python.

Errors are told in the same words everywhere: they are the reasons that dead letters carry. The job
alerting says them in SQL (sql/shared/checked_authorizations.sql, checked_settings.sql).
"""

from collections.abc import Iterator
from typing import Any

from account_alerts.model.limits import (
    ADDRESSES_PER_CUSTOMER,
    CUSTOMERS_PER_ACCOUNT,
    RECORD_BYTES,
    SETTINGS_PER_CUSTOMER,
    TEXT_BYTES,
)
from account_alerts.records.codec import Codec, CodecError, Record, RecordName

_MOST: dict[RecordName, dict[str, int]] = {
    "AccountAuthorization": {"customer_ids": CUSTOMERS_PER_ACCOUNT},
    "AlertSettings": {"addresses": ADDRESSES_PER_CUSTOMER, "settings": SETTINGS_PER_CUSTOMER},
    "SmsOptOut": {},
}
"""How many each of a record's lists may hold."""


def as_bytes(value: Any) -> bytes | None:
    """Return bytes that Flink hands to Python in whatever form as bytes."""
    return None if value is None else bytes(value)


def read_key(key: bytes | None) -> str:
    """Return the id in a record's key, empty where there is none.

    Raises:
        CodecError: It is no text.
    """
    try:
        return bytes(key or b"").decode()
    except UnicodeDecodeError:
        raise CodecError("the key is not UTF-8") from None


def read_authorization(decoder: Codec, account_id: str, record: bytes | None) -> Record | None:
    """Return the AccountAuthorization of an account, from the record of that key; None for a tombstone.

    Raises:
        CodecError: It is no such record, or one of another account.
    """
    return _read(decoder, "AccountAuthorization", "account_id", account_id, record)


def read_settings(decoder: Codec, customer_id: str, record: bytes | None) -> Record | None:
    """Return the AlertSettings of a customer, from the record of that key; None for a tombstone.

    Raises:
        CodecError: It is no such record, or one of another customer.
    """
    return _read(decoder, "AlertSettings", "customer_id", customer_id, record)


def read_opt_out(decoder: Codec, number: str, record: bytes | None) -> Record | None:
    """Return the SmsOptOut of a number, from the record of that key; None for a tombstone.

    Raises:
        CodecError: It is no such record, or one of another number.
    """
    return _read(decoder, "SmsOptOut", "number", number, record)


def read_customers(decoder: Codec, account_id: str, record: bytes | None) -> list[str] | None:
    """Return who may see an account, each once and in order; None for a tombstone.

    Raises:
        CodecError: As of `read_authorization`.
    """
    value = read_authorization(decoder, account_id, record)
    return None if value is None else sorted(set(value["customer_ids"]))


def read_contact(decoder: Codec, customer_id: str, record: bytes | None) -> dict[str, Any] | None:
    """Return a customer's `language` and `addresses`; None for a tombstone.

    Raises:
        CodecError: As of `read_settings`.
    """
    value = read_settings(decoder, customer_id, record)
    return None if value is None else {"language": value["language"], "addresses": value["addresses"]}


def _read(decoder: Codec, name: RecordName, key_field: str, key: str, record: bytes | None) -> Record | None:
    if record is not None and len(record) > RECORD_BYTES:
        raise CodecError(f"the record is longer than {RECORD_BYTES} bytes")
    value = None if record is None else decoder.decode(name, bytes(record))
    if any(len(text.encode()) > TEXT_BYTES for text in _texts(value)):
        raise CodecError(f"a text is longer than {TEXT_BYTES} bytes")
    if not key or (value is not None and value[key_field] != key):
        raise CodecError(f"the key is not the {key_field}")
    if value is not None:
        for field, most in _MOST[name].items():
            if len(value[field]) > most:
                raise CodecError(f"more than {most} {field}")
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
