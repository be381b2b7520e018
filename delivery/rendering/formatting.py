"""Writes an alert's values as its reader's language has them: amounts, times, names. Pure functions."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name
from babel.units import format_unit

from account_alerts.model.masking import masked
from account_alerts.model.money import exponent, format_minor, locale
from account_alerts.records.codec import Record
from delivery.alert import integer_param
from delivery.gateways.sms import gsm
from delivery.policy import time_zone
from delivery.rendering.texts import OTHER, readable

OPTIONAL = frozenset({"amount", "account", "product"})
"""What a text may ask for and do without (`{% if amount %}`). Where another is missing, OTHER is taken."""
_LONGEST_NAME = 80
"""Letters of a name that an alert brings along, such as a product's."""
_SPACES = re.compile(r"\s+")

MoneyFormat = Callable[[int, str, str], str]
"""From minor units, a currency and a language to text."""


def format_values(alert: Record, language: str, money: MoneyFormat = format_minor) -> dict[str, str]:
    """Return what texts may ask for; a value that the alert lacks is missing, or empty if optional."""
    language = readable(language)
    params: Mapping[str, str] = alert["params"]
    found = dict.fromkeys(OPTIONAL, "")
    found["rule"] = clean(alert["alert_type"].replace("_", " ")).capitalize() or OTHER
    if alert["account_id"]:
        found["account"] = clean(masked(alert["account_id"]))
    for name in ("threshold", "amount", "balance"):
        minor = integer_param(params, f"{name}_minor")
        if minor is not None and _is_currency(alert["currency"]):
            found[name] = money(minor, alert["currency"], language)
    if (count := integer_param(params, "count")) is not None:
        found["count"] = str(count)
    if (minutes := integer_param(params, "window_minutes")) is not None:
        found["window"] = format_unit(minutes, "duration-minute", locale=locale(language))
    if params.get("product"):
        found["product"] = clean(params["product"])
    return found


def sms_money(minor: int, currency: str, language: str) -> str:
    """Format an amount for an SMS: with the currency's code where its sign is not in the GSM alphabet."""
    shown = gsm.simplify(format_minor(minor, currency, language))
    return shown if gsm.is_gsm(shown) else gsm.simplify(format_minor(minor, currency, language, code=True))


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


def clean(text: str) -> str:
    """Put a text that came with an alert on one line: no control or direction characters, not too long."""
    kept = "".join(" " if unicodedata.category(letter).startswith(("C", "Z")) else letter for letter in text)
    short = _SPACES.sub(" ", kept).strip()
    return short if len(short) <= _LONGEST_NAME else short[: _LONGEST_NAME - 1] + "…"


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
