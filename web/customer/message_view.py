"""How a message looks: in the list, and whole with why, where it went and how fast. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel import Locale

from account_alerts.model.alerts import AMOUNT_TYPES, AlertType, Channel, DeliveryState, EntryType
from account_alerts.model.money import locale
from account_alerts.records.codec import Codec, CodecError, Record
from delivery.ledger.audit import balance_before
from delivery.policy import DeferralReason
from delivery.reasons import integer_param
from delivery.rendering.names import clean_name
from delivery.rendering.render import render_text
from web.customer.alert_view import SHOWN_CHANNELS, State, anchor
from web.customer.alerts_page import account_tail, account_words
from web.customer.formats import Formats
from web.customer.model import to_ms
from web.store.messages import Message
from web.store.pools import Row

_ICONS = {
    AlertType.BALANCE_BELOW: "low",
    AlertType.BALANCE_ABOVE: "high",
    AlertType.DEBITED_ABOVE: "out",
    AlertType.CREDITED_ABOVE: "in",
    AlertType.TRANSACTION_COUNT: "card",
    AlertType.APPLICATION_REMINDER: "pen",
}
CHANNEL_ICONS = {Channel.PUSH: "push", Channel.EMAIL: "mail", Channel.SMS: "sms"}
_STATES = {
    DeliveryState.DELIVERED: ("good", "check"),
    DeliveryState.SENT: ("good", "check"),
    DeliveryState.UNDELIVERED: ("bad", "warn"),
    DeliveryState.REJECTED: ("bad", "warn"),
    DeliveryState.EXPIRED: ("rest", "off"),
    DeliveryState.CANCELLED: ("rest", "off"),
}
_LONGEST_NAME, _LONGEST_QUOTE = 80, 140


@dataclass(frozen=True)
class Line:
    """A message in the list."""

    key: str
    alert_id: str
    icon: str
    title: str
    text: str
    time: str
    day: str
    iso: str
    at: int
    """Milliseconds UTC: the newest come first."""
    via: Sequence[tuple[str, str]]
    """Icons and names of the channels that told it."""
    unread: bool


@dataclass(frozen=True)
class Detail:
    """A whole message."""

    line: Line
    account: str
    when: str
    facts: Sequence[tuple[str, str]]
    quote: str
    reasons: Sequence[str]
    setting_anchor: str | None
    """Of the alert that raised it first; None: it was no alert of the customer's."""
    is_rule: bool
    booked: str | None
    told: str | None
    took: str | None
    where: Sequence[tuple[str, str, str, State]]
    """Icon, channel, address and state of each delivery."""


def line(message: Message, decoder: Codec, formats: Formats) -> Line:
    """Return a message as the list shows it."""
    row = message.deliveries[0]
    alert = _decode(row, decoder)
    at = to_ms(row["raised_at"] or row["received_at"]) or 0
    if alert is None:
        title, text = str(formats.texts(_type_key(row["alert_type"]))), ""
    else:
        at = alert["booked_at"] if alert["entry_id"] else at
        rendered = render_text(alert, formats.texts.tag)
        title, text = rendered.title, rendered.text
    told = {
        each["channel"]
        for each in message.deliveries
        if each["state"] in (DeliveryState.SENT, DeliveryState.DELIVERED)
    }
    via = [
        (CHANNEL_ICONS[channel], str(formats.texts(f"channel_{channel}")))
        for channel in SHOWN_CHANNELS
        if channel in told
    ]
    return Line(
        key=f"m{message.key}",
        alert_id=message.alert_id,
        icon=_ICONS.get(row["alert_type"], "bell"),
        title=title,
        text=text,
        time=formats.clock(at),
        day=formats.day(at),
        iso=formats.iso(at),
        at=to_ms(message.received_at) or 0,
        via=via or [("inbox", str(formats.texts("inbox_only")))],
        unread=not message.is_read,
    )


def detail(message: Message, decoder: Codec, formats: Formats, names: Mapping[str, str | None]) -> Detail:
    """Return a whole message.

    Args:
        message: With all its deliveries.
        decoder: Reads the alerts.
        formats: The customer's.
        names: What the customer calls their accounts, by number.
    """
    texts, shown = formats.texts, line(message, decoder, formats)
    row = message.deliveries[0]
    alert = _decode(row, decoder)
    account = (
        account_words(row["account_id"], names.get(row["account_id"]), formats) if row["account_id"] else ""
    )
    sent = [at for each in message.deliveries if (at := to_ms(each["sent_at"])) is not None]
    booked = alert["booked_at"] if alert is not None and alert["entry_id"] else None
    took = None
    if booked is not None and sent and min(sent) >= booked:
        took = str(texts("seconds", seconds=formats.number(round((min(sent) - booked) / 1000, 3))))
    reasons = [] if alert is None else _reasons(alert, formats)
    return Detail(
        line=shown,
        account=account,
        when=f"{shown.day}, {shown.time}",
        facts=[] if alert is None else _facts(alert, formats),
        quote="" if alert is None else clean_name(alert["params"].get("description", ""), _LONGEST_QUOTE),
        reasons=_why(reasons, message.deliveries, account, formats),
        setting_anchor=anchor(row["setting_id"]) if reasons else None,
        is_rule=not reasons,
        booked=None if booked is None else formats.exact(booked),
        told=formats.exact(min(sent)) if sent else None,
        took=took,
        where=[_where(each, formats) for each in message.deliveries],
    )


def _decode(row: Row, decoder: Codec) -> Record | None:
    try:
        return None if row["record"] is None else decoder.decode("OutboundAlert", bytes(row["record"]))
    except CodecError:
        return None


def _type_key(alert_type: str) -> str:
    return f"type_{alert_type}" if alert_type in set(AlertType) else "type_OTHER"


def _reasons(alert: Record, formats: Formats) -> list[str]:
    """Return what the customer asked for, in words: the most important first."""
    params = alert["params"]
    own = {
        "alert_type": alert["alert_type"],
        **{name: integer_param(params, name) for name in ("threshold_minor", "count", "window_minutes")},
    }
    words = []
    for reason in alert["reasons"] or [own]:
        kind = reason["alert_type"]
        if kind in AMOUNT_TYPES and reason["threshold_minor"] is not None:
            amount = formats.money(reason["threshold_minor"], alert["currency"])
            words.append(str(formats.texts(f"asked_{kind}", amount=amount)))
        elif kind == AlertType.TRANSACTION_COUNT and None not in (reason["count"], reason["window_minutes"]):
            window = formats.window(reason["window_minutes"])
            count = formats.number(reason["count"])
            words.append(str(formats.texts(f"asked_{kind}", count=count, window=window)))
        elif kind == AlertType.APPLICATION_REMINDER:
            words.append(str(formats.texts(f"asked_{kind}")))
    return words


def _why(reasons: Sequence[str], deliveries: Sequence[Row], account: str, formats: Formats) -> Sequence[str]:
    texts = formats.texts
    if not reasons:
        return [texts("why_rule")]
    asked = {each["channel"] for each in deliveries}
    channels = texts.listed([str(texts(f"channel_{each}")) for each in SHOWN_CHANNELS if each in asked])
    key = "why_asked" if account else "why_asked_plain"
    first = texts(key, channels=channels, asked=reasons[0], account=account)
    return [first, *(texts("why_also", asked=each) for each in reasons[1:])]


def _facts(alert: Record, formats: Formats) -> list[tuple[str, str]]:
    """Return what is known of a booking, as far as it says."""
    texts, params, currency = formats.texts, alert["params"], alert["currency"]
    amount, balance = integer_param(params, "amount_minor"), integer_param(params, "balance_minor")
    original = integer_param(params, "original_amount_minor")

    def money(minor: int | None, code: str = currency) -> str:
        return "" if minor is None else formats.money(minor, code)

    came_in = params.get("credit_debit") == "CRDT"
    known = {
        "fact_entry": texts(f"entry_{params['entry_type']}")
        if params.get("entry_type") in set(EntryType)
        else "",
        "fact_amount": money(amount),
        "fact_original": money(original, params["original_currency"])
        if "original_currency" in params
        else "",
        "fact_merchant": clean_name(params.get("merchant_name", ""), _LONGEST_NAME),
        "fact_from" if came_in else "fact_to": _other_party(params, formats),
        "fact_card": texts("card_tail", tail=clean_name(params["card_last_four"], 4))
        if params.get("card_last_four")
        else "",
        "fact_country": _country(params.get("country", ""), locale(texts.tag)),
        "fact_before": money(balance_before(alert["alert_type"], balance, amount)),
        "fact_after": money(balance),
    }
    return [(texts(key), value) for key, value in known.items() if value]


def _other_party(params: Mapping[str, str], formats: Formats) -> str:
    name = clean_name(params.get("counterparty_name", ""), _LONGEST_NAME)
    number = params.get("counterparty", "")
    tail = formats.texts("account_tail", tail=clean_name(account_tail(number), 4)) if number else ""
    return ", ".join(filter(None, (name, str(tail))))


def _country(code: str, chosen: Locale) -> str:
    return str(chosen.territories.get(code, "")) if len(code) == 2 else ""


def _where(row: Mapping[str, Any], formats: Formats) -> tuple[str, str, str, State]:
    channel, texts = Channel(row["channel"]), formats.texts
    address = row["address"] if channel is not Channel.PUSH else ""
    return CHANNEL_ICONS[channel], str(texts(f"channel_{channel}")), address or "", _went(row, formats)


def _went(row: Mapping[str, Any], formats: Formats) -> State:
    """Say what became of a delivery."""
    known = DeliveryState(row["state"])
    times: dict[DeliveryState, datetime | None] = {
        DeliveryState.SENT: row["sent_at"],
        DeliveryState.DELIVERED: row["delivered_at"],
        DeliveryState.DEFERRED: row["due_at"],
    }
    at = to_ms(times.get(known))
    key = f"went_{known}"
    if known is DeliveryState.DEFERRED:
        key += f"_{DeferralReason(row['deferred_for'] or 'quiet').name}"
    kind, icon = _STATES.get(known, ("news", "clock"))
    return State(kind, icon, formats.texts(key, when="" if at is None else formats.soon(at)))
