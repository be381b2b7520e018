"""Reads the form of an alert: values to save, or what is wrong with them. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from account_alerts.model.alerts import AMOUNT_TYPES, AlertType, Channel
from web.amounts import AmountError, parse_amount
from web.customer.alert_view import in_force
from web.customer.formats import Formats
from web.customer.model import Typed
from web.forms import Form
from web.store.settings import Setting

_MOST_PAYMENTS = 2**31 - 1
"""An int of Avro."""
_LONGEST_WINDOW = 366 * 1440
_MOVES = (AlertType.CREDITED_ABOVE, AlertType.DEBITED_ABOVE)
_SHOWN_OF_TYPED = 40


@dataclass(frozen=True)
class Values:
    """What a customer chose for an alert."""

    channels: Sequence[str]
    threshold_minor: int | None = None
    count: int | None = None
    window_minutes: int | None = None


def read(form: Form, setting: Setting, formats: Formats, *, new: bool = False) -> Values | Typed:
    """Read the form of an alert.

    Args:
        form: As it was sent.
        setting: What the form is about: its type and currency, and what stays in force.
        formats: The customer's.
        new: Whether nothing is in force yet.
    """
    texts, faults = formats.texts, {}
    channels = [channel for channel in Channel if channel in form.all("channels")]
    threshold, count, window = setting.threshold_minor, setting.count, setting.window_minutes
    if not channels:
        faults["channels"] = str(texts("channels_missing"))
    if setting.alert_type in AMOUNT_TYPES:
        typed = form.get("threshold")
        try:
            threshold = parse_amount(
                typed, setting.currency, texts.tag, negative=setting.alert_type not in _MOVES
            )
        except AmountError as error:
            faults["threshold"] = str(
                texts(
                    f"amount_{error.reason}",
                    typed=_shown(typed),
                    example=error.example,
                    currency=setting.currency,
                )
            )
    if setting.alert_type == AlertType.TRANSACTION_COUNT:
        count = _whole(form.get("count"), _MOST_PAYMENTS)
        if count is None:
            faults["count"] = str(texts("count_unclear", typed=_shown(form.get("count"))))
        window = _whole(form.get("window"), _LONGEST_WINDOW) or None
        if window is None:
            faults["window"] = str(texts("window_unclear"))
    if not faults:
        return Values(channels, threshold, count, window)
    going_on = None if new else in_force(setting, formats)
    for name in ("threshold", "count"):
        if name in faults and going_on:
            faults[name] += f" {texts('goes_on', what=going_on)}"
    return Typed({name: form.get(name) for name in ("threshold", "count", "window")}, channels, faults)


def _whole(typed: str, most: int) -> int | None:
    text = typed.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    return int(text) if int(text) <= most else None


def _shown(typed: str) -> str:
    text = typed.strip()
    return text if len(text) <= _SHOWN_OF_TYPED else f"{text[:_SHOWN_OF_TYPED]}…"
