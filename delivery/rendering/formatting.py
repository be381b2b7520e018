"""Writes values as their reader's language has them: amounts, times, countries. Pure functions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name
from babel.lists import format_list
from babel.numbers import format_decimal

from account_alerts.config.gateways import Disclosure
from account_alerts.model.money import exponent, format_minor, locale
from delivery.gateways.sms import gsm
from delivery.policy import time_zone
from delivery.rendering.texts import choose, readable

MoneyFormat = Callable[[int, str, str], str]
"""From minor units, a currency and a language to text."""


@dataclass(frozen=True)
class Style:
    """How a channel writes values."""

    money: MoneyFormat = format_minor
    longest_name: int = 80
    """Characters of a name that an alert brings along, such as a shop's or a product's.

    0: without names, and without what was paid in another currency.
    """
    longest_rule: int = 50
    """Characters of an analysts' rule's name, a title: phones show no more of one on the lock screen."""
    disclosure: Disclosure = "full"
    quotes: bool = True
    """Whether what the other party wrote may be shown, as theirs."""


def sms_money(minor: int, currency: str, language: str) -> str:
    """Format an amount for an SMS: with the currency's code where its sign is not in the GSM alphabet."""
    shown = gsm.simplify(format_minor(minor, currency, language))
    return shown if gsm.is_gsm(shown) else gsm.simplify(format_minor(minor, currency, language, code=True))


SMS_STYLE = Style(sms_money, 40, 40, quotes=False)
PUSH_STYLE = Style(longest_name=40, quotes=False)


def format_number(number: int, language: str) -> str:
    """Format a whole number as the language's readers write it."""
    return format_decimal(number, locale=locale(readable(language)))


def format_window(minutes: int, language: str) -> str:
    """Format a time span in days, hours and minutes, in the case that the language's texts ask for."""
    hours, rest = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    spans = {"days": days, "hours": hours, "minutes": rest} if minutes > 0 else {"minutes": minutes}
    written = [
        choose(language).word(unit, {"count": format_number(count, language)}, count)
        for unit, count in spans.items()
        if count or len(spans) == 1
    ]
    return format_list(written, locale=locale(readable(language)))


def local_time(ms: int, zone: str) -> datetime:
    """Return a time in milliseconds UTC as a customer's clock shows it.

    UTC where the zone is not known, and where its clock would show a year after 9999.
    """
    at = datetime.fromtimestamp(ms // 1000, UTC)
    try:
        return at.astimezone(time_zone(zone))
    except OverflowError:
        return at


def format_local_time(at: datetime, language: str, *, zone: bool = False) -> str:
    """Format a time as the language's readers write it, on request with its zone's name.

    The month stands as a word or in full order (`26 okt 2025`): `10/11/25` means two days.
    """
    chosen = locale(readable(language))
    text = f"{format_date(at, 'medium', locale=chosen)}, {format_time(at, 'short', locale=chosen)}"
    return f"{text} {_zone_name(at, chosen)}" if zone else text


def _zone_name(at: datetime, chosen: Locale) -> str:
    """Return `MEZ` where the language has such a name, else how far it is from UTC."""
    name = get_timezone_name(at, "short", locale=chosen)
    return name if name[:1].isalpha() else format_time(at, "OOOO", locale=chosen)


def format_country(code: str, language: str) -> str | None:
    """Return a country's name by itself; None where CLDR has none for the code (ISO 3166-1, two letters)."""
    found: str | None = locale(readable(language)).territories.get(code) if len(code) == 2 else None
    return found


@cache
def is_currency(code: str) -> bool:
    """Tell whether ISO 4217 has a code."""
    try:
        exponent(code)
    except ValueError:
        return False
    return True
