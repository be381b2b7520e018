"""The sample of real bookings, alert by alert."""

import json
import random
from collections import Counter

from devenv.bank import customers as sample
from operations import booking_files
from tests.builders import entry, setting, settings
from tests.pipeline.scenario import Scenario

TYPES = ("BALANCE_ABOVE", "BALANCE_BELOW", "CREDITED_ABOVE", "DEBITED_ABOVE")


def test_the_sample_of_real_bookings(scenario: Scenario) -> None:
    entries = booking_files.read()
    seen = sample.authorizations()
    wanted = sample.settings(entries, seen)
    # The sample's ids become this test's own.
    for record in seen:
        scenario.authorize(scenario.id(record["account_id"]), *map(scenario.id, record["customer_ids"]))
    for record in wanted:
        own = [each | {"account_id": scenario.id(each["account_id"])} for each in record["settings"]]
        scenario.write_settings(record | {"customer_id": scenario.id(record["customer_id"]), "settings": own})
    scenario.await_effect()
    for record in entries:
        ids = {name: scenario.id(record[name]) for name in ("entry_id", "account_id")}
        scenario.write_booking(record | ids)
    expected = scenario.verify()
    share = len({alert.entry_id for alert in expected.certain}) / len(entries)
    assert 0.2 < share < 0.4
    assert Counter(alert.alert_type for alert in expected.certain).keys() == set(TYPES)
    assert {alert.channel for alert in expected.certain} == {"EMAIL", "SMS", "PUSH"}


def test_random_rules_and_bookings(scenario: Scenario) -> None:
    """Thresholds, balances and currencies out of a small range, so that much coincides."""
    chance = random.Random(11)
    accounts = [scenario.id(f"a{number}") for number in range(40)]
    customers = [scenario.id(f"c{number}") for number in range(60)]
    for account in accounts:
        scenario.authorize(account, *chance.sample(customers, chance.randrange(4)))
    for customer in customers:
        wanted = [
            setting(
                f"s{number}",
                chance.choice(accounts),
                alert_type=chance.choice(TYPES),
                currency=chance.choice(("EUR", "JPY")),
                threshold_minor=chance.randrange(-5, 6),
                channels=chance.sample(("EMAIL", "SMS", "PUSH"), chance.randrange(4)),
            )
            for number in range(chance.randrange(20))
        ]
        scenario.write_settings(settings(customer, *wanted))
    scenario.await_effect()
    for number in range(5000):
        fields = {
            "currency": chance.choice(("EUR", "JPY")),
            "amount_minor": chance.randrange(1, 8),
            "balance_minor": chance.randrange(-8, 9),
            "credit_debit": chance.choice(("CRDT", "DBIT")),
            "description": json.dumps(number),
        }
        scenario.write_booking(entry(scenario.id(f"e{number}"), chance.choice(accounts), **fields))
    assert scenario.verify().certain
