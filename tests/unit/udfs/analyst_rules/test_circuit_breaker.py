"""The breaker of a rule: it lets through what the rule said it would raise, and then nothing."""

import itertools
import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from udfs.analyst_rules.circuit_breaker import CircuitBreaker

MINUTE = 60_000
NOON = 1_750_000_020_000
"""A full minute."""


FOUND = itertools.count(2 * NOON, MINUTE)
"""Each alert is found in a minute of its own, but where a test is about that."""


def passed(breaker: CircuitBreaker, minutes: list[int], limit: int) -> list[bool]:
    """Which of alerts so many minutes after NOON go through."""
    return [breaker.allow(NOON + minute * MINUTE, next(FOUND), limit) for minute in minutes]


def stored(breaker: CircuitBreaker) -> CircuitBreaker:
    return CircuitBreaker.from_json(json.loads(json.dumps(breaker.to_json())))


def test_it_opens_at_the_first_alert_beyond_the_limit() -> None:
    breaker = CircuitBreaker()
    assert passed(breaker, [0, 0, 0], 3) == [True, True, True]
    assert not breaker.is_open
    assert passed(breaker, [0], 3) == [False]
    assert breaker.is_open


def test_each_minute_counts_for_itself() -> None:
    assert all(passed(CircuitBreaker(), [0, 0, 1, 1, 2, 2], 2))


def test_a_minute_is_one_of_kafka_time() -> None:
    breaker = CircuitBreaker()
    assert NOON % MINUTE == 0
    assert breaker.allow(NOON - 1, next(FOUND), 1)
    assert breaker.allow(NOON, next(FOUND), 1)
    assert not breaker.allow(NOON + MINUTE - 1, next(FOUND), 1)


def test_a_backlog_that_is_worked_off_is_no_flood() -> None:
    day = [minute for minute in range(24 * 60) for _ in range(5)]
    assert all(passed(CircuitBreaker(), day, 5))


def test_once_open_it_stays_open() -> None:
    breaker = CircuitBreaker()
    assert passed(breaker, [0, 0, 1, 500, -500], 1) == [True, False, False, False, False]
    assert passed(breaker, [1000], 99) == [False]


def test_a_reset_closes_it_and_its_minutes_count_anew() -> None:
    breaker = CircuitBreaker()
    passed(breaker, [0, 0, 0], 2)
    breaker.reset(NOON)
    assert passed(breaker, [0, 0, 0], 2) == [True, True, False]


def test_a_reset_that_was_said_before_is_not_heard_again() -> None:
    breaker = CircuitBreaker()
    breaker.reset(7)
    passed(breaker, [0, 0], 1)
    breaker.reset(7)
    breaker.reset(6)
    assert breaker.is_open
    breaker.reset(8)
    assert not breaker.is_open


def test_a_reset_of_the_past_is_not_heard_after_being_stored() -> None:
    breaker = CircuitBreaker()
    breaker.reset(7)
    passed(breaker, [0, 0], 1)
    breaker = stored(breaker)
    breaker.reset(7)
    assert breaker.is_open


def test_what_was_found_before_a_reset_is_judged_as_it_was_then() -> None:
    breaker = CircuitBreaker()
    assert [breaker.allow(NOON, NOON, 1) for _ in range(2)] == [True, False]
    breaker.reset(NOON + 10)
    breaker = stored(breaker)
    assert not breaker.allow(NOON, NOON + 10, 1), "read again, it would go out though it was dropped"
    assert breaker.allow(NOON, NOON + 11, 1)


def test_a_rule_that_finds_a_week_of_bookings_in_a_minute_is_stopped() -> None:
    breaker = CircuitBreaker()
    through = [breaker.allow(NOON + minute * MINUTE, 2 * NOON, 5) for minute in range(7 * 1440)]
    assert sum(through) == 5 * 60


def test_the_minutes_of_bookings_that_are_remembered() -> None:
    breaker = CircuitBreaker()
    passed(breaker, [0, 5], 1)
    assert breaker.minutes() == {NOON // MINUTE, NOON // MINUTE + 5}
    breaker.reset(3 * NOON)
    assert breaker.minutes() == {NOON // MINUTE, NOON // MINUTE + 5}


def test_minutes_out_of_order_are_counted_where_they_belong() -> None:
    assert passed(CircuitBreaker(), [0, 5, 0, 5, 3, 0], 2) == [True, True, True, True, True, False]


def test_old_minutes_are_forgotten() -> None:
    breaker = CircuitBreaker()
    passed(breaker, list(range(10_000)), 1)
    assert len(breaker.counts) <= 120


LIMITS = st.integers(1, 3)
RESET = st.just("reset")
NEAR = st.lists(RESET | st.integers(0, 5), max_size=40)
FAR = st.lists(RESET | st.sampled_from([0, 1, 119, 120, 121, 5000]), max_size=40)


@given(FAR, LIMITS)
def test_never_more_than_the_limit_pass_in_a_minute(steps: list[str | int], limit: int) -> None:
    breaker, through = CircuitBreaker(), Counter[int]()
    for at, step in enumerate(steps, start=1):
        if isinstance(step, str):
            breaker.reset(at)
            through.clear()
        elif passed(breaker, [step], limit) == [True]:
            through[step] += 1
            assert through[step] <= limit


@given(NEAR, LIMITS)
def test_it_opens_only_where_the_limit_was_reached(steps: list[str | int], limit: int) -> None:
    breaker, through = CircuitBreaker(), Counter[int]()
    for at, step in enumerate(steps, start=1):
        was_open = breaker.is_open
        if isinstance(step, str):
            breaker.reset(at)
            through.clear()
            assert not breaker.is_open
        elif passed(breaker, [step], limit) == [True]:
            through[step] += 1
        else:
            assert was_open or through[step] == limit


@given(FAR, LIMITS)
def test_being_stored_changes_nothing(steps: list[str | int], limit: int) -> None:
    kept, restored = CircuitBreaker(), CircuitBreaker()
    for at, step in enumerate(steps, start=1):
        restored = stored(restored)
        if isinstance(step, str):
            kept.reset(at)
            restored.reset(at)
        else:
            found = next(FOUND)
            through = [each.allow(NOON + step * MINUTE, found, limit) for each in (kept, restored)]
            assert through[0] == through[1]
    assert stored(kept) == kept == restored
