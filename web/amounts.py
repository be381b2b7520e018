"""Reads amounts as people type them in their language. Nothing is guessed. Pure functions.

`1,000` is a thousand in English and one in Dutch, if it may have three decimals at all: each language's own
marks are read, and what is not whole by them is refused with an example. Blanks group digits everywhere.
"""

import re
from decimal import Decimal
from enum import StrEnum

from babel.numbers import get_decimal_symbol, get_group_symbol, parse_grouping

from account_alerts.model.errors import InvalidRequestError
from account_alerts.model.money import exponent, locale, to_minor

_BLANKS = re.compile(r"[\s\u00a0\u2000-\u200a\u202f\u205f]+")
_APOSTROPHES = "'\u2019"
_MINUS = "-\u2212\u2013"
_LARGEST = 2**63 - 1
"""A long of Avro, a bigint of PostgreSQL."""
_LONGEST = 60


class Reason(StrEnum):
    """Why an amount is refused; the texts have a sentence for each (`amount_missing`)."""

    MISSING = "missing"
    UNCLEAR = "unclear"
    TOO_FINE = "too_fine"
    TOO_LARGE = "too_large"
    NEGATIVE = "negative"


class AmountError(InvalidRequestError):
    """What was typed is no amount of this currency."""

    def __init__(self, reason: Reason, example: str) -> None:
        super().__init__(f"the amount is {reason.value.replace('_', ' ')}; write it like {example}")
        self.reason, self.example = reason, example


def parse_amount(typed: str, currency: str, language: str, *, negative: bool = True) -> int:
    """Read an amount that somebody typed, in minor units.

    Args:
        typed: With the language's marks, with or without the currency's sign or code.
        currency: ISO 4217.
        language: BCP 47.
        negative: Whether it may be below zero.

    Raises:
        AmountError: It is none, or could be read in two ways.
        ValueError: `currency` is no currency.
    """
    text = _without_currency(_BLANKS.sub(" ", typed).strip(" "), currency, language)
    if not text:
        raise _refusal(Reason.MISSING if not typed.strip() else Reason.UNCLEAR, currency, language)
    sign, digits = (-1, text[1:].strip(" ")) if text[0] in _MINUS else (1, text)
    decimal = get_decimal_symbol(locale(language))
    whole, mark, fraction = digits.partition(decimal)
    whole_digits = _ungrouped(whole, language)
    if len(typed) > _LONGEST or whole_digits is None or (mark and not _is_digits(fraction)):
        raise _refusal(Reason.UNCLEAR, currency, language)
    if len(fraction) > exponent(currency):
        raise _refusal(Reason.TOO_FINE, currency, language)
    minor = sign * to_minor(Decimal(f"{whole_digits}.{fraction or 0}"), currency)
    if abs(minor) > _LARGEST:
        raise _refusal(Reason.TOO_LARGE, currency, language)
    if minor < 0 and not negative:
        raise _refusal(Reason.NEGATIVE, currency, language)
    return minor


def type_amount(minor: int, currency: str, language: str) -> str:
    """Write an amount as a field shows it: grouped, without the currency; `parse_amount` reads it back."""
    decimals, chosen = exponent(currency), locale(language)
    whole, rest = divmod(abs(minor), 10**decimals)
    groups = _group(str(whole), language)
    text = get_group_symbol(chosen).join(groups)
    if decimals:
        text += f"{get_decimal_symbol(chosen)}{rest:0{decimals}}"
    return f"\N{MINUS SIGN}{text}" if minor < 0 else text


def example(currency: str, language: str) -> str:
    """Return an amount as the language writes it: `1,000.50`."""
    return type_amount(1000 * 10 ** exponent(currency) + _half(currency), currency, language)


def _half(currency: str) -> int:
    return 10 ** exponent(currency) // 2 if exponent(currency) else 0


def _refusal(reason: Reason, currency: str, language: str) -> AmountError:
    return AmountError(reason, example(currency, language))


def _without_currency(text: str, currency: str, language: str) -> str:
    """Take the currency's sign or code off the end where it stands; another currency's stays."""
    symbols = locale(language).currency_symbols
    for name in sorted({currency, symbols.get(currency, currency)}, key=len, reverse=True):
        if text.casefold().startswith(name.casefold()):
            return text[len(name) :].strip(" ")
        if text.casefold().endswith(name.casefold()):
            return text[: -len(name)].strip(" ")
        # "-€ 100.00", as some languages write it.
        if text[:1] in _MINUS and text[:1] and text[1:].lstrip(" ").casefold().startswith(name.casefold()):
            return text[0] + text[1:].lstrip(" ")[len(name) :].strip(" ")
    return text


def _ungrouped(whole: str, language: str) -> str | None:
    """Return the digits of a whole number; None where it is none, or not grouped as the language does."""
    if _is_digits(whole):
        return whole
    own = get_group_symbol(locale(language))
    own = " " if _BLANKS.fullmatch(own) else own
    own = _APOSTROPHES[0] if own in _APOSTROPHES else own
    text = whole.replace(_APOSTROPHES[1], _APOSTROPHES[0]) if own == _APOSTROPHES[0] else whole
    for mark, sizes in ((own, _sizes(language)), (" ", (3, 3))):
        groups = text.split(mark)
        digits = "".join(groups)
        if len(groups) > 1 and _is_digits(digits) and groups == _split(digits, sizes):
            return digits
    return None


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _sizes(language: str) -> tuple[int, int]:
    """Return how many digits the last group has, and each before it."""
    pattern = locale(language).decimal_formats[None].pattern
    first, others = parse_grouping(pattern.split(";")[0].partition(".")[0])
    return first, others


def _split(digits: str, sizes: tuple[int, int]) -> list[str]:
    last, others = sizes
    head, groups = digits[:-last], [digits[-last:]]
    while head:
        head, group = head[:-others], head[-others:]
        groups.insert(0, group)
    return groups


def _group(digits: str, language: str) -> list[str]:
    return _split(digits, _sizes(language))
