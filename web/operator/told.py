"""Whether a customer was told of a booking, when, by what path, and why: from the ledger's rows.

Pure functions. Times are milliseconds UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from account_alerts.model.alerts import DeliveryState
from delivery.ledger.audit import list_steps, mask_address
from delivery.policy import DeferralReason
from web.operator.chain import duration_words
from web.operator.why import Booking, booking_of_alert, booking_of_row, channel_words, money, sentence

_TOLD = frozenset({DeliveryState.SENT, DeliveryState.DELIVERED})
_OPEN = frozenset({DeliveryState.CLAIMED, DeliveryState.DEFERRED, DeliveryState.RETRYING})
_WHERE = {
    "raised": "alerting job",
    "written to Kafka": "topic",
    "received": "sender, ledger",
    DeliveryState.SENT.value: "gateway has it",
    DeliveryState.DELIVERED.value: "gateway says it arrived",
}
_WAITS = {
    DeferralReason.QUIET_HOURS: "quiet hours",
    DeferralReason.SNOOZE: "a snooze",
    DeferralReason.DIGEST: "a digest's time",
}
_STATE_WORDS = {
    DeliveryState.CLAIMED: "is being sent",
    DeliveryState.RETRYING: "is tried again",
    DeliveryState.UNDELIVERED: "did not arrive",
    DeliveryState.REJECTED: "was refused",
    DeliveryState.CANCELLED: "was withdrawn",
    DeliveryState.EXPIRED: "was too old to be sent",
}


@dataclass(frozen=True)
class Hop:
    """One step of a message's path."""

    name: str
    where: str
    at: int
    took: int | None
    """Since the step before; None of the first."""
    start: float
    """Where it begins and ends in the whole path, 0 to 1."""
    end: float


@dataclass(frozen=True)
class Message:
    """One alert: what became of it for one address."""

    alert_id: str
    customer_id: str | None
    channel: str
    state: str
    address: str
    answer: str
    """`by e-mail after 81 ms`, or why not."""
    told: bool
    waits: bool
    hops: tuple[Hop, ...]
    reasons: tuple[str, ...]
    """The settings that raised it, as sentences, the most important first."""
    reference: str | None
    attempts: int


@dataclass(frozen=True)
class Event:
    """A booking, or what else an alert told of, with all its messages."""

    key: str
    """The booking's id; the alert's, where it is of no booking."""
    at: int
    account_id: str
    booking: Booking | None
    messages: tuple[Message, ...] = field(default=())

    @property
    def health(self) -> str:
        """`good`: they were told. `news`: they will be. `warn`: a message failed. `rest`: none was raised."""
        if any(message.told for message in self.messages):
            return "good"
        if any(message.waits for message in self.messages):
            return "news"
        return "warn" if self.messages else "rest"

    @property
    def summary(self) -> str:
        """Whether they were told, in a few words."""
        told = _channels(message.channel for message in self.messages if message.told)
        if told:
            return f"Told: {told}"
        if any(message.waits for message in self.messages):
            return "Not yet told"
        return "Not told: a message failed" if self.messages else "No alert was raised"

    @property
    def answer(self) -> str:
        """The whole answer, in a sentence or two."""
        if not self.messages:
            return "No: no alert was raised for this booking."
        told = [message.answer for message in self.messages if message.told]
        others = [message.answer for message in self.messages if not message.told]
        parts = [f"Yes: {', and '.join(told)}."] if told else ["No."]
        parts += [f"{text[:1].upper()}{text[1:]}." for text in others]
        return " ".join(parts)


def events(
    rows: Iterable[tuple[Mapping[str, Any], Mapping[str, Any] | None]], booked: Iterable[Any]
) -> list[Event]:
    """Group deliveries by their booking, the newest first, and the bookings that raised nothing with them.

    Args:
        rows: Rows of the ledger, each with its OutboundAlert; None where that was erased.
        booked: Rows of the bank's table of bookings.
    """
    bookings = {row["entry_id"]: booking_of_row(row) for row in booked}
    groups: dict[str, list[tuple[Mapping[str, Any], Mapping[str, Any] | None]]] = {}
    for row, alert in rows:
        groups.setdefault(row["entry_id"] or row["alert_id"], []).append((row, alert))
    found = []
    for key in {**groups, **bookings}:
        group = groups.get(key, [])
        alerts = [alert for _, alert in group if alert is not None]
        booking = bookings.get(key) or next(filter(None, map(booking_of_alert, alerts)), None)
        at = booking.booked_at if booking else _first_time(group)
        account = booking.account_id if booking else (alerts[0]["account_id"] if alerts else "")
        messages = tuple(message(row, alert) for row, alert in group)
        found.append(Event(key, at, account, booking, messages))
    return sorted(found, key=lambda event: (-event.at, event.key))


def message(row: Mapping[str, Any], alert: Mapping[str, Any] | None) -> Message:
    """Describe one delivery.

    Args:
        row: Of the ledger.
        alert: Its OutboundAlert; None where it was erased.
    """
    state = DeliveryState(row["state"])
    told = state in _TOLD
    hops = _hops(row)
    return Message(
        row["alert_id"],
        row["customer_id"],
        row["channel"],
        state.value,
        mask_address(row["address"]),
        _answer(row, state),
        told,
        state in _OPEN,
        hops,
        tuple(_reasons(alert)) if alert else (),
        row["reference"],
        row["attempts"],
    )


def booking_words(booking: Booking) -> str:
    """Say what a booking was, in a few words: `€312.40 out`."""
    direction = "" if booking.credit is None else (" in" if booking.credit else " out")
    return f"{money(booking.amount, booking.currency)}{direction}"


def _answer(row: Mapping[str, Any], state: DeliveryState) -> str:
    channel = channel_words(row["channel"])
    reason = f": {row['reason']}" if row["reason"] else ""
    if state in _TOLD:
        since = _ms(row["sent_at"]) - _ms(row["raised_at"] or row["written_at"])
        arrived = ", and it arrived" if state is DeliveryState.DELIVERED else ""
        return f"by {channel} {duration_words(max(0, since))} after the alert was raised{arrived}"
    if state is DeliveryState.DEFERRED:
        why = _WAITS[DeferralReason(row["deferred_for"])]
        return f"by {channel} it waits for the end of {why}"
    return f"by {channel} it {_STATE_WORDS[state]}{reason}"


def _hops(row: Mapping[str, Any]) -> tuple[Hop, ...]:
    steps = list_steps(row)
    if not steps:
        return ()
    first, last = steps[0]["at"], steps[-1]["at"]
    whole = max(1, last - first)
    hops, before = [], first
    for number, step in enumerate(steps):
        where = step["reason"] or _WHERE.get(step["step"], "")
        if step["step"] == "written to Kafka":
            where = f"topic, {row['source_partition']}:{row['source_offset']}"
        took = None if number == 0 else max(0, step["at"] - before)
        start, end = (before - first) / whole, (step["at"] - first) / whole
        hops.append(Hop(_name(step["step"]), where, step["at"], took, start, max(start, end)))
        before = step["at"]
    return tuple(hops)


def _name(step: str) -> str:
    return step[:1].upper() + step[1:].lower().replace("_", " ").replace("kafka", "Kafka")


def _reasons(alert: Mapping[str, Any]) -> Iterable[str]:
    params = alert["params"]
    own = {
        "setting_id": alert["setting_id"],
        "alert_type": alert["alert_type"],
        **{name: _number(params.get(name)) for name in ("threshold_minor", "count", "window_minutes")},
    }
    for reason in alert.get("reasons") or [own]:
        text = sentence({**reason, "currency": alert["currency"]})
        yield f"{text} (setting {reason['setting_id']})"


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _channels(channels: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(channel_words(channel) for channel in channels))


def _first_time(group: list[tuple[Mapping[str, Any], Mapping[str, Any] | None]]) -> int:
    return min(_ms(row["raised_at"] or row["written_at"]) for row, _ in group)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
