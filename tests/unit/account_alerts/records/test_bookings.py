"""The one validation of a booking in Python."""

from typing import Any

import pytest

from account_alerts.model.alerts import EntryType
from account_alerts.records.bookings import DEFAULTS, FIELDS, LONG_MAX, is_currency, signed, violation
from tests.builders import entry


def booking(**changes: Any) -> dict[str, Any]:
    return {**DEFAULTS, **entry("e1", "a1"), **changes}


def test_a_valid_booking_has_no_violation() -> None:
    assert booking().keys() >= FIELDS
    assert violation(booking()) is None
    for kind in EntryType:
        assert violation(booking(entry_type=kind.value)) is None
    assert violation(booking(balance_minor=-LONG_MAX - 1, booked_at=LONG_MAX)) is None
    assert violation(booking(balance_minor=None, original_amount_minor=LONG_MAX, reversal=True)) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"entry_id": 5}, "entry_id is no text"),
        ({"amount_minor": 1.0}, "amount_minor is no integer of 64 bits"),
        ({"amount_minor": True}, "amount_minor is no integer of 64 bits"),
        ({"booked_at": LONG_MAX + 1}, "booked_at is no integer of 64 bits"),
        ({"country": 5}, "country is neither text nor null"),
        ({"balance_minor": 1.0}, "balance_minor is neither an integer of 64 bits nor null"),
        ({"original_amount_minor": True}, "original_amount_minor is neither an integer of 64 bits nor null"),
        ({"original_amount_minor": 0}, "original_amount_minor is not greater than 0"),
        ({"reversal": None}, "reversal is neither true nor false"),
        ({"reversal": 1}, "reversal is neither true nor false"),
        ({"entry_id": ""}, "entry_id is empty"),
        ({"account_id": ""}, "account_id is empty"),
        ({"amount_minor": 0}, "amount_minor is not greater than 0"),
        ({"credit_debit": "C"}, "credit_debit is neither CRDT nor DBIT"),
        (
            {"entry_type": "CHEQUE"},
            "entry_type is not one of CARD, TRANSFER, CASH, DIRECT_DEBIT, INTEREST, FEE, OTHER",
        ),
        ({"currency": "eur"}, "currency is not in ISO 4217"),
        ({"currency": "XXZ"}, "currency is not in ISO 4217"),
    ],
)
def test_the_violation_is_named(changes: dict[str, Any], reason: str) -> None:
    assert violation(booking(**changes)) == reason


def test_a_debit_is_taken_from_the_balance() -> None:
    assert signed(booking(amount_minor=5, credit_debit="CRDT")) == 5
    assert signed(booking(amount_minor=5, credit_debit="DBIT")) == -5


def test_currencies_are_those_of_iso_4217() -> None:
    assert is_currency("EUR")
    assert not any(map(is_currency, ("", "EURO", "€€€", "ABC")))
