"""Which bookings are valid: the one validation in Python."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from account_alerts.model.alerts import CreditDebit, EntryType
from account_alerts.model.money import exponent
from account_alerts.records.codec import Record

_TEXTS = ("entry_id", "account_id", "currency", "credit_debit", "entry_type")
_NUMBERS = ("amount_minor", "booked_at")
_OPTIONAL_TEXTS = (
    *("merchant_id", "merchant_name", "merchant_category", "country", "counterparty", "description"),
    *("counterparty_name", "card_last_four", "original_currency"),
)
_OPTIONAL_NUMBERS = ("balance_minor", "original_amount_minor")
DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys((*_OPTIONAL_TEXTS, *_OPTIONAL_NUMBERS)),
    "reversal": False,
}
"""Fields of AccountEntry that a bank need not give, and what they are then."""
FIELDS = frozenset((*_TEXTS, *_NUMBERS, *DEFAULTS))
LONG_MAX = 2**63 - 1
_ENTRY_TYPES, _DIRECTIONS = frozenset(EntryType), frozenset(CreditDebit)


def violation(booking: Record) -> str | None:
    """Say why a booking with every field of AccountEntry breaks the contract; None if it does not.

    The job alerting decides for every booking, whoever wrote it, in SQL (sql/shared/checked_entries.sql).
    Ingestion asks the same, in the same words, so that a dead letter is the message as the bank sent it.
    """
    for name in _TEXTS:
        if type(booking[name]) is not str:
            return f"{name} is no text"
    for name in _NUMBERS:
        if not _is_long(booking[name]):
            return f"{name} is no integer of 64 bits"
    for name in _OPTIONAL_TEXTS:
        text = booking[name]
        if text is not None and type(text) is not str:
            return f"{name} is neither text nor null"
    for name in _OPTIONAL_NUMBERS:
        number = booking[name]
        if number is not None and not _is_long(number):
            return f"{name} is neither an integer of 64 bits nor null"
    if type(booking["reversal"]) is not bool:
        return "reversal is neither true nor false"
    if not booking["entry_id"]:
        return "entry_id is empty"
    if not booking["account_id"]:
        return "account_id is empty"
    if booking["amount_minor"] <= 0:
        return "amount_minor is not greater than 0"
    if booking["credit_debit"] not in _DIRECTIONS:
        return "credit_debit is neither CRDT nor DBIT"
    if booking["entry_type"] not in _ENTRY_TYPES:
        return "entry_type is not one of " + ", ".join(EntryType)
    if not is_currency(booking["currency"]):
        return "currency is not in ISO 4217"
    if booking["original_amount_minor"] is not None and booking["original_amount_minor"] <= 0:
        return "original_amount_minor is not greater than 0"
    return None


def _is_long(value: Any) -> bool:
    return type(value) is int and -LONG_MAX - 1 <= value <= LONG_MAX


def signed(booking: Record) -> int:
    """Return what the booking added to the balance, in minor units."""
    amount: int = booking["amount_minor"]
    return amount if booking["credit_debit"] == CreditDebit.CREDIT else -amount


@cache
def _known(currency: str) -> bool:
    try:
        exponent(currency)
    except ValueError:
        return False
    return True


def is_currency(code: str) -> bool:
    """Tell whether ISO 4217 has the code."""
    # Only what may be a code is remembered.
    return len(code) == 3 and code.isascii() and _known(code)
