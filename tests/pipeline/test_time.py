"""Booking times that are late, out of order or strange, and the quiet night."""

import random
import time
from collections.abc import Callable

import pytest

from tests.builders import NOON, entry, setting, settings
from tests.pipeline.chain import Case

DAY = 86_400_000
QUIET_BOOKINGS = 4
QUIET_SECONDS = 3.0
QUIET_LIMIT_MS = 1000


@pytest.fixture
def account(case: Case) -> str:
    """An account whose customer hears of every debit."""
    name, customer = case.id("a"), case.id("c")
    case.authorize(name, customer)
    case.ask(settings(customer, setting("s", name)))
    case.settle()
    return name


def test_bookings_late_and_out_of_order(case: Case, account: str) -> None:
    times = [NOON + offset for offset in range(-30 * DAY, 30 * DAY, DAY // 3)]
    random.Random(7).shuffle(times)
    for number, booked_at in enumerate(times):
        case.book(entry(case.id(f"e{number}"), account, booked_at=booked_at))
    assert len(case.verify().certain) == len(times)


@pytest.mark.parametrize(
    "booked_at", [0, -1, -2_208_988_800_000, 253_402_300_799_999, 2**62, -(2**63), 2**63 - 1]
)
def test_strange_booking_times_are_kept(case: Case, account: str, booked_at: int) -> None:
    case.book(entry(case.id("strange"), account, booked_at=booked_at))
    case.book(entry(case.id("after"), account))
    assert len(case.verify().certain) == 2


def test_a_quiet_night_is_as_quick_as_a_crowd(
    case: Case, account: str, record_property: Callable[[str, object], None]
) -> None:
    """One booking every few seconds on one of several partitions: none waits for the next."""
    for number in range(QUIET_BOOKINGS):
        case.book(entry(case.id(f"e{number}"), account))
        case.chain.flush()
        _wait_for(case, number + 1)
        case.chain.pause(time.monotonic() + QUIET_SECONDS)
    latencies = case.latencies()
    record_property("quiet_night_milliseconds", latencies)
    assert max(latencies) < QUIET_LIMIT_MS, latencies
    case.verify()


def _wait_for(case: Case, count: int) -> None:
    case.wait_for(lambda: len(case.alerts()) >= count, f"alert {count}")
