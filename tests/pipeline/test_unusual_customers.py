"""Customers and accounts that are a load: nothing is missing, nothing is wrong, others do not wait long."""

import itertools
import time
from statistics import median

import pytest

from tests.builders import entry, setting, settings
from tests.pipeline.environment import Environment
from tests.pipeline.scenario import Scenario

VIEWERS = 5_000
HEARING = 20
"""So many of an account's viewers hear of its bookings."""
ACCOUNTS = 500
OTHERS = 20
OTHERS_WAIT_MS = 5_000
"""What others may wait: no more than on a busy machine without such a load."""
NEVER = 10**12


@pytest.fixture
def others(scenario: Scenario) -> Scenario:
    """Customers like any, each with an account."""
    others = scenario.fork()
    for number in range(OTHERS):
        account, customer = others.id(f"a{number}"), others.id(f"c{number}")
        others.authorize(account, customer)
        others.write_settings(settings(customer, setting("s", account)))
    others.await_effect()
    return others


def _book(scenario: Scenario, account: str) -> None:
    scenario.write_booking(entry(scenario.next_id(), account))


def _book_others(others: Scenario) -> None:
    for number in range(OTHERS):
        _book(others, others.id(f"a{number}"))


def _verify_others(others: Scenario, rounds: int) -> None:
    assert len(others.verify().certain) == OTHERS * rounds
    assert median(others.latencies()) < OTHERS_WAIT_MS


def test_an_account_that_thousands_see(scenario: Scenario, others: Scenario) -> None:
    """Each of its bookings meets the settings of all; others' bookings come in between."""
    account = scenario.id("hot")
    viewers = [scenario.id(f"v{number}") for number in range(VIEWERS)]
    scenario.authorize(account, *viewers)
    for number, viewer in enumerate(viewers):
        threshold = 0 if number % (VIEWERS // HEARING) == 0 else NEVER
        scenario.write_settings(settings(viewer, setting("s", account, threshold_minor=threshold)))
    scenario.await_effect()
    for _ in range(10):
        _book(scenario, account)
        _book_others(others)
    # They change their minds all at once, and bookings follow without a pause.
    for viewer in viewers:
        scenario.write_settings(settings(viewer, setting("s", account, threshold_minor=NEVER)))
    for _ in range(5):
        _book_others(others)
    scenario.await_effect()
    _book(scenario, account)
    expected = scenario.verify()
    assert len(expected.certain) == 10 * HEARING
    _verify_others(others, 15)


def test_a_customer_with_hundreds_of_accounts(scenario: Scenario, others: Scenario) -> None:
    customer = scenario.id("rich")
    accounts = [scenario.id(f"a{number}") for number in range(ACCOUNTS)]
    for account in accounts:
        scenario.authorize(account, customer)
    for threshold in (0, 1, 2):
        wanted = [setting(f"s{account}", account, threshold_minor=threshold) for account in accounts]
        scenario.write_settings(settings(customer, *wanted))
        _book_others(others)
        scenario.await_effect()
        for account in accounts[threshold::3]:
            _book(scenario, account)
    scenario.delete_settings(customer)
    scenario.await_effect()
    for account in accounts[::10]:
        _book(scenario, account)
    assert len(scenario.verify().certain) == ACCOUNTS
    _verify_others(others, 3)


def test_a_customer_who_names_accounts_that_are_not_theirs(scenario: Scenario, others: Scenario) -> None:
    """They hear nothing of them; of one, once they may see it and only as long."""
    curious = scenario.id("curious")
    named = [others.id(f"a{number}") for number in range(OTHERS)]
    unknown = [scenario.id(f"nobodys-{number}") for number in range(ACCOUNTS)]
    wanted = [setting(f"s{account}", account) for account in (*named, *unknown)]
    scenario.write_settings(settings(curious, *wanted))
    scenario.await_effect()
    _book_others(others)
    for account in unknown:
        _book(scenario, account)
    scenario.authorize(unknown[0], curious)
    scenario.await_effect()
    _book(scenario, unknown[0])
    scenario.authorize(unknown[0])
    scenario.await_effect()
    _book(scenario, unknown[0])
    assert len(scenario.verify().certain) == 1
    _verify_others(others, 1)


def test_a_customer_who_toggles_a_setting_each_second(scenario: Scenario, others: Scenario) -> None:
    customer, account = scenario.id("fickle"), scenario.id("a")
    scenario.authorize(account, customer)
    start = time.monotonic()
    rounds = 8
    for number in range(rounds):
        threshold = NEVER if number % 2 else 0
        scenario.write_settings(settings(customer, setting("s", account, threshold_minor=threshold)))
        for tenth in range(10):
            scenario.pipeline.consume_until_time(start + number + tenth / 10)
            _book(scenario, account)
        _book_others(others)
    scenario.verify()
    assert scenario.alerts()
    _verify_others(others, rounds)


def test_few_bookings_wait_for_none_of_the_changes_between_them(scenario: Scenario, others: Scenario) -> None:
    """Five a second, most on one account: the sources of rules are quiet, then not, then quiet again."""
    start = time.monotonic()
    for number in range(50):
        others.pipeline.consume_until_time(start + number / 5)
        _book(others, others.id(f"a{0 if number % 10 else number % OTHERS}"))
        if 15 <= number < 30 and number % 3 == 0:
            customer = scenario.id(f"c{number}")
            scenario.write_settings(settings(customer, setting("s", scenario.id("a"))))
    assert len(others.verify().certain) == 50
    assert median(others.latencies()) < 1_000


def test_a_cold_start_with_many_settings_and_bookings_right_behind(
    environment: Environment, scenario: Scenario
) -> None:
    """No booking is joined before all settings are read."""
    environment.cancel("alerting")
    count = 10_000
    for number in range(count):
        account, customer = scenario.id(f"a{number}"), scenario.id(f"c{number}")
        scenario.authorize(account, customer)
        threshold = 0 if number % 10 == 0 else NEVER
        scenario.write_settings(settings(customer, setting("s", account, threshold_minor=threshold)))
    scenario.await_effect()
    for number in range(count):
        _book(scenario, scenario.id(f"a{number}"))
    scenario.pipeline.flush()
    environment.alerts("submit", "alerting", "--stateless")
    # What is written while it catches up as well.
    for number in itertools.islice(range(0, count, 10), 200):
        _book(scenario, scenario.id(f"a{number}"))
    assert len(scenario.verify().certain) == count // 10 + 200
