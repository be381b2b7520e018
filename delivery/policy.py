"""The customer's peace: whether an alert is sent now, held until when, or not sent at all. Pure functions.

Times are milliseconds UTC; quiet hours and digests go by the customer's own clock, over changes of summer
time and over midnight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

HeldFor = Literal["snooze", "quiet", "digest"]
ADHOC = "adhoc:"
"""How the setting_id of an alert begins that the bank's analysts asked for: no setting of the customer's."""


@dataclass(frozen=True)
class Standing:
    """What is known of an alert's customer now."""

    known: bool = False
    """Whether there is a record of the customer's settings at all."""
    time_zone: str = "UTC"
    quiet_from: str | None = None
    quiet_to: str | None = None
    digest: str | None = None
    addresses: Sequence[str] = ()
    """Those on the alert's channel."""
    setting: Mapping[str, Any] | None = None
    """The alert's setting: `account_id`, `channels`, `snoozed_until`."""
    authorized: bool = False


NOTHING_KNOWN = Standing()


@dataclass(frozen=True)
class Policy:
    """What the bank decides; durations in milliseconds."""

    max_deferral: int
    recheck_after: int
    digest_at: str = "08:00"
    always_sent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Send:
    """Send it now."""


@dataclass(frozen=True)
class Hold:
    """Look again at a time."""

    until: int
    why: HeldFor


@dataclass(frozen=True)
class Drop:
    """Do not send it, but record why."""

    state: Literal["expired", "withdrawn"]
    reason: str


Verdict = Send | Hold | Drop


def judge(
    alert: Mapping[str, Any],
    standing: Standing,
    policy: Policy,
    *,
    written_at: int,
    now: int,
    held_for: HeldFor | None = None,
) -> Verdict:
    """What to do with an alert.

    Args:
        alert: An OutboundAlert.
        standing: Its customer as known now.
        policy: The bank's.
        written_at: When Kafka got the alert: its age counts from then.
        now: The time.
        held_for: Why it was held before, if it was.

    A customer of whom nothing is known yet (his settings were written a moment ago) has no quiet hours: the
    alert itself proves that he asked for it. Of an alert that was held, nothing known means that he left.
    """
    age = now - written_at
    if age > policy.max_deferral:
        return Drop("expired", "older than senders.max_deferral when it could be sent")
    if held_for is not None or age > policy.recheck_after:
        reason = withdrawn(alert, standing)
        if reason is not None:
            return Drop("withdrawn", reason)
    if alert["alert_type"] in policy.always_sent or not standing.known:
        return Send()
    until, why = _when(standing, policy, now, held_for)
    if why is None or until <= now:
        return Send()
    # Nothing is held for longer than it may be sent; it is looked at then, and recorded.
    return Hold(min(until, written_at + policy.max_deferral + 1), why)


def withdrawn(alert: Mapping[str, Any], standing: Standing) -> str | None:
    """Why an alert may not be sent any more, None if it may: authorization, address and setting."""
    if not standing.known:
        return "the customer has left"
    if not standing.authorized:
        return "the customer is no longer authorized for the account"
    # The address of a push alert is a device; the customer's own address on that channel is his id.
    if not standing.addresses or (alert["channel"] != "PUSH" and alert["address"] not in standing.addresses):
        return "the customer no longer has this address"
    if alert["setting_id"].startswith(ADHOC):
        return None
    setting = standing.setting
    if setting is None or setting["account_id"] != alert["account_id"]:
        return "the setting is gone"
    if alert["channel"] not in setting["channels"]:
        return "the setting no longer asks for this channel"
    return None


def _when(
    standing: Standing, policy: Policy, now: int, held_for: HeldFor | None
) -> tuple[int, HeldFor | None]:
    at = now
    why: HeldFor | None = "digest" if held_for == "digest" else None
    snoozed = (standing.setting or {}).get("snoozed_until")
    if snoozed is not None and snoozed > now:
        at, why = snoozed, why or "snooze"
    zone = zone_of(standing.time_zone)
    if _representable(at):
        if standing.digest in ("HOURLY", "DAILY") and why != "digest":
            daily = parse_time(policy.digest_at) or time(8) if standing.digest == "DAILY" else None
            at, why = next_digest(at, zone, daily), "digest"
        quiet_from, quiet_to = parse_time(standing.quiet_from), parse_time(standing.quiet_to)
        if quiet_from is not None and quiet_to is not None:
            end = quiet_end(at, zone, quiet_from, quiet_to)
            if end is not None:
                at, why = end, why or "quiet"
    return at, why


def quiet_end(now: int, zone: ZoneInfo, quiet_from: time, quiet_to: time) -> int | None:
    """When the quiet hours end in which `now` lies; None outside of them.

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
    """The next time for a digest after `now`: daily at a local time, else at the next full local hour."""
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
def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name; UTC where it is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # No such zone, no name of one, a folder.
        return ZoneInfo("UTC")


def parse_time(text: str | None) -> time | None:
    """A local time `HH:MM`; None where it is none."""
    try:
        return datetime.strptime(text or "", "%H:%M").time()
    except ValueError:
        return None


def _representable(ms: int) -> bool:
    return ms < 250_000_000_000_000  # The year 9892; beyond there is no calendar to ask.


def _local(ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC).astimezone(zone)


def _ms(local: datetime) -> int:
    return int(local.timestamp()) * 1000


def _instant(day: date, at: time, zone: ZoneInfo, *, last: bool = False) -> int:
    """When a local clock shows a time on a day: the first or the last time, or when it leaps over it."""
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
