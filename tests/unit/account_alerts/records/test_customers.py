"""The one reader of the records about customers: what it gives, and what it calls wrong."""

import pytest

from account_alerts.model.limits import RECORD_BYTES, TEXT_BYTES
from account_alerts.records.codec import Codec, CodecError
from account_alerts.records.customers import (
    read_authorization,
    read_contact,
    read_customers,
    read_key,
    read_settings,
)
from tests import builders

CODEC = Codec()
SETTINGS = builders.settings("c1", builders.setting("s1", "a1"))
RECORD = CODEC.encode("AlertSettings", SETTINGS, "t")
ACCESS = CODEC.encode("AccountAuthorization", {"account_id": "a1", "customer_ids": ["c2", "c1", "c2"]}, "t")


def test_a_record_is_read_by_its_key() -> None:
    assert read_settings(CODEC, "c1", RECORD) == CODEC.decode("AlertSettings", RECORD)
    assert read_authorization(CODEC, "a1", ACCESS) == {"account_id": "a1", "customer_ids": ["c2", "c1", "c2"]}
    assert read_customers(CODEC, "a1", ACCESS) == ["c1", "c2"]
    contact = read_contact(CODEC, "c1", RECORD)
    assert contact is not None
    assert contact.keys() == {"language", "addresses"}


def test_a_tombstone_is_nothing() -> None:
    for read in (read_settings, read_contact, read_authorization, read_customers):
        assert read(CODEC, "c1", None) is None


@pytest.mark.parametrize(("key", "record"), [("c2", RECORD), ("", RECORD), ("c1", b"\0"), ("c1", b"")])
def test_another_record_is_an_error(key: str, record: bytes) -> None:
    with pytest.raises(CodecError, match="the key is not the customer_id" if record == RECORD else "Error: "):
        read_settings(CODEC, key, record)


def test_a_record_beyond_a_limit_is_an_error() -> None:
    """The limits of lists: tests/unit/sql/test_checked_records.py."""
    most = builders.settings(
        "c" * TEXT_BYTES, builders.setting("s" * TEXT_BYTES, "ž" * (TEXT_BYTES // 2)), addresses=[]
    )
    assert read_settings(CODEC, "c" * TEXT_BYTES, CODEC.encode("AlertSettings", most, "t")) == most
    long_id = builders.settings("c1", builders.setting("s1", "ž" * (TEXT_BYTES // 2) + "a"))
    with pytest.raises(CodecError, match=f"a text is longer than {TEXT_BYTES} bytes"):
        read_settings(CODEC, "c1", CODEC.encode("AlertSettings", long_id, "t"))
    with pytest.raises(CodecError, match=f"the record is longer than {RECORD_BYTES} bytes"):
        read_settings(CODEC, "c1", b"\0" * (RECORD_BYTES + 1))


def test_another_account_is_an_error() -> None:
    with pytest.raises(CodecError, match="the key is not the account_id"):
        read_customers(CODEC, "a2", ACCESS)


def test_a_key_is_text() -> None:
    assert read_key("ž€".encode()) == "ž€"
    assert read_key(None) == ""
    with pytest.raises(CodecError, match="the key is not UTF-8"):
        read_key(b"\xff")
