"""Writes an alert's values as its reader's language has them: amounts, times, names. Pure functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name
from babel.lists import format_list
from babel.numbers import format_decimal

from account_alerts.model.masking import masked
from account_alerts.model.money import exponent, format_minor, locale
from account_alerts.records.codec import Record
from delivery.gateways.sms import gsm
from delivery.policy import time_zone
from delivery.reasons import integer_param
from delivery.rendering.names import clean_name
from delivery.rendering.texts import OTHER, choose, readable

OPTIONAL = frozenset({"amount", "account", "product"})
"""What a text may ask for and do without (`{% if amount %}`). Where another is missing, OTHER is taken."""
_LONGEST_RULE = 50
"""Characters of an analysts' rule's name, a title: phones show no more of one on the lock screen."""
_SHOWN_OF_ACCOUNT = 4

MoneyFormat = Callable[[int, str, str], str]
"""From minor units, a currency and a language to text."""


@dataclass(frozen=True)
class Style:
    """How a channel writes values."""

    money: MoneyFormat = format_minor
    longest_name: int = 80
    """Characters of a name that an alert brings along, such as a product's."""


def format_values(alert: Record, language: str, style: Style) -> dict[str, str]:
    """Return what texts may ask for; a value that the alert lacks is missing, or empty if optional.

    What the other party of a booking wrote (`description`) is no value: it reaches no message.
    """
    language = readable(language)
    params: Mapping[str, str] = alert["params"]
    found = dict.fromkeys(OPTIONAL, "")
    rule = clean_name(alert["alert_type"].replace("_", " "), min(_LONGEST_RULE, style.longest_name))
    found["rule"] = rule.capitalize() or OTHER
    if tail := clean_name(masked(alert["account_id"]).removeprefix("…"), _SHOWN_OF_ACCOUNT):
        found["account"] = f"…{tail}"
    for name in ("threshold", "amount", "balance"):
        minor = integer_param(params, f"{name}_minor")
        if minor is not None and _is_currency(alert["currency"]):
            found[name] = style.money(minor, alert["currency"], language)
    if (count := integer_param(params, "count")) is not None:
        found["count"] = format_number(count, language)
    if (minutes := integer_param(params, "window_minutes")) is not None:
        found["window"] = format_window(minutes, language)
    if params.get("product"):
        found["product"] = clean_name(params["product"], style.longest_name)
    return found


def sms_money(minor: int, currency: str, language: str) -> str:
    """Format an amount for an SMS: with the currency's code where its sign is not in the GSM alphabet."""
    shown = gsm.simplify(format_minor(minor, currency, language))
    return shown if gsm.is_gsm(shown) else gsm.simplify(format_minor(minor, currency, language, code=True))


SMS_STYLE = Style(sms_money, 40)
"""With the longest name, every text is one SMS."""


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


@cache
def _is_currency(code: str) -> bool:
    try:
        exponent(code)
    except ValueError:
        return False
    return True
