"""Views of sql/ over rows: what they give, row by row."""

import random
from pathlib import Path
from typing import Any

from account_alerts.config import load
from account_alerts.model.alerts import AMOUNT_TYPES
from tests.builders import NOON, Record, entry, setting
from tests.reference.model import raised
from tests.unit.sql.views import Views, read_columns

CONFIG = load()
MOST = 2**63 - 1
AMOUNTS = (-2, -1, 0, 1, 2, 3, -MOST - 1, -MOST, MOST - 1, MOST)
"""Those at the ends do not fit 64 bits any more once another is added."""


def test_amounts_raise_what_the_reference_says(tmp_path: Path) -> None:
    chosen = random.Random(16)
    candidates, expected = [], []
    for number in range(2_000):
        booking = entry(
            f"e{number}",
            amount_minor=chosen.choice([1, 2, 3, MOST - 1, MOST]),
            credit_debit=chosen.choice(["CRDT", "DBIT"]),
            balance_minor=chosen.choice((None, *AMOUNTS)),
        )
        for kind in sorted(AMOUNT_TYPES):
            wanted = setting(kind.value, alert_type=kind.value, threshold_minor=chosen.choice(AMOUNTS))
            asked: Record = {"customer_id": "c", "language": "en", "address_channels": [], "addresses": []}
            names = ("setting_id", "alert_type", "threshold_minor", "count", "window_minutes", "channels")
            asked |= {name: wanted[name] for name in names}
            candidates.append(
                booking | asked | {"is_credit": booking["credit_debit"] == "CRDT", "ended": False}
            )
            if raised(wanted, booking):
                expected.append((booking["entry_id"], wanted["setting_id"], kind, wanted["threshold_minor"]))
    views = Views(CONFIG, tmp_path)
    entries = read_columns("account_entries")
    booked = ("entry_id", "account_id", "currency", "amount_minor", "balance_minor")
    texts = ("customer_id", "language", "setting_id", "alert_type")
    arrays = ("address_channels", "addresses", "channels")
    columns = {
        **{name: entries[name] for name in (*booked, "booked_at")},
        **dict.fromkeys(texts, "STRING NOT NULL"),
        **{"threshold_minor": "BIGINT", "count": "INT", "window_minutes": "INT"},
        **dict.fromkeys(("is_credit", "ended"), "BOOLEAN NOT NULL"),
        **dict.fromkeys(arrays, "ARRAY<STRING NOT NULL> NOT NULL"),
    }
    views.add_table("candidates", columns, candidates)
    views.add_view("alerting/raised_settings.sql")
    found = views.rows("SELECT entry_id, setting_id, alert_type, threshold_minor FROM raised_settings")
    assert sorted(found) == sorted(expected)
    assert len(expected) > 400


def test_an_application_is_due_once_unless_it_was_finished_in_time(tmp_path: Path) -> None:
    assert CONFIG.clicks is not None
    after = CONFIG.clicks.reminder_after

    def click(application: str, kind: str, at: int, reason: str | None = None) -> dict[str, Any]:
        event = {"customer_id": "c", "application_id": application, "product": "LOAN", "event_type": kind}
        return {**event, "occurred_at": at - 5, "reason": reason, "written_at": NOON + at}

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
        **dict.fromkeys(("occurred_at", "written_at"), "TIMESTAMP_LTZ(3)"),
    }
    rows.sort(key=lambda row: row["written_at"])
    views.add_table("clicks", columns, rows, ["WATERMARK FOR written_at AS written_at"])
    views.add_view("reminders/unfinished_applications.sql")
    query = (
        "SELECT application_id, EXTRACT(EPOCH FROM rules_time) * 1000 + EXTRACT(MILLISECOND FROM rules_time) "
        "FROM unfinished_applications"
    )
    as_of = NOON + after - CONFIG.rules.effect_delay
    assert sorted(views.rows(query)) == [("late", as_of), ("left", as_of)]
