"""When an alert is raised, and for whom."""

from typing import Any

import pytest

from tests.builders import NOON, Record, entry, setting, settings
from tests.pipeline.scenario import Scenario

LOWEST, HIGHEST = -(2**63), 2**63 - 1


class Person:
    """A customer with an account of their own, in a test's ids."""

    def __init__(self, scenario: Scenario, name: str = "c") -> None:
        """Authorize them; they have no setting yet."""
        self.scenario, self.id, self.account = scenario, scenario.id(name), scenario.id(f"{name}-account")
        self._booked = 0
        scenario.authorize(self.account, self.id)

    def setting(self, name: str, **fields: Any) -> Record:
        """A setting for their account."""
        return setting(self.scenario.id(name), **{"account_id": self.account} | fields)

    def asks(self, *wanted: Record, **fields: Any) -> None:
        """Write their settings."""
        self.scenario.write_settings(settings(self.id, *wanted, **fields))

    def books(self, **fields: Any) -> str:
        """Write a booking on their account; returns its id."""
        self._booked += 1
        entry_id = self.scenario.id(f"{self.id}-{self._booked}")
        self.scenario.write_booking(entry(entry_id, self.account, **fields))
        return entry_id


AROUND = (-1001, -1000, -999, -1, 0, 1, 999, 1000, 1001)


def test_each_type_at_and_around_its_threshold(scenario: Scenario) -> None:
    person = Person(scenario)
    types = ("BALANCE_ABOVE", "BALANCE_BELOW", "CREDITED_ABOVE", "DEBITED_ABOVE")
    person.asks(
        *(
            person.setting(f"{alert_type}{threshold}", alert_type=alert_type, threshold_minor=threshold)
            for alert_type in types
            for threshold in AROUND
        )
    )
    scenario.await_effect()
    for balance in (*AROUND, None):
        for amount in (1, 2, 1000, 1001):
            for credit_debit in ("CRDT", "DBIT"):
                person.books(balance_minor=balance, amount_minor=amount, credit_debit=credit_debit)
    expected = scenario.verify()
    assert {reason[1] for alert in expected.certain for reason in alert.reasons} == set(types)
    assert max(len(alert.reasons) for alert in expected.certain) > 2 * len(AROUND) // 3


def test_the_largest_numbers_do_not_overflow(scenario: Scenario) -> None:
    person = Person(scenario)
    person.asks(
        *(
            person.setting(f"{alert_type}{threshold}", alert_type=alert_type, threshold_minor=threshold)
            for alert_type in ("BALANCE_ABOVE", "BALANCE_BELOW", "CREDITED_ABOVE", "DEBITED_ABOVE")
            for threshold in (LOWEST, LOWEST + 1, 0, HIGHEST - 1, HIGHEST)
        )
    )
    scenario.await_effect()
    for balance in (LOWEST, LOWEST + 1, 0, HIGHEST - 1, HIGHEST):
        for amount in (1, HIGHEST):
            for credit_debit in ("CRDT", "DBIT"):
                person.books(balance_minor=balance, amount_minor=amount, credit_debit=credit_debit)
    assert scenario.verify().certain


def test_every_channel_and_address_once(scenario: Scenario) -> None:
    person = Person(scenario)
    addresses = [
        {"channel": "EMAIL", "address": "first@example.com"},
        {"channel": "EMAIL", "address": "first@example.com"},
        {"channel": "EMAIL", "address": "second@example.com"},
        {"channel": "PUSH", "address": person.id},
    ]
    channels = ["EMAIL", "SMS", "EMAIL", "PUSH"]
    person.asks(person.setting("s", channels=channels), addresses=addresses, language="cs-CZ")
    scenario.await_effect()
    person.books()
    scenario.verify()
    came = sorted((each.channel, each.record["address"]) for each in scenario.alerts())
    assert came == [
        ("EMAIL", "first@example.com"),
        ("EMAIL", "second@example.com"),
        ("PUSH", person.id),
    ]
    assert {each.key for each in scenario.alerts()} == {person.id.encode()}
    assert {each.record["language"] for each in scenario.alerts()} == {"cs-CZ"}


def test_own_account_and_own_currency_only(scenario: Scenario) -> None:
    person, other = Person(scenario), Person(scenario, "other")
    person.asks(
        person.setting("euro"),
        person.setting("yen", currency="JPY"),
        person.setting("dinar", currency="KWD"),
        person.setting("not-mine", account_id=other.account),
    )
    scenario.await_effect()
    for currency in ("EUR", "JPY", "KWD", "CZK"):
        person.books(currency=currency)
        other.books(currency=currency)
    assert len(scenario.verify().certain) == 3


def test_only_the_authorized_are_told(scenario: Scenario) -> None:
    owner, second, stranger = (scenario.id(name) for name in ("owner", "second", "stranger"))
    account = scenario.id("account")
    scenario.authorize(account, owner, second, owner)
    for customer in (owner, second, stranger):
        scenario.write_settings(settings(customer, setting(scenario.id("s"), account)))
    scenario.await_effect()
    scenario.write_booking(entry(scenario.id("e"), account))
    scenario.verify()
    assert sorted(each.record["customer_id"] for each in scenario.alerts()) == [owner, second]


def test_settings_before_authorization_and_the_other_way_round(scenario: Scenario) -> None:
    early, late = scenario.id("early"), scenario.id("late")
    scenario.write_settings(settings(early, setting("s", scenario.id("a"))))
    scenario.pipeline.flush()
    scenario.authorize(scenario.id("a"), early, late)
    scenario.pipeline.flush()
    scenario.write_settings(settings(late, setting("s", scenario.id("a"))))
    scenario.await_effect()
    scenario.write_booking(entry(scenario.id("e"), scenario.id("a")))
    assert len(scenario.verify().certain) == 2


def test_ids_and_texts_of_any_characters(scenario: Scenario) -> None:
    customer, account = scenario.id("Zoë 🏦 'x' \"y\""), scenario.id("účet,;|\t{}[]%\\")
    scenario.authorize(account, customer)
    scenario.write_settings(settings(customer, setting("nastavení|\u2028", account)))
    scenario.await_effect()
    scenario.write_booking(
        entry(scenario.id("žá\n"), account, description="\u0000 ' \" \\", merchant_name="Kč")
    )
    assert len(scenario.verify().certain) == 1


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
def test_an_invalid_setting_is_skipped_and_told(scenario: Scenario, fields: dict[str, Any]) -> None:
    person = Person(scenario)
    bad, good = person.setting("bad", **fields), person.setting("good")
    person.asks(bad, good)
    scenario.await_effect()
    person.books()
    expected = scenario.verify()
    assert {alert.setting_id for alert in expected.certain} == {good["setting_id"]}
    assert list(expected.skipped_settings.values()) == [{bad["setting_id"]}]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quiet_to", "24:00"),
        ("quiet_to", "22.00"),
        ("quiet_from", "9:00"),
        ("digest", "WEEKLY"),
        ("time_zone", "Mars"),
    ],
)
def test_an_invalid_field_is_told_and_costs_no_alert(scenario: Scenario, field: str, value: str) -> None:
    person = Person(scenario)
    good = person.setting("good")
    person.asks(good, **{"quiet_from": "21:00", "quiet_to": "07:00", field: value})
    scenario.await_effect()
    person.books()
    expected = scenario.verify()
    assert {alert.setting_id for alert in expected.certain} == {good["setting_id"]}
    assert list(expected.skipped_settings.values()) == [{field}]


def test_an_unknown_type_is_ignored(scenario: Scenario) -> None:
    person = Person(scenario)
    person.asks(person.setting("new", alert_type="MOON_PHASE", threshold_minor=None), person.setting("good"))
    scenario.await_effect()
    person.books()
    expected = scenario.verify()
    assert not expected.dead_letters
    assert len(expected.certain) == 1


def test_a_booking_told_twice_has_the_same_ids(scenario: Scenario) -> None:
    person = Person(scenario)
    person.asks(person.setting("s", channels=["EMAIL", "SMS", "PUSH"]))
    scenario.await_effect()
    entry_id = person.books()
    scenario.write_booking(entry(entry_id, person.account))
    scenario.verify()
    assert len({each.record["alert_id"] for each in scenario.alerts()}) == 3


def test_params_and_times(scenario: Scenario) -> None:
    person = Person(scenario)
    person.asks(person.setting("s", threshold_minor=-5))
    scenario.await_effect()
    said = {"merchant_name": "Bakery", "merchant_category": "5462", "country": "NL", "counterparty": "NL02"}
    said |= {"counterparty_name": "A. Müller", "card_last_four": "1234", "description": "two loaves"}
    original = {"original_currency": "USD", "original_amount_minor": 1100, "reversal": True}
    person.books(balance_minor=-1250, booked_at=NOON + 7, **said, **original)
    person.books(balance_minor=None, entry_type="CASH")
    scenario.verify()
    came, bare = scenario.alerts()
    of_all = {"threshold_minor": "-5", "amount_minor": "1000", "credit_debit": "DBIT"}
    assert came.record["params"] == {
        **of_all,
        **said,
        **{"entry_type": "TRANSFER", "balance_minor": "-1250", "original_currency": "USD"},
        **{"original_amount_minor": "1100", "reversal": "true"},
    }
    assert bare.record["params"] == {**of_all, "entry_type": "CASH"}
    assert came.record["booked_at"] == NOON + 7
    assert abs(came.record["raised_at"] - came.timestamp) < 60_000
    assert came.record["alert_id"]
