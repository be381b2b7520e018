"""Numbers of card bookings: the alert type TRANSACTION_COUNT on the running pipeline."""

import random

from tests.builders import NOON, Record, entry
from tests.pipeline.scenario import Scenario
from tests.pipeline.test_alerts import Person

MINUTE = 60_000


class Cardholder(Person):
    """A customer who pays by card, minutes after NOON."""

    def counts(self, name: str, count: int, minutes: int, **fields: object) -> Record:
        """A setting that counts."""
        fields = {"threshold_minor": None, "count": count, "window_minutes": minutes, **fields}
        return self.setting(name, alert_type="TRANSACTION_COUNT", **fields)

    def pays(self, *minutes: float, **fields: object) -> None:
        """Card bookings at these minutes, in this order."""
        for minute in minutes:
            self.books(**{"entry_type": "CARD", "booked_at": NOON + int(minute * MINUTE)} | fields)


def alerted(scenario: Scenario) -> list[str]:
    """What must be alerted, by the numbers of the bookings: one for each reason."""
    certain = scenario.verify().certain
    return sorted(alert.entry_id.rpartition("-")[2] for alert in certain for _ in alert.reasons)


def test_the_booking_that_crosses_the_number(scenario: Scenario) -> None:
    person = Cardholder(scenario)
    person.asks(person.counts("s", 5, 60))
    scenario.await_effect()
    person.pays(0, 1, 2, 3, 4)
    person.pays(5, balance_minor=None)
    person.pays(6, 7)
    assert alerted(scenario) == ["6"]
    (came,) = scenario.alerts()
    of_booking = {"amount_minor": "1000", "credit_debit": "DBIT", "entry_type": "CARD"}
    assert came.record["params"] == {"count": "5", "window_minutes": "60", **of_booking}


def test_again_only_after_it_has_fallen(scenario: Scenario) -> None:
    person = Cardholder(scenario)
    person.asks(person.counts("s", 1, 10))
    scenario.await_effect()
    person.pays(0, 1, 2, 30, 31, 32, 50)
    assert alerted(scenario) == ["2", "5"]


def test_only_cards_in_the_currency_each_once(scenario: Scenario) -> None:
    person = Cardholder(scenario)
    person.asks(person.counts("s", 2, 60), person.counts("usd", 1, 60, currency="USD"))
    scenario.await_effect()
    person.pays(0)
    person.pays(2, entry_type="TRANSFER")
    person.pays(3, currency="USD")
    again = entry(scenario.id("again"), person.account, entry_type="CARD", booked_at=NOON + MINUTE)
    scenario.write_booking(again)
    scenario.write_booking(again)
    person.pays(4, currency="USD")
    person.pays(5)
    assert len(scenario.verify().certain) == 2


def test_late_and_out_of_order(scenario: Scenario) -> None:
    person = Cardholder(scenario)
    person.asks(person.counts("s", 2, 10), person.counts("day", 5, 1_440))
    scenario.await_effect()
    person.pays(600, 601, 5, 3, 4, 602, 601.5, -700, 6)
    assert alerted(scenario) == ["6", "6", "9"]


def test_a_number_beside_amounts_on_every_channel(scenario: Scenario) -> None:
    person = Cardholder(scenario)
    wanted = ["EMAIL", "SMS", "PUSH"]
    person.asks(person.counts("s", 0, 1, channels=wanted), person.setting("all", threshold_minor=0))
    scenario.await_effect()
    person.pays(0, 0.5, 3)
    reasons = [[reason[0] for reason in alert.reasons] for alert in scenario.verify().certain]
    both, number, amount = ([scenario.id(name) for name in names] for names in (["all", "s"], ["s"], ["all"]))
    assert sorted(reasons) == sorted([both, amount, amount, number, number])


def test_two_customers_of_one_account(scenario: Scenario) -> None:
    first = Cardholder(scenario)
    second = Cardholder(scenario, "second")
    scenario.authorize(first.account, first.id, second.id)
    first.asks(first.counts("s", 1, 60))
    second.asks(second.counts("s", 2, 60, account_id=first.account))
    scenario.await_effect()
    first.pays(0, 1, 2)
    assert alerted(scenario) == ["2", "3"]


def test_the_number_is_changed(scenario: Scenario) -> None:
    person = Cardholder(scenario)
    person.asks(person.counts("s", 5, 60))
    scenario.await_effect()
    person.pays(0, 1, 2)
    person.asks(person.counts("s", 2, 60))
    scenario.await_effect()
    person.pays(3, 4)
    assert alerted(scenario) == ["4"]


def test_any_bookings_of_many_accounts(scenario: Scenario) -> None:
    chance = random.Random(7)
    people = [Cardholder(scenario, f"p{number}") for number in range(40)]
    for person in people:
        person.asks(
            *(
                person.counts(f"s{n}", chance.randint(0, 6), chance.choice([1, 5, 60, 1_440]))
                for n in range(2)
            )
        )
    scenario.await_effect()
    for _ in range(2_000):
        person = chance.choice(people)
        late = chance.choice([0, 0, 0, 1, 30, 600])
        person.pays(chance.uniform(0, 300) - late, entry_type=chance.choice(["CARD", "CARD", "CARD", "CASH"]))
    assert len(scenario.verify().certain) > 100
