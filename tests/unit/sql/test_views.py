"""Views of sql/ over rows: what they give, row by row."""

import random
from pathlib import Path
from typing import Any

from account_alerts.config import load
from account_alerts.model.alerts import AMOUNT_TYPES
from tests import ddl
from tests.builders import NOON, entry, setting
from tests.reference.model import raised
from tests.unit.sql.views import Views, read_columns

CONFIG = load()
AMOUNTS = (-2, -1, 0, 1, 2, 3)


def rule(wanted: dict[str, Any], **times: Any) -> dict[str, Any]:
    """A setting as an element of `rules` in alert-rules, in force since ever."""
    names = ("setting_id", "alert_type", "currency", "threshold_minor", "count", "window_minutes", "channels")
    return {
        "customer_id": "c",
        **{name: wanted[name] for name in names},
        "language": "en",
        "address_channels": ["EMAIL"],
        "addresses": ["c@example.com"],
        "valid_from": 0,
        "valid_to": None,
        **times,
    }


def raised_amounts(folder: Path, bookings: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """(booking, setting) of each row of raised_amounts, over bookings joined with their rules."""
    views = Views(CONFIG, folder)
    entries = read_columns("account_entries")
    names = ("entry_id", "account_id", "currency", "amount_minor", "credit_debit", "balance_minor")
    columns = {name: entries[name] for name in (*names, "booked_at", "entry_type")}
    columns |= {"rules_time": "TIMESTAMP_LTZ(3) NOT NULL", "rules": ddl.value_columns("alert_rules")["rules"]}
    views.add_table("entries_with_rules", columns, bookings)
    views.add_view("alerting/raised_amounts.sql")
    return sorted(views.rows("SELECT entry_id, setting_id FROM raised_amounts"))


def test_amounts_raise_what_the_reference_says(tmp_path: Path) -> None:
    chosen = random.Random(16)
    bookings, expected = [], []
    for number in range(500):
        booking = entry(
            f"e{number}",
            amount_minor=chosen.choice([1, 2, 3]),
            credit_debit=chosen.choice(["CRDT", "DBIT"]),
            balance_minor=chosen.choice(AMOUNTS),
        )
        wanted = [
            setting(alert_type.value, alert_type=alert_type.value, threshold_minor=chosen.choice(AMOUNTS))
            for alert_type in sorted(AMOUNT_TYPES)
        ]
        bookings.append(booking | {"rules_time": NOON, "rules": [rule(each) for each in wanted]})
        expected += [(booking["entry_id"], each["setting_id"]) for each in wanted if raised(each, booking)]
    assert raised_amounts(tmp_path, bookings) == sorted(expected)
    assert len(expected) > 400


def test_a_rule_counts_in_its_currency_and_its_time_only(tmp_path: Path) -> None:
    rules = [
        rule(setting("now")),
        rule(setting("begins"), valid_from=NOON),
        rule(setting("ended"), valid_to=NOON),
        rule(setting("ends"), valid_to=NOON + 1),
        rule(setting("later"), valid_from=NOON + 1),
        rule(setting("other", currency="USD")),
    ]
    booking = entry("e", credit_debit="DBIT", currency="EUR") | {"rules_time": NOON, "rules": rules}
    assert raised_amounts(tmp_path, [booking]) == [("e", "begins"), ("e", "ends"), ("e", "now")]


def test_an_application_is_due_once_unless_it_was_finished_in_time(tmp_path: Path) -> None:
    assert CONFIG.clicks is not None
    after = CONFIG.clicks.reminder_after

    def click(application: str, kind: str, at: int, reason: str | None = None) -> dict[str, Any]:
        event = {"customer_id": "c", "application_id": application, "product": "LOAN", "event_type": kind}
        return {**event, "occurred_at": at - 5, "reason": reason, "rowtime": NOON + at}

    begun, finished = "APPLICATION_BEGUN", "APPLICATION_FINISHED"
    rows = [
        click("left", begun, 0),
        click("left", begun, 10),
        click("finished", begun, 0),
        click("finished", finished, after),
        click("late", begun, 0),
        click("late", finished, after + 1),
        click("overtaken", finished, 0),
        click("overtaken", begun, 5),
        click("invalid", begun, 0, "event_id is empty"),
    ]
    views = Views(CONFIG, tmp_path)
    columns = {
        **dict.fromkeys(("customer_id", "application_id", "product", "event_type", "reason"), "STRING"),
        **dict.fromkeys(("occurred_at", "rowtime"), "TIMESTAMP_LTZ(3)"),
    }
    rows.sort(key=lambda row: row["rowtime"])
    views.add_table("clicks", columns, rows, ["WATERMARK FOR rowtime AS rowtime"])
    views.add_view("reminders/unfinished_applications.sql")
    query = (
        "SELECT application_id, EXTRACT(EPOCH FROM due_at) * 1000 + EXTRACT(MILLISECOND FROM due_at) "
        "FROM unfinished_applications"
    )
    assert sorted(views.rows(query)) == [("late", NOON + after), ("left", NOON + after)]
