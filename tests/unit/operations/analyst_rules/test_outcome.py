"""What a back-test says: the counts must be right, and nobody's address in it."""

import json
from datetime import UTC, datetime

import pytest

from account_alerts.model.alerts import Channel
from account_alerts.model.analyst_rule import Rule
from operations.analyst_rules.outcome import Match, Outcome

ACCOUNT = "CZ6508000000192000145399"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def hit(entry: str, written: str, customer: str = "c1") -> Match:
    """A booking that the rule found, written to Kafka then, for this customer."""
    return {
        "rule": "r",
        "entry_id": entry,
        "customer_id": customer,
        "account_id": ACCOUNT,
        "currency": "EUR",
        "amount_minor": 125_050,
        "balance_minor": 300_000,
        "booked_at": at(written) - 1,
        "written_at": at(written),
        "threshold_minor": None,
        "channels": "",
        "per_minute": 3,
    }


def outcome(*hits: Match, channels: tuple[str, ...] = ("EMAIL",), limit: int = 3) -> Outcome:
    """What comes of hits, their customers reached on these channels; a rule that found no others."""
    made = Outcome(Rule("r", "SELECT 1", "", limit), found=len({each["entry_id"] for each in hits}))
    for each in hits:
        made.add(each, list(channels))
    return made


TWO_DAYS = (
    hit("e1", "2026-11-01 12:00:00.000"),
    hit("e1", "2026-11-01 12:00:00.000", "c2"),
    hit("e2", "2026-11-01 23:59:59.999"),
    hit("e3", "2026-11-02 00:00:00.000"),
)


def test_each_day_is_counted() -> None:
    told = outcome(*TWO_DAYS, channels=("EMAIL", "PUSH")).as_dict()
    assert told["days"] == [
        {"day": "2026-11-01", "bookings": 2, "alerts": 6, "customers": 2, "most_for_one_customer": 4},
        {"day": "2026-11-02", "bookings": 1, "alerts": 2, "customers": 1, "most_for_one_customer": 2},
    ]
    assert (told["bookings"], told["alerts"], told["customers"]) == (3, 8, 2)
    assert told["channels"] == {"EMAIL": 4, "PUSH": 4}
    assert told["customers_by_alerts"] == {"2": 1, "6": 1}


def test_days_stand_in_their_order() -> None:
    told = outcome(*reversed(TWO_DAYS)).as_dict()
    assert [day["day"] for day in told["days"]] == ["2026-11-01", "2026-11-02"]


def test_the_busiest_minute_is_one_of_kafka_time() -> None:
    made = outcome(
        hit("e1", "2026-11-01 12:00:59.999"),
        hit("e2", "2026-11-01 12:01:00.000"),
        hit("e3", "2026-11-01 12:01:59.999"),
        hit("e4", "2026-11-01 12:02:00.000"),
    )
    assert made.as_dict()["busiest_minute"] == 2


@pytest.mark.parametrize(("limit", "is_over"), [(4, False), (3, True)])
def test_more_than_the_limit_is_said(limit: int, is_over: bool) -> None:
    made = outcome(*(hit(f"e{number}", "2026-11-01 12:00") for number in range(4)), limit=limit)
    assert (made.as_dict()["busiest_minute"], made.as_dict()["limit"]) == (4, limit)
    assert f"Busiest minute: 4 alerts; limit {limit}." in made.text()
    assert ("MORE THAN THE LIMIT" in made.text()) == is_over


def test_the_plot_has_its_longest_bar_on_the_day_with_most_alerts() -> None:
    hits = [hit(f"e{number}", f"2026-11-{1 + number // 100:02} 12:00") for number in range(101)]
    bars = [line.count("█") for line in outcome(*hits).text().splitlines() if line.startswith("2026-11-0")]
    assert bars == [40, 1]


def test_the_text_has_the_counts_of_each_day() -> None:
    lines = [line.split()[:5] for line in outcome(*TWO_DAYS).text().splitlines()]
    assert lines[0][:2] == ["day", "bookings"]
    assert lines[1] == ["2026-11-01", "2", "3", "2", "2"]
    assert lines[2] == ["2026-11-02", "1", "1", "1", "1"]


def test_customers_are_told_by_how_much_they_would_have_got() -> None:
    many = {"c1": 1, "c2": 1, "c3": 2, "c4": 5, "c5": 6, "c6": 20, "c7": 21}
    hits = [
        hit(f"{customer}-{number}", "2026-11-01 12:00", customer)
        for customer, count in many.items()
        for number in range(count)
    ]
    spread = [line.strip() for line in outcome(*hits).text().splitlines() if "would have got" in line]
    assert spread == [
        "2 customers would have got 1",
        "2 customers would have got 2 to 5",
        "2 customers would have got 6 to 20",
        "1 customers would have got 21 or more",
    ]


def test_who_cannot_be_reached_is_counted_and_no_customer_of_an_alert() -> None:
    made = outcome(*TWO_DAYS[:3], channels=())
    told = made.as_dict()
    assert (told["without_address"], told["alerts"], told["customers"]) == (3, 0, 0)
    assert told["days"] == [
        {"day": "2026-11-01", "bookings": 2, "alerts": 0, "customers": 0, "most_for_one_customer": 0}
    ]
    assert (told["busiest_minute"], told["examples"]) == (0, [])
    assert "3 times a customer has no address" in made.text()


def test_examples_are_announced_only_where_there_are_some() -> None:
    assert "For example:" in outcome(*TWO_DAYS).text()
    assert "For example:" not in outcome(*TWO_DAYS, channels=()).text()


def test_nothing_found_is_said() -> None:
    assert outcome().text() == "r: would have raised nothing (0 bookings found)."
    assert outcome().as_dict()["days"] == []


def test_nobody_who_may_see_the_accounts_is_said() -> None:
    made = Outcome(Rule("r", "SELECT 1", "", 3), found=7)
    assert "raised nothing (7 bookings found; nobody is known who may see" in made.text()


def test_an_example_says_what_and_when_for_whom_and_by_which_channels() -> None:
    [example] = outcome(TWO_DAYS[0], channels=tuple(Channel)).examples
    assert example == (
        "2026-11-01 12:00:00 €1,250.50 on account …5399, booking e1, to customer c1 by EMAIL, PUSH, SMS"
    )


def test_there_are_at_most_ten_examples() -> None:
    made = outcome(*(hit(f"e{number}", "2026-11-01 12:00") for number in range(30)))
    assert len(made.as_dict()["examples"]) == 10
    assert made.text().count("on account") == 10


def test_no_account_number_is_shown() -> None:
    made = outcome(*TWO_DAYS, channels=tuple(Channel))
    for shown in (made.text(), json.dumps(made.as_dict())):
        assert "5399" in shown
        for hidden in (ACCOUNT, ACCOUNT[-5:], ACCOUNT[:8]):
            assert hidden not in shown
