"""An alert being delivered, and the updates that are written into the ledger about it. Pure functions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from account_alerts.model.alerts import Channel, DeliveryState
from account_alerts.model.device_address import DeviceAddress
from account_alerts.model.errors import InvalidRecordError
from account_alerts.records.codec import Codec, CodecError, Record
from delivery.gateways.base import Outcome, Result
from delivery.policy import UNKNOWN_RECIPIENT, Defer, DeferralReason, RecipientState, Suppress

_LONGEST_ID = 500
"""Characters of an alert's id that the ledger's index can hold, whatever they are."""
_LONGEST_ROUTE = 200
_LONGEST_REFERENCE, _LONGEST_REASON = 200, 500
_LONGEST_RETRY_AFTER = 86_400
_LAST_MS = 253_000_000_000_000


class InvalidAlertError(InvalidRecordError):
    """A record that no alert can be made of; the message is the reason in the dead letter."""


@dataclass(frozen=True)
class SourceRecord:
    """A record as Kafka has it."""

    topic: str
    partition: int
    offset: int
    written_at: int
    """Milliseconds UTC, by Kafka's clock."""
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class DeadLetter:
    """A record that is given up, with the reason."""

    source: SourceRecord
    reason: str


@dataclass(frozen=True)
class LastRetry:
    """Why an alert waits that was tried before."""

    reason: str
    since: int
    """Milliseconds UTC of the first of the attempts that ended so."""


@dataclass(frozen=True)
class Delivery:
    """An alert that this process has claimed."""

    alert: Record
    source: SourceRecord
    route: str
    attempt: int
    lease_ends: float
    """Monotonic seconds; later another process may send the alert."""
    recipient: RecipientState = UNKNOWN_RECIPIENT
    deferred_for: DeferralReason | None = None
    digest_id: str | None = None
    last_retry: LastRetry | None = None

    @property
    def alert_id(self) -> str:
        """The alert's id."""
        return str(self.alert["alert_id"])


@dataclass(frozen=True)
class DeliveryUpdate:
    """A change of one alert's state in the ledger; times in milliseconds UTC."""

    alert_id: str
    attempt: int
    state: DeliveryState
    at: int
    due_at: int | None = None
    deferred_for: DeferralReason | None = None
    reference: str | None = None
    reason: str | None = None

    def row(self) -> dict[str, Any]:
        """Return the update as SQL reads it: sending has a column of its own, all else becomes a step."""
        sent = self.state is DeliveryState.SENT
        step = [{"at": self.at, "step": self.state, "reason": self.reason or self.deferred_for}]
        return {
            "alert_id": self.alert_id,
            "attempt": self.attempt,
            "state": self.state,
            "sent_at": self.at if sent else None,
            "due_at": self.due_at,
            "deferred_for": self.deferred_for,
            "reference": clean_reference(self.reference or "") or None,
            "reason": clean_reason(self.reason),
            "step": None if sent else json.dumps(step).replace("\\u0000", ""),
        }


def parse_alert(source: SourceRecord, channel: str, decoder: Codec) -> Record:
    """Read the alert in a record.

    Raises:
        InvalidAlertError: It is none, or none that this channel's sender may send.
    """
    if source.value is None:
        raise InvalidAlertError("null instead of an alert")
    try:
        alert = decoder.decode("OutboundAlert", source.value)
    except CodecError as error:
        raise InvalidAlertError(str(error)) from error
    if alert["channel"] != channel:
        raise InvalidAlertError(f"an alert for {alert['channel']} among those for {channel}")
    for name in ("alert_id", "customer_id", "address"):
        if not alert[name]:
            raise InvalidAlertError(f"{name} is empty")
    if len(alert["alert_id"]) > _LONGEST_ID:
        raise InvalidAlertError(f"alert_id is longer than {_LONGEST_ID} characters")
    texts = [value for value in alert.values() if isinstance(value, str)]
    texts += [reason["setting_id"] for reason in alert["reasons"]]
    if any("\0" in text for text in texts):
        raise InvalidAlertError("a NUL character, which the ledger cannot hold")
    return alert


def route(alert: Mapping[str, Any]) -> str:
    """Name the gateway, or the part of it, that may be down by itself: `EMAIL`, `FCM`, `WEB_PUSH:host`."""
    if alert["channel"] != Channel.PUSH:
        return str(alert["channel"])
    try:
        return DeviceAddress.parse(alert["address"]).route()[:_LONGEST_ROUTE]
    except InvalidRecordError:
        return Channel.PUSH.value  # The gateway will say what is wrong with the address.


def update_for(delivery: Delivery, outcome: Outcome, now: int, retry_in: int) -> DeliveryUpdate:
    """Return what an outcome means for an alert; `retry_in`: milliseconds to wait where a retry may help."""
    if outcome.result is Result.SENT:
        return DeliveryUpdate(
            delivery.alert_id, delivery.attempt, DeliveryState.SENT, now, reference=outcome.reference
        )
    if outcome.result is Result.REJECTED:
        return DeliveryUpdate(
            delivery.alert_id, delivery.attempt, DeliveryState.REJECTED, now, reason=outcome.reason
        )
    if outcome.retry_after is not None:
        retry_in = max(retry_in, int(min(outcome.retry_after, _LONGEST_RETRY_AFTER) * 1000))
    return retry_update(delivery, now, now + retry_in, outcome.reason)


def retry_update(delivery: Delivery, now: int, due_at: int, reason: str | None) -> DeliveryUpdate:
    """Have an alert sent again at a time."""
    return DeliveryUpdate(
        delivery.alert_id, delivery.attempt, DeliveryState.RETRYING, now, due_at=due_at, reason=reason
    )


def policy_update(delivery: Delivery, decision: Defer | Suppress, now: int) -> DeliveryUpdate:
    """Return what is written about an alert that is not sent now."""
    if isinstance(decision, Defer):
        return DeliveryUpdate(
            delivery.alert_id,
            delivery.attempt,
            DeliveryState.DEFERRED,
            now,
            due_at=decision.until,
            deferred_for=decision.reason,
        )
    return DeliveryUpdate(delivery.alert_id, delivery.attempt, decision.state, now, reason=decision.reason)


def calendar_ms(ms: int) -> int | None:
    """Return a time that a calendar has, else None; records may carry any long."""
    return ms if 0 <= ms < _LAST_MS else None


def clean_reason(text: str | None) -> str | None:
    """Return a reason as the ledger can hold it."""
    return text.replace("\0", "")[:_LONGEST_REASON] if text else None


def clean_reference(text: str) -> str:
    """Return a gateway's reference as the ledger can hold it: in updates and in receipts the same."""
    return text.replace("\0", "")[:_LONGEST_REFERENCE]
