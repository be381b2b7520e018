"""The delivery policy: quiet hours over midnight and summer time, digests, and what is checked again."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.model.alerts import DeliveryState
from delivery.policy import (
    Defer,
    DeferralReason,
    Policy,
    RecipientState,
    SendNow,
    Suppress,
    cancellation_reason,
    decide,
    next_digest,
    parse_time,
    quiet_end,
    time_zone,
)
from delivery.reasons import list_reasons

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HOUR = 3_600_000
DAY = 24 * HOUR
ALERT = {
    "alert_type": "DEBITED_ABOVE",
    "channel": "EMAIL",
    "address": "c1@example.com",
    "account_id": "a1",
    "setting_id": "s1",
    "params": {},
}
[REASON] = list_reasons(ALERT)
NOW = SendNow([REASON])
SETTING = {"account_id": "a1", "channels": ["EMAIL"], "snoozed_until": None}
POLICY = Policy(max_deferral=36 * HOUR, recheck_after=5 * 60_000)
zones = st.sampled_from(
    [
        "Europe/Amsterdam",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "UTC",
    ]
).map(ZoneInfo)
moments = st.integers(1_500_000_000, 1_900_000_000).map(lambda seconds: seconds * 1000)
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def at(text: str, zone: ZoneInfo = AMSTERDAM, fold: int = 0) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)
    return int(local.timestamp()) * 1000


def wall(ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone)


def recipient(**fields: object) -> RecipientState:
    known = RecipientState(
        known=True, addresses=["c1@example.com"], settings={"s1": SETTING}, authorized=True
    )
    return RecipientState(**(known.__dict__ | fields))


def within(local: time, start: time, end: time) -> bool:
    return start <= local < end if start < end else local >= start or local < end


@given(moments, zones, times, times)
def test_quiet_by_the_clock_is_quiet(now: int, zone: ZoneInfo, start: time, end: time) -> None:
    if start != end and within(wall(now, zone).time(), start, end):
        assert quiet_end(now, zone, start, end) is not None


@given(moments, zones, times, times)
def test_quiet_hours_end_when_they_end(now: int, zone: ZoneInfo, start: time, end: time) -> None:
    until = quiet_end(now, zone, start, end)
    if until is None:
        return
    assert until > now
    assert quiet_end(until, zone, start, end) is None
    assert quiet_end(until - 1, zone, start, end) == until
    # On most days the clock shows the time asked for; else it leaps over it.
    shown = wall(until, zone).replace(second=0)
    steady = wall(until - DAY, zone).utcoffset() == wall(until + DAY, zone).utcoffset()
    assert not steady or shown.time() == end


@given(moments, zones, times, times)
def test_outside_of_quiet_hours_nothing_is_quiet(now: int, zone: ZoneInfo, start: time, end: time) -> None:
    steady = wall(now - 2 * DAY, zone).utcoffset() == wall(now + 2 * DAY, zone).utcoffset()
    if steady and not (start != end and within(wall(now, zone).time(), start, end)):
        assert quiet_end(now, zone, start, end) is None


@pytest.mark.parametrize(
    ("now", "start", "end", "until"),
    [
        ("2026-01-10 23:30", "22:00", "07:00", "2026-01-11 07:00"),
        ("2026-01-11 06:59", "22:00", "07:00", "2026-01-11 07:00"),
        ("2026-01-11 07:00", "22:00", "07:00", None),
        ("2026-01-11 12:30", "12:00", "13:00", "2026-01-11 13:00"),
        # The clock leaps from 02:00 to 03:00.
        ("2026-03-29 01:30", "22:00", "02:30", "2026-03-29 03:00"),
        ("2026-03-29 01:59", "02:15", "06:00", None),
        ("2026-03-29 03:00", "02:15", "06:00", "2026-03-29 06:00"),
        # 02:00 to 03:00 comes twice: until the second 02:30.
        ("2026-10-25 01:30", "22:00", "02:30", at("2026-10-25 02:30", fold=1)),
    ],
)
def test_quiet_hours_in_amsterdam(now: str, start: str, end: str, until: str | int | None) -> None:
    begins, ends = parse_time(start), parse_time(end)
    assert begins is not None
    assert ends is not None
    expected = at(until) if isinstance(until, str) else until
    assert quiet_end(at(now), AMSTERDAM, begins, ends) == expected


@given(moments, zones)
def test_an_hourly_digest_comes_at_the_next_full_hour(now: int, zone: ZoneInfo) -> None:
    due = next_digest(now, zone, None)
    assert now < due <= now + 2 * HOUR
    assert (wall(due, zone).minute, wall(due, zone).second) == (0, 0)


@given(moments, zones, times)
def test_a_daily_digest_comes_once_a_day(now: int, zone: ZoneInfo, daily: time) -> None:
    due = next_digest(now, zone, daily)
    assert now < due <= now + 26 * HOUR
    after = next_digest(due, zone, daily)
    assert wall(after, zone).date() - wall(due, zone).date() in (timedelta(days=1), timedelta(days=2))
    assert 22 * HOUR <= after - due <= 26 * HOUR


def test_nothing_known_means_send() -> None:
    assert decide(ALERT, RecipientState(), POLICY, written_at=0, now=1) == NOW


def test_quiet_hours_defer_except_what_is_always_sent() -> None:
    now = at("2026-01-10 23:30")
    quiet = recipient(time_zone="Europe/Amsterdam", quiet_from="22:00", quiet_to="07:00")
    assert decide(ALERT, quiet, POLICY, written_at=now, now=now) == Defer(
        at("2026-01-11 07:00"), DeferralReason.QUIET_HOURS
    )
    always = Policy(POLICY.max_deferral, POLICY.recheck_after, always_sent=frozenset({"DEBITED_ABOVE"}))
    assert decide(ALERT, quiet, always, written_at=now, now=now) == NOW


def test_a_snoozed_alert_is_sent_when_the_snooze_ends() -> None:
    now = at("2026-01-10 12:00")
    snoozed = recipient(settings={"s1": SETTING | {"snoozed_until": now + HOUR}})
    assert decide(ALERT, snoozed, POLICY, written_at=now, now=now) == Defer(now + HOUR, DeferralReason.SNOOZE)
    assert (
        decide(ALERT, snoozed, POLICY, written_at=now, now=now + HOUR, deferred_for=DeferralReason.SNOOZE)
        == NOW
    )


def test_a_digest_waits_for_its_hour_and_for_the_end_of_quiet_hours() -> None:
    now = at("2026-01-10 21:20")
    hourly = recipient(time_zone="Europe/Amsterdam", digest="HOURLY", quiet_from="21:30", quiet_to="07:15")
    deferred = decide(ALERT, hourly, POLICY, written_at=now, now=now)
    assert deferred == Defer(at("2026-01-11 07:15"), DeferralReason.DIGEST)
    due = at("2026-01-11 07:15")
    assert decide(ALERT, hourly, POLICY, written_at=now, now=due, deferred_for=DeferralReason.DIGEST) == NOW


def test_a_daily_digest_is_at_the_banks_time() -> None:
    now = at("2026-01-10 09:00")
    daily = recipient(time_zone="Europe/Amsterdam", digest="DAILY")
    assert decide(ALERT, daily, POLICY, written_at=now, now=now) == Defer(
        at("2026-01-11 08:00"), DeferralReason.DIGEST
    )


def test_nothing_is_deferred_for_longer_than_it_may_be_sent() -> None:
    now = at("2026-01-10 12:00")
    snoozed = recipient(settings={"s1": SETTING | {"snoozed_until": 2**62}})
    deferred = decide(ALERT, snoozed, POLICY, written_at=now, now=now)
    assert deferred == Defer(now + POLICY.max_deferral + 1, DeferralReason.SNOOZE)
    decision = decide(
        ALERT, snoozed, POLICY, written_at=now, now=deferred.until, deferred_for=DeferralReason.SNOOZE
    )
    assert isinstance(decision, Suppress)
    assert decision.state == DeliveryState.EXPIRED


@pytest.mark.parametrize(
    ("fields", "alert", "reason"),
    [
        ({}, {}, None),
        ({"known": False}, {}, "left"),
        ({"authorized": False}, {}, "authorized"),
        ({"addresses": ["new@example.com"]}, {}, "address"),
        ({"settings": {}}, {}, "setting is gone"),
        ({"settings": {"s1": SETTING | {"account_id": "a2"}}}, {}, "setting is gone"),
        ({"settings": {"s1": SETTING | {"channels": ["SMS"]}}}, {}, "channel"),
        ({"settings": {}}, {"setting_id": "adhoc:salary"}, None),
        (
            {"addresses": ["c1"], "settings": {"s1": SETTING | {"channels": ["PUSH"]}}},
            {"channel": "PUSH"},
            None,
        ),
        ({"addresses": []}, {"channel": "PUSH"}, "address"),
    ],
)
def test_what_is_cancelled(fields: dict[str, object], alert: dict[str, str], reason: str | None) -> None:
    own = ALERT | alert
    [only] = list_reasons(own)
    found = cancellation_reason(own, only, recipient(**fields))
    assert found is None if reason is None else found is not None and reason in found


def test_only_late_or_deferred_alerts_are_checked_again() -> None:
    now, gone = at("2026-01-10 12:00"), recipient(authorized=False)
    assert decide(ALERT, gone, POLICY, written_at=now - 60_000, now=now) == NOW
    for late, deferred in ((now - 6 * 60_000, None), (now - 60_000, DeferralReason.QUIET_HOURS)):
        decision = decide(ALERT, gone, POLICY, written_at=late, now=now, deferred_for=deferred)
        assert isinstance(decision, Suppress)
        assert decision.state == DeliveryState.CANCELLED


def reasons(**types: str) -> dict[str, object]:
    """Make an alert with several reasons, by setting."""
    listed = [{**REASON, "setting_id": name, "alert_type": alert_type} for name, alert_type in types.items()]
    return ALERT | {"reasons": listed}


def with_settings(**changes: dict[str, object]) -> RecipientState:
    return recipient(settings={name: SETTING | change for name, change in changes.items()})


def sent(decision: object) -> list[str]:
    assert isinstance(decision, SendNow)
    return [reason["setting_id"] for reason in decision.reasons]


TWO = reasons(low="BALANCE_BELOW", out="DEBITED_ABOVE")


def test_a_snoozed_reason_does_not_hold_another_back() -> None:
    now = at("2026-01-10 12:00")
    known = with_settings(low={"snoozed_until": now + HOUR}, out={})
    assert sent(decide(TWO, known, POLICY, written_at=now, now=now)) == ["out"]


def test_where_all_reasons_are_snoozed_the_first_that_wakes_sends_the_alert() -> None:
    now = at("2026-01-10 12:00")
    known = with_settings(low={"snoozed_until": now + 2 * HOUR}, out={"snoozed_until": now + HOUR})
    deferred = decide(TWO, known, POLICY, written_at=now, now=now)
    assert deferred == Defer(now + HOUR, DeferralReason.SNOOZE)
    again = {"written_at": now, "deferred_for": DeferralReason.SNOOZE}
    assert sent(decide(TWO, known, POLICY, now=now + HOUR, **again)) == ["out"]  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"account_id": "a2"}, {"channels": ["SMS"]}, None])
def test_a_reason_that_was_withdrawn_is_left_out(change: dict[str, object] | None) -> None:
    now = at("2026-01-10 12:00")
    known = with_settings(out={}, **{} if change is None else {"low": change})
    late = {"written_at": now - HOUR, "now": now}
    assert sent(decide(TWO, known, POLICY, **late)) == ["out"]  # type: ignore[arg-type]
    none = decide(TWO, with_settings(other={}), POLICY, **late)  # type: ignore[arg-type]
    assert none == Suppress(DeliveryState.CANCELLED, "the setting is gone")


@pytest.mark.parametrize("peace", [{"quiet_from": "22:00", "quiet_to": "07:00"}, {"digest": "DAILY"}])
def test_one_reason_that_is_always_sent_sends_the_alert(peace: dict[str, str]) -> None:
    now = at("2026-01-10 23:30")
    always = Policy(POLICY.max_deferral, POLICY.recheck_after, always_sent=frozenset({"DEBITED_ABOVE"}))
    settings = {"low": SETTING, "out": SETTING | {"snoozed_until": now + HOUR}}
    known = recipient(time_zone="Europe/Amsterdam", settings=settings, **peace)
    decision = decide(TWO, known, always, written_at=now, now=now)
    assert sent(decision) == ["low", "out"]  # The message comes now; what it says is as the customer asked.
    snoozed = {"low": SETTING | {"snoozed_until": now + HOUR}, "out": SETTING}
    asleep = recipient(time_zone="Europe/Amsterdam", settings=snoozed, **peace)
    assert sent(decide(TWO, asleep, always, written_at=now, now=now)) == ["out"]


@pytest.mark.parametrize("name", ["Nowhere/City", "", "../etc", "Europe"])
def test_an_unknown_zone_is_utc(name: str) -> None:
    assert time_zone(name) == ZoneInfo("UTC")


@given(st.text(max_size=6))
def test_only_times_are_times(text: str) -> None:
    found = parse_time(text)
    assert found is None or len(text) <= 5
