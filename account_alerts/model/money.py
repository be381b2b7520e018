"""Money in minor units, and how a customer reads it.

Decimal throughout: a float cannot hold a cent. The number of decimals is ISO 4217's, not the one that CLDR
advises for display: that prints Serbian dinars without decimals, and so would show a hundred times too much.
"""

import re
from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale
from babel.core import UnknownLocaleError
from babel.numbers import NumberPattern, parse_pattern
from iso4217 import Currency

_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


@cache
def exponent(currency: str) -> int:
    """Return the decimals of a currency's major unit: EUR 2, JPY 0, KWD 3; 0 where there is no minor
    unit (gold).

    Raises:
        ValueError: Not a code of ISO 4217.
    """
    return Currency(currency).exponent or 0


def to_minor(amount: str | Decimal, currency: str) -> int:
    """Convert an amount in major units, such as "12.50", to minor units.

    Raises:
        ValueError: Not a number, not a currency, or finer than the minor unit.
    """
    try:
        scaled = Decimal(amount).scaleb(exponent(currency))
    except ArithmeticError as error:
        raise ValueError(f"{amount!r} is no amount") from error
    minor = int(scaled) if scaled.is_finite() else None
    if minor is None or minor != scaled:
        raise ValueError(f"{amount} {currency} is not a whole number of minor units")
    return minor


def to_major(minor: int, currency: str) -> Decimal:
    """Convert minor units to an amount in major units, with all its decimals: 1250 EUR cents are 12.50."""
    return Decimal(minor).scaleb(-exponent(currency))


@lru_cache(maxsize=10_000)
def format_minor(minor: int, currency: str, language: str, *, code: bool = False) -> str:
    """Format minor units as a reader of the language writes them: 125050 CZK in "cs" is `1 250,50 Kč`.

    With `code` the currency is written as its code, `CZK`.
    """
    chosen = locale(language)
    pattern = _pattern(chosen, exponent(currency), code)
    text: str = pattern.apply(to_major(minor, currency), chosen, currency=currency, currency_digits=False)
    # "RSD1,250.50" is hard to read: Unicode wants a space beside a code of letters, Babel leaves it out.
    return _LETTER_BESIDE_DIGIT.sub("\N{NO-BREAK SPACE}", text)


@cache
def locale(language: str) -> Locale:
    """Find the locale of a BCP 47 language; without its region, or English, where it is not known."""
    for tag in (language, language.split("-")[0]):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return Locale("en")


@cache
def _pattern(chosen: Locale, decimals: int, code: bool) -> NumberPattern:
    sign = "¤¤" if code else "¤"
    pattern = parse_pattern(chosen.currency_formats["standard"].pattern.replace("¤", sign))
    pattern.frac_prec = (decimals, decimals)
    return pattern
