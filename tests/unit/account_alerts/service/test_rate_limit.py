"""A rate is kept, for what is taken before and for what is counted after."""

import asyncio

import pytest

from account_alerts.service.rate_limit import TokenBucket
from tests.clock import FakeClock


def test_a_rate_is_kept() -> None:
    clock = FakeClock()
    bucket = TokenBucket(10, clock=clock)
    assert bucket.try_take(100) == 10
    assert bucket.try_take(1) == 0
    clock.advance(0.35)
    assert bucket.try_take(100) == 3
    bucket.give_back(2)
    assert bucket.try_take(100) == 2


def test_no_more_than_a_burst_is_kept() -> None:
    clock = FakeClock()
    bucket = TokenBucket(10, burst=3, clock=clock)
    clock.advance(60)
    assert bucket.try_take(100) == 3


def test_a_slow_rate_gets_its_one() -> None:
    clock = FakeClock()
    bucket = TokenBucket(0.5, clock=clock)
    assert bucket.try_take(1) == 0
    clock.advance(1)
    assert bucket.try_take(1) == 1


def test_without_a_rate_all_is_given() -> None:
    assert TokenBucket(None).try_take(1_000) == 1_000
    assert TokenBucket(None).spend(1_000) == 0
    assert asyncio.run(TokenBucket(None).take(1_000)) == 1_000


def test_what_is_taken_is_waited_for() -> None:
    bucket = TokenBucket(1_000, burst=1)

    async def use() -> list[int]:
        return [await bucket.take(5), await bucket.take(5)]

    assert asyncio.run(use()) == [1, 1]


def test_work_that_was_too_quick_is_paused_for() -> None:
    clock = FakeClock()
    bucket = TokenBucket(100, burst=10, clock=clock)
    assert bucket.spend(10) == 0
    assert bucket.spend(50) == pytest.approx(0.5)
    clock.advance(0.5)
    assert bucket.spend(10) == pytest.approx(0.1)
    clock.advance(60)
    assert bucket.spend(20) == pytest.approx(0.1)  # Of a quiet minute no more than the burst is made up for.
