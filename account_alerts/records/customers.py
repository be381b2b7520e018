"""TODO."""

from typing import Any

from account_alerts.records.codec import Codec, CodecError


def as_bytes(value: Any) -> bytes | None:
    """Bytes as Flink hands them to Python."""
    return None if value is None else bytes(value)


def read_customers(decoder: Codec, account_id: str, record: bytes | None) -> list[str] | None:
    """Who may see an account, from the record of that key; None for a tombstone.

    Raises:
        CodecError: It is no such record, or one of another account.
    """
    if record is None:
        return None
    value = decoder.decode("AccountAuthorization", record)
    if value["account_id"] != account_id:
        raise CodecError("the key is not the account_id")
    return sorted(set(value["customer_ids"]))


def read_contact(decoder: Codec, customer_id: str, record: bytes | None) -> dict[str, Any] | None:
    """A customer's `language` and `addresses`, from the record of that key; None for a tombstone.

    Raises:
        CodecError: It is no such record, or one of another customer.
    """
    value = read_settings(decoder, customer_id, record)
    return None if value is None else {"language": value["language"], "addresses": value["addresses"]}


def read_settings(decoder: Codec, customer_id: str, record: bytes | None) -> dict[str, Any] | None:
    """A customer's AlertSettings, from the record of that key; None for a tombstone.

    Raises:
        CodecError: It is no such record, or one of another customer.
    """
    if record is None:
        return None
    value = decoder.decode("AlertSettings", record)
    if value["customer_id"] != customer_id:
        raise CodecError("the key is not the customer_id")
    return value
