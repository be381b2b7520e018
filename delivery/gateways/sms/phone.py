"""Phone numbers, read by the numbering plans of libphonenumber."""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

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
    plain = _plan(text)
    if _TRUNK_ZERO.search(text) and not (plain and phonenumbers.is_valid_number(plain)):
        # The plan knows of no trunk zero, or does not know the country.
        text = _TRUNK_ZERO.sub("", text, count=1)
        plain = _plan(text)
    found = _INTERNATIONAL.fullmatch(_WRITTEN.sub("", text))
    if found is None:
        return None
    digits = found[1]
    if plain is not None:
        digits = phonenumbers.format_number(plain, PhoneNumberFormat.E164).removeprefix("+")
    return digits if _E164.fullmatch(digits) else None


def _plan(text: str) -> PhoneNumber | None:
    """Read a number by its country's plan; None where it is none, or of no country that is known."""
    found = _INTERNATIONAL.fullmatch(_WRITTEN.sub("", text))
    try:
        return phonenumbers.parse(f"+{found[1]}", None) if found else None
    except NumberParseException:
        return None
