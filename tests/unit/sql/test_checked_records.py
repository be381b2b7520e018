"""The views of authorizations and settings reject what records/customers.py rejects, in the same words."""

from pathlib import Path
from typing import Any

import pytest

from account_alerts.config import load
from account_alerts.model.limits import (
    ADDRESSES_PER_CUSTOMER,
    CUSTOMERS_PER_ACCOUNT,
    SETTINGS_PER_CUSTOMER,
)
from account_alerts.records.codec import Codec, CodecError, RecordName
from account_alerts.records.customers import read_authorization, read_key, read_settings
from tests.builders import NOON, authorization, setting, settings
from tests.reference.binary import encode
from tests.unit.sql.views import Views, read_columns

KEYS = [None, b"", b"a", b"b", b"a ", b"\0", b"\xff", b"a\xed\xa0\x80", "účet".encode(), "\ufeffa".encode()]
ADDRESS = {"channel": "SMS", "address": "+999123"}
AUTHORIZATIONS = [
    *(authorization(account, "c1", "c2") for account in ("a", "", "účet", "\ufeffa", "\ufffd", "a\ufffd")),
    authorization("a", *map(str, range(CUSTOMERS_PER_ACCOUNT))),
    authorization("a", *map(str, range(CUSTOMERS_PER_ACCOUNT + 1))),
]
SETTINGS = [
    *(settings(customer, setting()) for customer in ("a", "", "účet", "\ufeffa", "\ufffd")),
    settings("a", *[setting()] * SETTINGS_PER_CUSTOMER, addresses=[ADDRESS] * ADDRESSES_PER_CUSTOMER),
    settings("a", *[setting()] * (SETTINGS_PER_CUSTOMER + 1)),
    settings("a", addresses=[ADDRESS] * (ADDRESSES_PER_CUSTOMER + 1)),
]


def by_python(name: RecordName, key: bytes | None, record: bytes | None) -> str | None:
    """The reason of Python's reader."""
    read = read_authorization if name == "AccountAuthorization" else read_settings
    try:
        read(Codec(), read_key(key), record)
    except CodecError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("name", "table", "view", "values", "nothing"),
    [
        (
            "AccountAuthorization",
            "authorization_records",
            "checked_authorizations",
            AUTHORIZATIONS,
            authorization(""),
        ),
        ("AlertSettings", "setting_records", "checked_settings", SETTINGS, settings("", addresses=[])),
    ],
)
def test_sql_and_python_give_the_same_reason(
    name: RecordName,
    table: str,
    view: str,
    values: list[dict[str, Any]],
    nothing: dict[str, Any],
    tmp_path: Path,
) -> None:
    tombstone = {**nothing, "record": None, "decode_error": "the record has no value"}
    rows = [
        {**value, "record_key": key, "source_offset": 0, "source_partition": 0, "written_at": NOON + 7}
        for value in (tombstone, *({**value, "record": encode(name, value)} for value in values))
        for key in (KEYS if len(str(value)) < 1_000 else [b"a"])
    ]
    for number, row in enumerate(rows):
        row["source_offset"] = number
    views = Views(load(), tmp_path)
    views.add_table(table, read_columns(table), rows)
    views.add_view(f"shared/{view}.sql")
    key_column = "account_id" if name == "AccountAuthorization" else "customer_id"
    query = f"SELECT source_offset, reason, {key_column}, written, record IS NULL FROM {view}"
    found = {number: rest for number, *rest in views.rows(query)}
    reasons = set()
    for number, row in enumerate(rows):
        reason, identity, written, is_tombstone = found[number]
        assert reason == by_python(name, row["record_key"], row["record"]), row["record_key"]
        assert reason is not None or identity == row["record_key"].decode()
        assert (written, is_tombstone) == (NOON + 7, row["record"] is None)
        reasons.add(reason)
    assert len(reasons) == (4 if name == "AccountAuthorization" else 5)


@pytest.mark.parametrize("table", ["authorization_records", "setting_records"])
def test_a_record_that_was_not_decoded_says_why(table: str, tmp_path: Path) -> None:
    nothing = authorization("") if table == "authorization_records" else settings("", addresses=[])
    broken = {
        **nothing,
        "decode_error": "ends too early",
        "record": b"\0",
        "source_offset": 0,
        "source_partition": 0,
    }
    views = Views(load(), tmp_path)
    rows = [{**broken, "record_key": key, "written_at": NOON} for key in (b"a", b"", None, b"\xff")]
    views.add_table(table, read_columns(table), rows)
    view = "checked_authorizations" if table == "authorization_records" else "checked_settings"
    views.add_view(f"shared/{view}.sql")
    assert sorted(reason for (reason,) in views.rows(f"SELECT reason FROM {view}")) == [
        *["ends too early"] * 3,
        "the key is not UTF-8",
    ]
