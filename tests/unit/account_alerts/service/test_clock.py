"""The machine's clock, and the one of tests."""

import time

from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from tests.clock import FakeClock


def test_the_machine_tells_milliseconds() -> None:
    before = int(time.time() * 1_000)
    assert before - 1 <= SYSTEM_CLOCK.now_ms() <= before + 10_000
    assert SYSTEM_CLOCK.monotonic() <= SYSTEM_CLOCK.monotonic()


def test_a_test_moves_its_own() -> None:
    fake = FakeClock(now_ms=5_000)
    clock: Clock = fake
    fake.advance(1.5)
    assert (clock.now_ms(), clock.monotonic()) == (6_500, 1.5)
    fake.set_ms(7)
    assert (clock.now_ms(), clock.monotonic()) == (7, 1.5)
