"""When bookings stop waiting for the rules."""

from account_alerts.config import load
from udfs.alerting.stale_rules import HeartbeatMonitor

START = 1_000_000
RULES = load().rules


def monitor() -> HeartbeatMonitor:
    return HeartbeatMonitor(RULES, START)


def test_rules_that_never_were_complete_are_waited_for() -> None:
    assert not list(monitor().overdue(START + 100 * RULES.start_wait))


def test_after_a_start_the_rules_get_time_to_catch_up() -> None:
    started = monitor()
    started.observe(0, START - 3_600_000)
    assert not list(started.overdue(START + RULES.start_wait))
    assert list(started.overdue(START + RULES.start_wait + 1)) == [
        (0, START + RULES.start_wait + 1 - RULES.max_wait)
    ]


def test_rules_in_time_are_not_overdue() -> None:
    running = monitor()
    running.observe(0, START + 500)
    assert not list(running.overdue(START + 500 + RULES.max_wait))


def test_a_booking_waits_no_longer_than_max_wait() -> None:
    running = monitor()
    running.observe(0, START)
    running.observe(1, START + 5_000)
    now = START + RULES.max_wait + 1
    assert list(running.overdue(now)) == [(0, now - RULES.max_wait)]


def test_a_heartbeat_from_before_the_start_does_not_shorten_the_time_to_catch_up() -> None:
    restarted = monitor()
    restarted.observe(0, START - 1)
    assert not list(restarted.overdue(START + RULES.max_wait + 1))
