"""Rules that change while bookings go through: Kafka's clock says which apply."""

import itertools
import time

import pytest

from tests.builders import entry, setting, settings
from tests.pipeline.scenario import Scenario

STREAM_SECONDS = 3.0
PACE = 100
ACCOUNTS = 6


def _stream(scenario: Scenario, seconds: float = STREAM_SECONDS) -> None:
    """Bookings on all accounts at a steady pace, while the outputs are taken in."""
    start = time.monotonic()
    for number in itertools.count():
        due = start + number / PACE
        if due > start + seconds:
            break
        scenario.pipeline.consume_until_time(due)
        account = scenario.id(f"a{number % ACCOUNTS}")
        scenario.write_booking(entry(scenario.next_id(), account))
    scenario.pipeline.flush()


@pytest.fixture
def customer(scenario: Scenario) -> str:
    """A customer who hears of every debit on several accounts."""
    name = scenario.id("c")
    for number in range(ACCOUNTS):
        scenario.authorize(scenario.id(f"a{number}"), name)
    _ask(scenario, name, 0)
    scenario.await_effect()
    return name


def _ask(scenario: Scenario, customer: str, threshold: int, *channels: str) -> None:
    wanted = [
        setting(
            "s", scenario.id(f"a{number}"), threshold_minor=threshold, channels=list(channels) or ["EMAIL"]
        )
        for number in range(ACCOUNTS)
    ]
    scenario.write_settings(settings(customer, *wanted))


def test_a_setting_changed_again_and_again_leaves_no_gap(scenario: Scenario, customer: str) -> None:
    for threshold in range(1, 6):
        _stream(scenario, 1.5)
        _ask(scenario, customer, threshold)
    _stream(scenario)
    expected = scenario.verify()
    alerted = {each.record["entry_id"] for each in scenario.alerts()}
    booked = sum(record.topic == scenario.pipeline.topics.entries for record in scenario.records)
    assert len(alerted) == booked
    used = {each.record["params"]["threshold_minor"] for each in scenario.alerts()}
    assert used == {str(threshold) for threshold in range(6)}
    assert expected.certain


def test_a_setting_that_no_longer_fits_and_fits_again(scenario: Scenario, customer: str) -> None:
    for threshold in (10_000, 0, 10_000, 0):
        _stream(scenario, 1.5)
        _ask(scenario, customer, threshold)
    _stream(scenario)
    assert scenario.verify().certain


@pytest.mark.parametrize("tombstone", [False, True])
def test_an_authorization_withdrawn(scenario: Scenario, customer: str, tombstone: bool) -> None:
    other = scenario.id("other")
    scenario.authorize(scenario.id("a0"), customer, other)
    scenario.write_settings(settings(other, setting("s", scenario.id("a0"))))
    _stream(scenario)
    for number in range(ACCOUNTS):
        scenario.authorize(scenario.id(f"a{number}"), *(() if tombstone else (other,)))
    _stream(scenario)
    scenario.authorize(scenario.id("a1"), customer)
    _stream(scenario)
    assert scenario.verify().certain


def test_a_customer_who_leaves_and_returns(scenario: Scenario, customer: str) -> None:
    _stream(scenario)
    scenario.delete_settings(customer)
    _stream(scenario)
    _ask(scenario, customer, 0, "SMS", "PUSH")
    _stream(scenario)
    scenario.verify()
    assert {each.channel for each in scenario.alerts()} == {"EMAIL", "SMS", "PUSH"}


def test_another_address_and_language(scenario: Scenario, customer: str) -> None:
    wanted = [setting("s", scenario.id(f"a{number}")) for number in range(ACCOUNTS)]
    _stream(scenario, 1.5)
    moved = [{"channel": "EMAIL", "address": "new@example.com"}]
    scenario.write_settings(settings(customer, *wanted, addresses=moved, language="de"))
    _stream(scenario)
    assert scenario.verify().certain


def test_changes_of_many_customers_at_once(scenario: Scenario, customer: str) -> None:
    """Changes of one account's customers in the same moment must not undo each other."""
    customers = [scenario.id(f"many-{number}") for number in range(20)]
    for number in range(ACCOUNTS):
        scenario.authorize(scenario.id(f"a{number}"), customer, *customers)
    _stream(scenario, 1.5)
    for threshold in (0, 1, 2):
        for each in customers:
            _ask(scenario, each, threshold)
        _stream(scenario, 1.5)
    for each in customers[::2]:
        scenario.delete_settings(each)
    _stream(scenario)
    assert scenario.verify().certain
