"""Booking times that are late, out of order or strange, and the quiet night."""

import random
import time
from collections.abc import Callable

import pytest

from tests.builders import NOON, entry, setting, settings
from tests.pipeline.scenario import Scenario

DAY = 86_400_000
QUIET_BOOKINGS = 4
QUIET_SECONDS = 3.0
QUIET_LIMIT_MS = 1000


@pytest.fixture
def account(scenario: Scenario) -> str:
    """An account whose customer hears of every debit."""
    name, customer = scenario.id("a"), scenario.id("c")
    scenario.authorize(name, customer)
    scenario.write_settings(settings(customer, setting("s", name)))
    scenario.await_effect()
    return name


def test_bookings_late_and_out_of_order(scenario: Scenario, account: str) -> None:
    times = [NOON + offset for offset in range(-30 * DAY, 30 * DAY, DAY // 3)]
    random.Random(7).shuffle(times)
    for number, booked_at in enumerate(times):
        scenario.write_booking(entry(scenario.id(f"e{number}"), account, booked_at=booked_at))
    assert len(scenario.verify().certain) == len(times)


@pytest.mark.parametrize(
    "booked_at", [0, -1, -2_208_988_800_000, 253_402_300_799_999, 2**62, -(2**63), 2**63 - 1]
)
def test_strange_booking_times_are_kept(scenario: Scenario, account: str, booked_at: int) -> None:
    scenario.write_booking(entry(scenario.id("strange"), account, booked_at=booked_at))
    scenario.write_booking(entry(scenario.id("after"), account))
    assert len(scenario.verify().certain) == 2


def test_a_quiet_night_is_as_quick_as_a_crowd(
    scenario: Scenario, account: str, record_property: Callable[[str, object], None]
) -> None:
    """One booking every few seconds on one of several partitions: none waits for the next."""
    for number in range(QUIET_BOOKINGS):
        scenario.write_booking(entry(scenario.id(f"e{number}"), account))
        scenario.pipeline.flush()
        _wait_for(scenario, number + 1)
        scenario.pipeline.consume_until_time(time.monotonic() + QUIET_SECONDS)
    latencies = scenario.latencies()
    record_property("quiet_night_milliseconds", latencies)
    assert max(latencies) < QUIET_LIMIT_MS, latencies
    scenario.verify()


def _wait_for(scenario: Scenario, count: int) -> None:
    scenario.wait_for(lambda: len(scenario.alerts()) >= count, f"alert {count}")
