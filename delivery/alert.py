"""An alert on its way, and what is written into the ledger about it. Pure functions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from account_alerts.model.errors import InvalidRecordError
from account_alerts.records.codec import Codec, CodecError, Record
from delivery.gateways.base import Outcome, Result
from delivery.policy import NOTHING_KNOWN, Drop, HeldFor, Hold, Standing

_LONGEST_ID = 500
"""Characters of an alert's id that the ledger's index can hold, whatever they are."""
_LAST_MS = 253_000_000_000_000


class UnusableError(InvalidRecordError):
    """A record that no alert can be made of; the message is the reason in the dead letter."""


@dataclass(frozen=True)
class Source:
    """A record as Kafka has it."""

    topic: str
    partition: int
    offset: int
    written_at: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class Delivery:
    """An alert that this process has claimed."""

    alert: Record
    source: Source
    route: str
    attempt: int
    lease_ends: float
    """Monotonic seconds; later another process may hand the alert over."""
    standing: Standing = NOTHING_KNOWN
    held_for: HeldFor | None = None
    digest_id: str | None = None

    @property
    def alert_id(self) -> str:
        """The alert's id."""
        return str(self.alert["alert_id"])


@dataclass(frozen=True)
class Mark:
    """What is to be written about one alert; times in milliseconds UTC."""

    alert_id: str
    attempt: int
    state: str
    at: int
    due_at: int | None = None
    held_for: HeldFor | None = None
    reference: str | None = None
    reason: str | None = None

    def row(self) -> dict[str, Any]:
        """As SQL reads it. Handing over is in columns of its own; whatever else happens is a step."""
        step = None
        if self.state != "handed over":
            step = [{"at": self.at, "step": self.state, "reason": self.reason or self.held_for}]
        return {
            "alert_id": self.alert_id,
            "attempt": self.attempt,
            "state": self.state,
            "handed_over_at": self.at if self.state == "handed over" else None,
            "due_at": self.due_at,
            "held_for": self.held_for,
            "reference": (self.reference or "")[:200] or None,
            "reason": _clean(self.reason),
            "step": step and json.dumps(step).replace("\\u0000", ""),
        }


def read(source: Source, channel: str, decoder: Codec) -> Record:
    """The alert in a record.

    Raises:
        UnusableError: It is none, or none that this channel's sender may send.
    """
    if source.value is None:
        raise UnusableError("null instead of an alert")
    try:
        alert = decoder.decode("OutboundAlert", source.value)
    except CodecError as error:
        raise UnusableError(str(error)) from error
    if alert["channel"] != channel:
        raise UnusableError(f"an alert for {alert['channel']} among those for {channel}")
    for name in ("alert_id", "customer_id", "address"):
        if not alert[name]:
            raise UnusableError(f"{name} is empty")
    if len(alert["alert_id"]) > _LONGEST_ID:
        raise UnusableError(f"alert_id is longer than {_LONGEST_ID} characters")
    texts = (value for value in alert.values() if isinstance(value, str))
    if any("\0" in text for text in texts):
        raise UnusableError("a NUL character, which the ledger cannot hold")
    return alert


def route_of(alert: Mapping[str, Any]) -> str:
    """The gateway, or the part of it, that may be down by itself."""
    if alert["channel"] != "PUSH":
        return str(alert["channel"])
    try:
        device = json.loads(alert["address"])
        kind = str(device["kind"])
        if kind != "WEB_PUSH":
            return kind[:50]
        to = device["to"]
        endpoint = (json.loads(to) if isinstance(to, str) else to)["endpoint"]
        return f"WEB_PUSH:{urlsplit(endpoint).hostname}"[:200]
    except (ValueError, TypeError, KeyError, RecursionError):
        return "PUSH"  # The gateway will say what is wrong with the address.


def marks_of(delivery: Delivery, outcome: Outcome, now: int, retry_in: int) -> Mark:
    """What an outcome means for an alert; `retry_in`: milliseconds to wait where it may still work."""
    if outcome.result is Result.HANDED_OVER:
        return Mark(delivery.alert_id, delivery.attempt, "handed over", now, reference=outcome.reference)
    if outcome.result is Result.REFUSED:
        return Mark(delivery.alert_id, delivery.attempt, "refused", now, reason=outcome.reason)
    if outcome.retry_after is not None:
        retry_in = max(retry_in, int(min(outcome.retry_after, 86_400) * 1000))
    return Mark(
        delivery.alert_id, delivery.attempt, "retry", now, due_at=now + retry_in, reason=outcome.reason
    )


def mark_of_verdict(delivery: Delivery, verdict: Hold | Drop, now: int) -> Mark:
    """What is written about an alert that is not sent now."""
    if isinstance(verdict, Hold):
        return Mark(
            delivery.alert_id, delivery.attempt, "held", now, due_at=verdict.until, held_for=verdict.why
        )
    return Mark(delivery.alert_id, delivery.attempt, verdict.state, now, reason=verdict.reason)


def standing_of(row: Mapping[str, Any], channel: str) -> Standing:
    """What a row of the ledger, joined with the profiles, says of its customer."""
    if row["time_zone"] is None:
        return Standing()
    return Standing(
        known=True,
        time_zone=row["time_zone"],
        quiet_from=row["quiet_from"],
        quiet_to=row["quiet_to"],
        digest=row["digest"],
        addresses=row["addresses"].get(channel, ()),
        setting=row["setting"],
        authorized=bool(row["authorized"]),
    )


def claimed_again(row: Mapping[str, Any], topic: str, decoder: Codec, lease_ends: float) -> Delivery:
    """The delivery in a row that has become due."""
    alert = decoder.decode("OutboundAlert", row["record"])
    source = Source(
        topic,
        row["source_partition"],
        row["source_offset"],
        _ms(row["written_at"]),
        alert["customer_id"].encode(),
        row["record"],
    )
    return Delivery(
        alert=alert,
        source=source,
        route=row["route"],
        attempt=row["attempts"],
        lease_ends=lease_ends,
        standing=standing_of(row, alert["channel"]),
        held_for=row["held_for"],
        digest_id=row["digest_id"],
    )


def with_standing(delivery: Delivery, row: Mapping[str, Any]) -> Delivery:
    """A new delivery with what the ledger knew of its customer when it was claimed."""
    return replace(delivery, standing=standing_of(row, delivery.alert["channel"]))


def time_or_none(ms: int) -> int | None:
    """A time that a calendar has; records may carry any long."""
    return ms if 0 <= ms < _LAST_MS else None


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _clean(text: str | None) -> str | None:
    return text.replace("\0", "")[:500] if text else None
