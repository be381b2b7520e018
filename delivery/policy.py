"""The delivery policy: whether an alert is sent now, deferred until when, or suppressed. Pure functions.

Times are milliseconds UTC. Quiet hours and digests go by the customer's local time, across midnight and
across changes of summer time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from account_alerts.model.alerts import Channel, DeliveryState
from account_alerts.model.analyst_rule_keys import is_of_a_rule
from account_alerts.model.time_zones import find_zone
from account_alerts.records.settings import LOCAL_TIMES
from delivery.reasons import Reason, list_reasons


class DeferralReason(StrEnum):
    """Why an alert waits; the ledger's column `deferred_for`."""

    SNOOZE = "snooze"
    QUIET_HOURS = "quiet"
    DIGEST = "digest"


@dataclass(frozen=True)
class RecipientState:
    """What is known of an alert's customer now."""

    known: bool = False
    """Whether there is a record of the customer's settings at all."""
    time_zone: str = "UTC"
    quiet_from: str | None = None
    quiet_to: str | None = None
    digest: str | None = None
    addresses: Sequence[str] = ()
    """The customer's addresses on the alert's channel."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Those of the alert's reasons that the customer still has, by id: `account_id`, `channels`,
    `snoozed_until`."""
    authorized: bool = False


UNKNOWN_RECIPIENT = RecipientState()


@dataclass(frozen=True)
class Policy:
    """What the bank decides; durations in milliseconds."""

    max_deferral: int
    recheck_after: int
    digest_at: str = "08:00"
    always_sent: frozenset[str] = frozenset()
    mandatory: frozenset[str] = frozenset()
    """Alert types that are sent to a number that has opted out, too."""


@dataclass(frozen=True)
class SendNow:
    """Send the alert now, for these of its reasons."""

    reasons: Sequence[Reason]


@dataclass(frozen=True)
class Defer:
    """Decide again at a time."""

    until: int
    reason: DeferralReason


@dataclass(frozen=True)
class Suppress:
    """Do not send the alert, but record why."""

    state: Literal[DeliveryState.EXPIRED, DeliveryState.CANCELLED]
    reason: str


OPTED_OUT = "the number has opted out of SMS"
"""Why an SMS is cancelled after STOP."""

Decision = SendNow | Defer | Suppress


def decide(
    alert: Mapping[str, Any],
    recipient: RecipientState,
    policy: Policy,
    *,
    written_at: int,
    now: int,
    deferred_for: DeferralReason | None = None,
) -> Decision:
    """Decide what to do with an alert, by its reasons.

    A reason whose setting is withdrawn is left out. The alert is sent when the first of the others may go
    out. One that is still snoozed then is left out, too, and does not come later: the customer knows of the
    booking.

    A customer of whom nothing is known yet (the settings were written a moment ago) has no quiet hours: the
    alert itself proves that they asked for it. For a deferred alert, nothing known means that they left.

    Args:
        alert: An OutboundAlert.
        recipient: Its customer as known now.
        policy: The bank's.
        written_at: When Kafka got the alert: its age counts from then.
        now: The time.
        deferred_for: Why it was deferred before, if it was.
    """
    age = now - written_at
    if age > policy.max_deferral:
        return Suppress(DeliveryState.EXPIRED, "older than senders.max_deferral when it could be sent")
    reasons = list_reasons(alert)
    if deferred_for is not None or age > policy.recheck_after:
        cancelled = [cancellation_reason(alert, reason, recipient) for reason in reasons]
        reasons = [reason for reason, why in zip(reasons, cancelled, strict=True) if why is None]
        if not reasons:
            return Suppress(DeliveryState.CANCELLED, str(cancelled[0]))
    if not recipient.known:
        return SendNow(reasons)
    snoozes = [_snoozed_until(reason, recipient, policy, now) for reason in reasons]
    awake = [reason for reason, snooze in zip(reasons, snoozes, strict=True) if snooze <= now]
    if any(reason["alert_type"] in policy.always_sent for reason in awake):
        return SendNow(awake)
    until, why = _earliest(min(snoozes), recipient, policy, now, deferred_for)
    if why is None or until <= now:
        return SendNow(awake)
    # Nothing is deferred for longer than it may be sent; it is decided on then, and recorded.
    return Defer(min(until, written_at + policy.max_deferral + 1), why)


def cancellation_reason(alert: Mapping[str, Any], reason: Reason, recipient: RecipientState) -> str | None:
    """Say why an alert may not be sent for a reason any more; None if all that it needs still stands.

    It needs the customer's authorization and address, and the reason's setting.
    """
    if not recipient.known:
        return "the customer has left"
    if not recipient.authorized:
        return "the customer is no longer authorized for the account"
    # The address of a push alert is a device; the customer's own address on that channel is their id.
    is_push = alert["channel"] == Channel.PUSH
    if not recipient.addresses or (not is_push and alert["address"] not in recipient.addresses):
        return "the customer no longer has this address"
    if is_of_a_rule(reason["setting_id"]):
        return None
    setting = recipient.settings.get(reason["setting_id"])
    if setting is None or setting["account_id"] != alert["account_id"]:
        return "the setting is gone"
    if alert["channel"] not in setting["channels"]:
        return "the setting no longer asks for this channel"
    return None


def _snoozed_until(reason: Reason, recipient: RecipientState, policy: Policy, now: int) -> int:
    """Return when a reason's snooze ends; now, where it has none that is still to end."""
    if reason["alert_type"] in policy.always_sent:
        return now
    setting = recipient.settings.get(reason["setting_id"], {})
    return max(now, setting.get("snoozed_until") or now)


def _earliest(
    at: int, recipient: RecipientState, policy: Policy, now: int, deferred_for: DeferralReason | None
) -> tuple[int, DeferralReason | None]:
    """Return when an alert may be sent at the earliest, and what it waits for until then.

    `at` is when the first snooze of its reasons ends. All else is the same for each of them.
    """
    why = DeferralReason.DIGEST if deferred_for is DeferralReason.DIGEST else None
    if at > now:
        why = why or DeferralReason.SNOOZE
    zone = time_zone(recipient.time_zone)
    if _representable(at):
        if recipient.digest in ("HOURLY", "DAILY") and why is not DeferralReason.DIGEST:
            daily = parse_time(policy.digest_at) or time(8) if recipient.digest == "DAILY" else None
            at, why = next_digest(at, zone, daily), DeferralReason.DIGEST
        quiet_from, quiet_to = parse_time(recipient.quiet_from), parse_time(recipient.quiet_to)
        if quiet_from is not None and quiet_to is not None:
            end = quiet_end(at, zone, quiet_from, quiet_to)
            if end is not None:
                at, why = end, why or DeferralReason.QUIET_HOURS
    return at, why


def quiet_end(now: int, zone: ZoneInfo, quiet_from: time, quiet_to: time) -> int | None:
    """Return when the quiet hours end in which `now` lies; None outside of them.

    They begin when the customer's clock shows `quiet_from` (the first time where it does so twice) and end
    when it shows `quiet_to` (the second time where it does so twice). A time that the clock leaps over in
    spring is the moment of the leap. The same time for both is no quiet hours.
    """
    if quiet_from == quiet_to:
        return None
    at, end = now, None
    day = _local(now, zone).date() - timedelta(days=2)
    for _ in range(5):
        last_day = day if quiet_from < quiet_to else day + timedelta(days=1)
        begins, ends = _instant(day, quiet_from, zone), _instant(last_day, quiet_to, zone, last=True)
        if begins <= at < ends:
            at = end = ends
        day += timedelta(days=1)
    return end


def next_digest(now: int, zone: ZoneInfo, daily: time | None) -> int:
    """Return when the next digest after `now` is due: daily at a local time, else at the full local hour."""
    if daily is None:
        at = now
        while True:
            local = _local(at, zone)
            past = (local.minute * 60 + local.second) * 1000 + at % 1000
            at += 3_600_000 - past
            if _local(at, zone).minute == 0:
                return at
    today = _local(now, zone).date()
    days = (_instant(today + timedelta(days=ahead), daily, zone) for ahead in (0, 1, 2))
    return next(at for at in days if at > now)


@lru_cache(maxsize=1024)
def time_zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name; UTC where it is none."""
    try:
        return find_zone(name)
    except ValueError:
        return find_zone("UTC")


def parse_time(text: str | None) -> time | None:
    """Parse a local time `HH:MM`; None where it is none."""
    return time.fromisoformat(text) if text in LOCAL_TIMES else None


def _representable(ms: int) -> bool:
    return ms < 250_000_000_000_000  # The year 9892; beyond there is no calendar to ask.


def _local(ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC).astimezone(zone)


def _ms(local: datetime) -> int:
    return int(local.timestamp()) * 1000


def _instant(day: date, at: time, zone: ZoneInfo, *, last: bool = False) -> int:
    """Return when a local clock shows a time on a day: first or last, or the moment it leaps over it."""
    wall = datetime.combine(day, at, zone)
    early, late = _ms(wall.replace(fold=0)), _ms(wall.replace(fold=1))
    if early <= late:
        return late if last else early
    # The clock leaps over it, between `late` and `early`: find the second at which the offset changes.
    low, high = late // 1000, early // 1000
    after = _local(early, zone).utcoffset()
    while low < high:
        middle = (low + high) // 2
        if _local(middle * 1000, zone).utcoffset() == after:
            high = middle
        else:
            low = middle + 1
    return low * 1000
