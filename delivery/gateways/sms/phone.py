"""Phone numbers, read by the numbering plans of libphonenumber."""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

_INTERNATIONAL = re.compile(r"(?:\+|00)?([1-9]\d{6,16})", re.ASCII)
_E164 = re.compile(r"[1-9]\d{6,14}", re.ASCII)
_WRITTEN = re.compile(r"[\s()./\u2010-\u2015\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff-]")
"""What stands between digits, and the invisible marks that phones copy with a number."""
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")


@lru_cache(maxsize=50_000)
def international(text: str) -> str | None:
    """Return the digits of an international number (E.164) without `+` or `00`; None where it is none.

    A trunk zero, which is dialled within the country only, is dropped: `+49 (0) 209 2233445` is
    492092233445. One that belongs to the number stays, as in Italy. Whether the number can exist is the
    SMSC's to say: plans change, and one that is unknown here must not cost an alert.
    """
    digits = _digits(text)
    planned = _by_plan(digits) if digits else None
    if planned is None and _TRUNK_ZERO.search(text):
        # The plan knows of no trunk zero, or does not know the country.
        digits = _digits(_TRUNK_ZERO.sub("", text, count=1))
    number = planned or digits
    return number if number and _E164.fullmatch(number) else None


def _digits(text: str) -> str | None:
    found = _INTERNATIONAL.fullmatch(_WRITTEN.sub("", text))
    return found[1] if found else None


def _by_plan(digits: str) -> str | None:
    """Return a number without its trunk zero; None where its country's plan has no such number."""
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except NumberParseException:
        return None
    planned = phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")
    return planned if phonenumbers.is_valid_number(number) else None
