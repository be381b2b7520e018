"""Reads amounts and balances of camt.054, in minor units."""

import re
from functools import lru_cache
from xml.etree.ElementTree import Element

from account_alerts.model.alerts import CreditDebit
from account_alerts.model.money import to_minor
from account_alerts.records.bookings import LONG_MAX, is_currency
from ingest.formats.parsed import InvalidMessageError
from ingest.formats.xml_tree import child, text

_AMOUNT = re.compile(r"\+?\d{1,18}(\.\d{0,10})?|\+?\.\d{1,10}", re.ASCII)
_BOOKED_BALANCES = frozenset({"ITBD", "CLBD"})
"""Balance types that are the balance of what is booked; others are available, expected or opening ones, or
the bank's own, of which nothing is known. A balance without a type is what is booked."""


def currency(amount: Element | None) -> str | None:
    """Return the currency of an `Amt`; None where it is not in ISO 4217."""
    return None if amount is None else _currency(amount.get("Ccy", ""))


@lru_cache(maxsize=1_000)
def _currency(said: str) -> str | None:
    code = said.strip()
    return code if is_currency(code) else None


def minor(amount: Element | None) -> int:
    """Return the minor units of an `Amt`, not negative.

    Raises:
        InvalidMessageError: It is missing, no amount, or of no known currency.
    """
    if amount is None:
        raise InvalidMessageError("no Amt")
    code = currency(amount)
    if code is None:
        raise InvalidMessageError("currency is not in ISO 4217")
    digits = text(amount)
    if not _AMOUNT.fullmatch(digits):
        raise InvalidMessageError("Amt is no amount")
    try:
        units = to_minor(digits, code)
    except ValueError:
        raise InvalidMessageError(f"Amt has more decimals than {code}") from None
    if units > LONG_MAX:
        raise InvalidMessageError("Amt is too large")
    return units


def sign(indicator: str) -> int | None:
    """Return what a `CdtDbtInd` makes of an amount, 1 or -1; None where it is neither."""
    if indicator == CreditDebit.CREDIT:
        return 1
    return -1 if indicator == CreditDebit.DEBIT else None


def balance(element: Element, *, own: bool = False) -> tuple[int, str] | None:
    """Find the booked balance, in minor units, and its currency; None where there is no balance.

    Args:
        element: An entry; or, with `own`, a notification.
        own: Look only at the notification's own balance, not at those of its entries.

    Raises:
        InvalidMessageError: There are several, or it cannot be read.
    """
    if own:
        found = element.findall("Bal")
        for supplement in element.findall("SplmtryData"):
            found += supplement.iter("Bal")
    else:
        found = list(element.iter("Bal"))
    found = [each for each in found if _is_booked(each)]
    if not found:
        return None
    if len(found) > 1:
        raise InvalidMessageError("more than one Bal of what is booked")
    amount = child(found[0], "Amt")
    try:
        units = minor(amount)
    except InvalidMessageError as error:
        raise InvalidMessageError(f"Bal: {error}") from None
    direction = sign(text(found[0], "CdtDbtInd"))
    if direction is None:
        raise InvalidMessageError("Bal: CdtDbtInd is neither CRDT nor DBIT")
    return direction * units, currency(amount) or ""


def _is_booked(element: Element) -> bool:
    kind = child(element, "Tp")
    return kind is None or text(kind, "CdOrPrtry", "Cd") in _BOOKED_BALANCES
