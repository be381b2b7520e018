"""The sample of real bookings, alert by alert."""

import json
import random
from collections import Counter

from devenv.bank import customers as sample
from operations import booking_files
from tests.builders import entry, setting, settings
from tests.pipeline.chain import Case

TYPES = ("BALANCE_ABOVE", "BALANCE_BELOW", "CREDITED_ABOVE", "DEBITED_ABOVE")


def test_the_sample_of_real_bookings(case: Case) -> None:
    entries = booking_files.read()
    seen = sample.authorizations()
    wanted = sample.settings(entries, seen)
    # The sample's ids become this test's own.
    for record in seen:
        case.authorize(case.id(record["account_id"]), *map(case.id, record["customer_ids"]))
    for record in wanted:
        own = [each | {"account_id": case.id(each["account_id"])} for each in record["settings"]]
        case.ask(record | {"customer_id": case.id(record["customer_id"]), "settings": own})
    case.settle()
    for record in entries:
        ids = {name: case.id(record[name]) for name in ("entry_id", "account_id")}
        case.book(record | ids)
    expected = case.verify(timeout=120)
    share = len({alert.entry_id for alert in expected.certain}) / len(entries)
    assert 0.2 < share < 0.4
    assert Counter(alert.alert_type for alert in expected.certain).keys() == set(TYPES)
    assert {alert.channel for alert in expected.certain} == {"EMAIL", "SMS", "PUSH"}


def test_random_rules_and_bookings(case: Case) -> None:
    """Thresholds, balances and currencies out of a small range, so that much coincides."""
    chance = random.Random(11)
    accounts = [case.id(f"a{number}") for number in range(40)]
    customers = [case.id(f"c{number}") for number in range(60)]
    for account in accounts:
        case.authorize(account, *chance.sample(customers, chance.randrange(4)))
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
        case.ask(settings(customer, *wanted))
    case.settle()
    for number in range(5000):
        fields = {
            "currency": chance.choice(("EUR", "JPY")),
            "amount_minor": chance.randrange(1, 8),
            "balance_minor": chance.randrange(-8, 9),
            "credit_debit": chance.choice(("CRDT", "DBIT")),
            "description": json.dumps(number),
        }
        case.book(entry(case.id(f"e{number}"), chance.choice(accounts), **fields))
    assert case.verify().certain
