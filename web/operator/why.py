"""Why a setting was raised by a booking, or why not, by the rules of the data contract. Pure functions.

It says what those settings make of the booking that the bank's database had at that time; what was raised
stands in the alert itself, and counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from account_alerts.model.alerts import AMOUNT_TYPES, AlertType, CreditDebit
from account_alerts.model.money import format_minor


@dataclass(frozen=True)
class Booking:
    """What the rules look at; amounts in minor units, the time in milliseconds UTC."""

    entry_id: str
    account_id: str
    currency: str
    amount: int
    credit: bool | None
    """None: it is not known which way the money went."""
    balance: int | None
    booked_at: int
    entry_type: str = ""

    @property
    def before(self) -> int | None:
        """The balance before it."""
        if self.balance is None or self.credit is None:
            return None
        return self.balance - (self.amount if self.credit else -self.amount)


@dataclass(frozen=True)
class Verdict:
    """One setting, and what it made of a booking."""

    sentence: str
    """What it asks for."""
    raised: bool | None
    """None: it cannot be told from one booking."""
    because: str


def money(minor: int, currency: str) -> str:
    """Return an amount for an operator to read."""
    try:
        return format_minor(minor, currency, "en")
    except ValueError:
        return f"{minor} {currency}"


def sentence(setting: Mapping[str, Any]) -> str:
    """Say what a setting asks for, with its channels."""
    kind, currency = setting["alert_type"], setting.get("currency") or ""
    limit = "" if setting.get("threshold_minor") is None else money(setting["threshold_minor"], currency)
    texts = {
        AlertType.BALANCE_ABOVE: f"The balance rises above {limit}",
        AlertType.BALANCE_BELOW: f"The balance falls below {limit}",
        AlertType.CREDITED_ABOVE: f"More than {limit} comes in",
        AlertType.DEBITED_ABOVE: f"More than {limit} goes out at once",
        AlertType.TRANSACTION_COUNT: (
            f"More than {setting.get('count')} card payments in {setting.get('window_minutes')} minutes"
        ),
        AlertType.APPLICATION_REMINDER: "An application is not finished",
    }
    text = texts.get(kind, f"The rule {kind}")
    channels = setting.get("channels")
    return f"{text}, by {_listed(channels)}" if channels else text


def judge(setting: Mapping[str, Any], booking: Booking) -> Verdict:
    """Say what a setting makes of a booking, as the data contract has it.

    Args:
        setting: As it stands in the bank's database.
        booking: The booking, on the setting's account.
    """
    raised, because = _judge(setting, booking)
    snoozed = setting.get("snoozed_until")
    if snoozed is not None and snoozed > booking.booked_at:
        because += ". It was snoozed then: its messages wait"
    return Verdict(sentence(setting), raised, because)


def _judge(setting: Mapping[str, Any], booking: Booking) -> tuple[bool | None, str]:
    kind, limit = setting["alert_type"], setting.get("threshold_minor")
    if setting.get("enabled") is False:
        return False, "it was switched off"
    if setting["currency"] != booking.currency:
        return False, f"it is for {setting['currency']}, and the booking is in {booking.currency}"
    if kind == AlertType.TRANSACTION_COUNT:
        if booking.entry_type and booking.entry_type != "CARD":
            return False, "this is no card payment"
        return None, "it counts payments: one booking alone does not tell"
    if kind not in AMOUNT_TYPES or limit is None:
        return None, "it is not about amounts"
    if booking.credit is None:
        return None, "it is not known which way the money went"
    if kind in (AlertType.CREDITED_ABOVE, AlertType.DEBITED_ABOVE):
        return _judge_amount(kind == AlertType.CREDITED_ABOVE, limit, booking)
    return _judge_balance(kind == AlertType.BALANCE_ABOVE, limit, booking)


def _judge_amount(wants_credit: bool, limit: int, booking: Booking) -> tuple[bool, str]:
    amount, wanted = money(booking.amount, booking.currency), money(limit, booking.currency)
    if booking.credit is not wants_credit:
        return False, "the money came in" if booking.credit else "the money went out"
    if booking.amount > limit:
        return True, f"{amount} is more than {wanted}"
    return False, f"{amount} is not more than {wanted}"


def _judge_balance(above: bool, limit: int, booking: Booking) -> tuple[bool, str]:
    before, after = booking.before, booking.balance
    if before is None or after is None:
        return False, "the bank did not say the balance"
    path = f"from {money(before, booking.currency)} to {money(after, booking.currency)}"
    if above:
        crossed, was_there = after > limit >= before, before > limit and after > limit
    else:
        crossed, was_there = after < limit <= before, before < limit and after < limit
    if crossed:
        return True, path
    side = "above" if above else "below"
    return False, f"{path}: it was {side} before" if was_there else f"{path}: it is not {side}"


def booking_of_alert(alert: Mapping[str, Any]) -> Booking | None:
    """Return the booking that an alert tells of; None where it is of none."""
    params = alert["params"]
    try:
        amount = int(params["amount_minor"])
        balance = int(params["balance_minor"]) if "balance_minor" in params else None
    except (KeyError, ValueError):
        return None
    direction = params.get("credit_debit")
    kind = alert["alert_type"]
    # Alerts of before the direction was in them: it follows from the type, where it does.
    if direction is None and kind in (AlertType.BALANCE_ABOVE, AlertType.CREDITED_ABOVE):
        direction = CreditDebit.CREDIT
    elif direction is None and kind in (AlertType.BALANCE_BELOW, AlertType.DEBITED_ABOVE):
        direction = CreditDebit.DEBIT
    return Booking(
        alert["entry_id"],
        alert["account_id"],
        alert["currency"],
        amount,
        None if direction is None else direction == CreditDebit.CREDIT,
        balance,
        alert["booked_at"],
        params.get("entry_type", ""),
    )


def booking_of_row(row: Mapping[str, Any]) -> Booking:
    """Return the booking of a row of the bank's database."""
    return Booking(
        row["entry_id"],
        row["account_id"],
        row["currency"],
        row["amount_minor"],
        row["credit_debit"] == CreditDebit.CREDIT,
        row["balance_minor"],
        row["booked_ms"],
        row["entry_type"],
    )


_CHANNELS = {"EMAIL": "e-mail", "SMS": "SMS", "PUSH": "push"}


def channel_words(channel: str) -> str:
    """Return a channel's name within a sentence."""
    return _CHANNELS.get(channel, channel)


def _listed(channels: list[str]) -> str:
    words = [channel_words(channel) for channel in dict.fromkeys(channels)]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
