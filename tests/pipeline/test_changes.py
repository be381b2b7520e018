"""Rules that change while bookings go through: Kafka's clock says which apply."""

import itertools
import time

import pytest

from tests.builders import entry, setting, settings
from tests.pipeline.chain import Case

STREAM_SECONDS = 3.0
PACE = 100
ACCOUNTS = 6


def _stream(case: Case, seconds: float = STREAM_SECONDS) -> None:
    """Bookings on all accounts at a steady pace, while the outputs are taken in."""
    start = time.monotonic()
    for number in itertools.count():
        due = start + number / PACE
        if due > start + seconds:
            break
        case.chain.pause(due)
        account = case.id(f"a{number % ACCOUNTS}")
        case.book(entry(case.next_id(), account))
    case.chain.flush()


@pytest.fixture
def customer(case: Case) -> str:
    """A customer who hears of every debit on several accounts."""
    name = case.id("c")
    for number in range(ACCOUNTS):
        case.authorize(case.id(f"a{number}"), name)
    _ask(case, name, 0)
    case.settle()
    return name


def _ask(case: Case, customer: str, threshold: int, *channels: str) -> None:
    wanted = [
        setting("s", case.id(f"a{number}"), threshold_minor=threshold, channels=list(channels) or ["EMAIL"])
        for number in range(ACCOUNTS)
    ]
    case.ask(settings(customer, *wanted))


def test_a_setting_changed_again_and_again_leaves_no_gap(case: Case, customer: str) -> None:
    for threshold in range(1, 6):
        _stream(case, 1.5)
        _ask(case, customer, threshold)
    _stream(case)
    expected = case.verify()
    alerted = {each.record["entry_id"] for each in case.alerts()}
    booked = sum(record.topic == case.chain.topics.entries for record in case.records)
    assert len(alerted) == booked
    used = {each.record["params"]["threshold_minor"] for each in case.alerts()}
    assert used == {str(threshold) for threshold in range(6)}
    assert expected.certain


def test_a_setting_that_no_longer_fits_and_fits_again(case: Case, customer: str) -> None:
    for threshold in (10_000, 0, 10_000, 0):
        _stream(case, 1.5)
        _ask(case, customer, threshold)
    _stream(case)
    assert case.verify().certain


@pytest.mark.parametrize("tombstone", [False, True])
def test_an_authorization_withdrawn(case: Case, customer: str, tombstone: bool) -> None:
    other = case.id("other")
    case.authorize(case.id("a0"), customer, other)
    case.ask(settings(other, setting("s", case.id("a0"))))
    _stream(case)
    for number in range(ACCOUNTS):
        case.authorize(case.id(f"a{number}"), *(() if tombstone else (other,)))
    _stream(case)
    case.authorize(case.id("a1"), customer)
    _stream(case)
    assert case.verify().certain


def test_a_customer_who_leaves_and_returns(case: Case, customer: str) -> None:
    _stream(case)
    case.forget(customer)
    _stream(case)
    _ask(case, customer, 0, "SMS", "PUSH")
    _stream(case)
    case.verify()
    assert {each.channel for each in case.alerts()} == {"EMAIL", "SMS", "PUSH"}


def test_another_address_and_language(case: Case, customer: str) -> None:
    wanted = [setting("s", case.id(f"a{number}")) for number in range(ACCOUNTS)]
    _stream(case, 1.5)
    moved = [{"channel": "EMAIL", "address": "new@example.com"}]
    case.ask(settings(customer, *wanted, addresses=moved, language="de"))
    _stream(case)
    assert case.verify().certain


def test_changes_of_many_customers_at_once(case: Case, customer: str) -> None:
    """Changes of one account's customers in the same moment must not undo each other."""
    customers = [case.id(f"many-{number}") for number in range(20)]
    for number in range(ACCOUNTS):
        case.authorize(case.id(f"a{number}"), customer, *customers)
    _stream(case, 1.5)
    for threshold in (0, 1, 2):
        for each in customers:
            _ask(case, each, threshold)
        _stream(case, 1.5)
    for each in customers[::2]:
        case.forget(each)
    _stream(case)
    assert case.verify().certain
