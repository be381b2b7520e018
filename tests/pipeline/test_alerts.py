"""When an alert is raised, and for whom."""

from typing import Any

import pytest

from tests.builders import NOON, Record, entry, setting, settings
from tests.pipeline.chain import Case

LOWEST, HIGHEST = -(2**63), 2**63 - 1


class Person:
    """A customer with an account of his own, in a test's ids."""

    def __init__(self, case: Case, name: str = "c") -> None:
        """Authorize him; he asked for nothing yet."""
        self.case, self.id, self.account = case, case.id(name), case.id(f"{name}-account")
        self._booked = 0
        case.authorize(self.account, self.id)

    def setting(self, name: str, **fields: Any) -> Record:
        """A setting for his account."""
        return setting(self.case.id(name), **{"account_id": self.account} | fields)

    def asks(self, *wanted: Record, **fields: Any) -> None:
        """Write his settings."""
        self.case.ask(settings(self.id, *wanted, **fields))

    def books(self, **fields: Any) -> str:
        """Write a booking on his account; returns its id."""
        self._booked += 1
        entry_id = self.case.id(f"{self.id}-{self._booked}")
        self.case.book(entry(entry_id, self.account, **fields))
        return entry_id


AROUND = (-1001, -1000, -999, -1, 0, 1, 999, 1000, 1001)


def test_each_type_at_and_around_its_threshold(case: Case) -> None:
    person = Person(case)
    types = ("BALANCE_ABOVE", "BALANCE_BELOW", "CREDITED_ABOVE", "DEBITED_ABOVE")
    person.asks(
        *(
            person.setting(f"{alert_type}{threshold}", alert_type=alert_type, threshold_minor=threshold)
            for alert_type in types
            for threshold in AROUND
        )
    )
    case.settle()
    for balance in AROUND:
        for amount in (1, 2, 1000, 1001):
            for credit_debit in ("CRDT", "DBIT"):
                person.books(balance_minor=balance, amount_minor=amount, credit_debit=credit_debit)
    expected = case.verify()
    assert {alert.alert_type for alert in expected.certain} == set(types)


def test_the_largest_numbers_do_not_overflow(case: Case) -> None:
    person = Person(case)
    person.asks(
        *(
            person.setting(f"{alert_type}{threshold}", alert_type=alert_type, threshold_minor=threshold)
            for alert_type in ("BALANCE_ABOVE", "BALANCE_BELOW", "CREDITED_ABOVE", "DEBITED_ABOVE")
            for threshold in (LOWEST, LOWEST + 1, 0, HIGHEST - 1, HIGHEST)
        )
    )
    case.settle()
    for balance in (LOWEST, LOWEST + 1, 0, HIGHEST - 1, HIGHEST):
        for amount in (1, HIGHEST):
            for credit_debit in ("CRDT", "DBIT"):
                person.books(balance_minor=balance, amount_minor=amount, credit_debit=credit_debit)
    assert case.verify().certain


def test_every_channel_and_address_once(case: Case) -> None:
    person = Person(case)
    addresses = [
        {"channel": "EMAIL", "address": "first@example.com"},
        {"channel": "EMAIL", "address": "first@example.com"},
        {"channel": "EMAIL", "address": "second@example.com"},
        {"channel": "PUSH", "address": person.id},
    ]
    channels = ["EMAIL", "SMS", "EMAIL", "PUSH"]
    person.asks(person.setting("s", channels=channels), addresses=addresses, language="cs-CZ")
    case.settle()
    person.books()
    case.verify()
    came = sorted((each.channel, each.record["address"]) for each in case.alerts())
    assert came == [
        ("EMAIL", "first@example.com"),
        ("EMAIL", "second@example.com"),
        ("PUSH", person.id),
    ]
    assert {each.key for each in case.alerts()} == {person.id.encode()}
    assert {each.record["language"] for each in case.alerts()} == {"cs-CZ"}


def test_own_account_and_own_currency_only(case: Case) -> None:
    person, other = Person(case), Person(case, "other")
    person.asks(
        person.setting("euro"),
        person.setting("yen", currency="JPY"),
        person.setting("dinar", currency="KWD"),
        person.setting("not-mine", account_id=other.account),
    )
    case.settle()
    for currency in ("EUR", "JPY", "KWD", "CZK"):
        person.books(currency=currency)
        other.books(currency=currency)
    assert len(case.verify().certain) == 3


def test_only_the_authorized_are_told(case: Case) -> None:
    owner, second, stranger = (case.id(name) for name in ("owner", "second", "stranger"))
    account = case.id("account")
    case.authorize(account, owner, second, owner)
    for customer in (owner, second, stranger):
        case.ask(settings(customer, setting(case.id("s"), account)))
    case.settle()
    case.book(entry(case.id("e"), account))
    case.verify()
    assert sorted(each.record["customer_id"] for each in case.alerts()) == [owner, second]


def test_settings_before_authorization_and_the_other_way_round(case: Case) -> None:
    early, late = case.id("early"), case.id("late")
    case.ask(settings(early, setting("s", case.id("a"))))
    case.chain.flush()
    case.authorize(case.id("a"), early, late)
    case.chain.flush()
    case.ask(settings(late, setting("s", case.id("a"))))
    case.settle()
    case.book(entry(case.id("e"), case.id("a")))
    assert len(case.verify().certain) == 2


def test_ids_and_texts_of_any_characters(case: Case) -> None:
    customer, account = case.id("Zoë 🏦 'x' \"y\""), case.id("účet,;|\t{}[]%\\")
    case.authorize(account, customer)
    case.ask(settings(customer, setting("nastavení|\u2028", account)))
    case.settle()
    case.book(entry(case.id("žá\n"), account, description="\u0000 ' \" \\", merchant_name="Kč"))
    assert len(case.verify().certain) == 1


INVALID: list[dict[str, Any]] = [
    {"threshold_minor": None},
    {"alert_type": "BALANCE_ABOVE", "threshold_minor": None},
    {"alert_type": "BALANCE_BELOW", "threshold_minor": None},
    {"alert_type": "CREDITED_ABOVE", "threshold_minor": None},
    {"channels": ["EMAIL", "FAX"]},
    {"channels": ["email"]},
    {"alert_type": "TRANSACTION_COUNT", "count": 3},
    {"alert_type": "TRANSACTION_COUNT", "window_minutes": 3},
]


@pytest.mark.parametrize("fields", INVALID, ids=str)
def test_an_invalid_setting_is_skipped_and_told(case: Case, fields: dict[str, Any]) -> None:
    person = Person(case)
    bad, good = person.setting("bad", **fields), person.setting("good")
    person.asks(bad, good)
    case.settle()
    person.books()
    expected = case.verify()
    assert {alert.setting_id for alert in expected.certain} == {good["setting_id"]}
    assert list(expected.skipped_settings.values()) == [{bad["setting_id"]}]


def test_an_unknown_type_is_ignored(case: Case) -> None:
    person = Person(case)
    person.asks(person.setting("new", alert_type="MOON_PHASE", threshold_minor=None), person.setting("good"))
    case.settle()
    person.books()
    expected = case.verify()
    assert not expected.dead_letters
    assert len(expected.certain) == 1


def test_a_booking_told_twice_has_the_same_ids(case: Case) -> None:
    person = Person(case)
    person.asks(person.setting("s", channels=["EMAIL", "SMS", "PUSH"]))
    case.settle()
    entry_id = person.books()
    case.book(entry(entry_id, person.account))
    case.verify()
    assert len({each.record["alert_id"] for each in case.alerts()}) == 3


def test_params_and_times(case: Case) -> None:
    person = Person(case)
    person.asks(person.setting("s", threshold_minor=-5))
    case.settle()
    person.books(balance_minor=-1250, booked_at=NOON + 7)
    case.verify()
    (came,) = case.alerts()
    assert came.record["params"] == {
        "threshold_minor": "-5",
        "amount_minor": "1000",
        "balance_minor": "-1250",
    }
    assert came.record["booked_at"] == NOON + 7
    assert abs(came.record["raised_at"] - came.timestamp) < 60_000
    assert came.record["alert_id"]
