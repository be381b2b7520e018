"""sql/shared/checked_entries.sql and records/bookings.py reject the same bookings, in the same words."""

import random
from pathlib import Path
from typing import Any

from account_alerts.config import load
from account_alerts.model.alerts import CreditDebit, EntryType
from account_alerts.records.bookings import LONG_MAX, violation
from tests.builders import entry
from tests.unit.sql.views import Views, read_columns

VALUES: dict[str, list[Any]] = {
    "entry_id": ["e", "", " ", "\0", "účet", "e" * 300],
    "account_id": ["a", "", " ", "\ufeff", "účet"],
    "amount_minor": [1, 0, -1, LONG_MAX, -LONG_MAX - 1],
    "credit_debit": [*map(str, CreditDebit), "", "crdt", "CRDT ", "DEBIT"],
    "entry_type": [*map(str, EntryType), "", "card", "CHEQUE", "CARD "],
    "currency": [
        "EUR",
        "CZK",
        "JPY",
        "KWD",
        "XXX",
        "XTS",
        "ZZZ",
        "",
        "eur",
        "EU",
        "EURO",
        "EUR ",
        "ÉUR",
        "DEM",
    ],
    "balance_minor": [0, -1, LONG_MAX, -LONG_MAX - 1, None],
    "original_amount_minor": [None, 1, 0, -1, LONG_MAX, -LONG_MAX - 1],
    "reversal": [False, True],
    "merchant_name": [None, "", "m"],
}


def bookings() -> list[dict[str, Any]]:
    """A booking for every value of every field, and 300 with any of them."""
    chosen = random.Random(16)
    single = [{name: value} for name, values in VALUES.items() for value in values]
    mixed = [{name: chosen.choice(values) for name, values in VALUES.items()} for _ in range(300)]
    return [entry(**{"entry_id": "e", "account_id": "a", **fields}) for fields in (*single, *mixed)]


def reasons(folder: Path, rows: list[dict[str, Any]]) -> list[str | None]:
    """The view's reason for each row."""
    views = Views(load(), folder)
    columns = {"number": "INT", **read_columns("account_entries")}
    views.add_table("account_entries", columns, rows)
    views.add_view("shared/checked_entries.sql")
    found = dict(views.rows("SELECT number, reason FROM checked_entries"))
    return [found[number] for number in range(len(rows))]


def test_both_give_each_booking_the_same_reason(tmp_path: Path) -> None:
    given = bookings()
    rows = [
        {**booking, "number": number, "entry_key": booking["account_id"].encode()}
        for number, booking in enumerate(given)
    ]
    by_python = [violation(booking) for booking in given]
    differences = [
        (booking, ours, theirs)
        for booking, ours, theirs in zip(given, by_python, reasons(tmp_path, rows), strict=True)
        if ours != theirs
    ]
    assert not differences
    assert len(set(by_python)) == 8, "each of the seven reasons, and none"


def test_what_only_the_topic_has_is_rejected_first(tmp_path: Path) -> None:
    """Of a record that was not decoded there are no values to judge; a bad key is said before them."""
    good = {**entry("e", "a"), "entry_key": b"a"}
    rows = [
        good,
        good | {"decode_error": "ends too early", "entry_id": ""},
        good | {"entry_key": b"b"},
        good | {"entry_key": None, "amount_minor": 0},
    ]
    wrong_key = "the key is not the account_id"
    expected = [None, "ends too early", wrong_key, wrong_key]
    numbered = [{**row, "number": number} for number, row in enumerate(rows)]
    assert reasons(tmp_path, numbered) == expected
