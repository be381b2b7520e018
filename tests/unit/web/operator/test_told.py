from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from web.operator.told import events, message

BOOKED = datetime(2026, 11, 30, 14, 3, 7, 120_000, UTC)


def at(milliseconds: int) -> datetime:
    return BOOKED + timedelta(milliseconds=milliseconds)


def row(**values: Any) -> dict[str, Any]:
    return {
        "alert_id": "alert-1",
        "channel": "EMAIL",
        "state": "SENT",
        "customer_id": "c-1",
        "address": "anna@example.com",
        "entry_id": "e-1",
        "source_partition": 2,
        "source_offset": 91_377,
        "raised_at": at(21),
        "written_at": at(23),
        "received_at": at(32),
        "sent_at": at(102),
        "delivered_at": None,
        "deferred_for": None,
        "reason": None,
        "reference": "250 ok",
        "attempts": 1,
        "steps": [],
        **values,
    }


def alert(**values: Any) -> dict[str, Any]:
    return {
        "alert_id": "alert-1",
        "alert_type": "CREDITED_ABOVE",
        "setting_id": "s-1",
        "account_id": "NL01EXAM4300",
        "currency": "EUR",
        "entry_id": "e-1",
        "booked_at": round(BOOKED.timestamp() * 1000),
        "params": {"amount_minor": "120000", "threshold_minor": "100000", "credit_debit": "CRDT"},
        **values,
    }


def booking(entry: str, milliseconds: int) -> dict[str, Any]:
    return {
        "entry_id": entry,
        "account_id": "NL01EXAM4300",
        "currency": "EUR",
        "amount_minor": 280,
        "credit_debit": "DBIT",
        "balance_minor": 100,
        "entry_type": "CARD",
        "booked_ms": round(at(milliseconds).timestamp() * 1000),
    }


def test_the_path_of_a_message_with_its_times() -> None:
    found = message(row(state="DELIVERED", delivered_at=at(121)), alert())
    assert [(hop.name, hop.took) for hop in found.hops] == [
        ("Raised", None),
        ("Written to Kafka", 2),
        ("Received", 9),
        ("Sent", 70),
        ("Delivered", 19),
    ]
    assert found.hops[1].where == "topic, 2:91377"
    assert [(round(hop.start, 2), round(hop.end, 2)) for hop in found.hops] == [
        (0, 0),
        (0, 0.02),
        (0.02, 0.11),
        (0.11, 0.81),
        (0.81, 1),
    ]
    assert found.address == "a…@example.com"
    assert found.answer == "by e-mail 81 ms after the alert was raised, and it arrived"


def test_all_reasons_as_sentences_the_most_important_first() -> None:
    reasons = [
        {"setting_id": "s-1", "alert_type": "CREDITED_ABOVE", "threshold_minor": 100_000},
        {"setting_id": "s-2", "alert_type": "TRANSACTION_COUNT", "count": 5, "window_minutes": 60},
    ]
    assert message(row(), alert(reasons=reasons)).reasons == (
        "More than €1,000.00 comes in (setting s-1)",
        "More than 5 card payments in 60 minutes (setting s-2)",
    )
    # Alerts of before they had reasons.
    assert message(row(), alert()).reasons == ("More than €1,000.00 comes in (setting s-1)",)


@pytest.mark.parametrize(
    ("values", "health", "summary", "answer"),
    [
        ({}, "good", "Told: e-mail", "Yes: by e-mail 81 ms after the alert was raised."),
        (
            {"state": "DEFERRED", "deferred_for": "quiet", "sent_at": None},
            "news",
            "Not yet told",
            "No. By e-mail it waits for the end of quiet hours.",
        ),
        (
            {"state": "REJECTED", "reason": "550 no such mailbox", "sent_at": None},
            "warn",
            "Not told: a message failed",
            "No. By e-mail it was refused: 550 no such mailbox.",
        ),
        (
            {"state": "RETRYING", "reason": "connection refused", "sent_at": None},
            "news",
            "Not yet told",
            "No. By e-mail it is tried again: connection refused.",
        ),
    ],
)
def test_the_answer(values: dict[str, Any], health: str, summary: str, answer: str) -> None:
    [found] = events([(row(**values), alert())], [])
    assert (found.health, found.summary, found.answer) == (health, summary, answer)


def test_messages_of_a_booking_stand_together_and_bookings_without_any_between_them() -> None:
    sms = row(alert_id="alert-2", channel="SMS", state="CANCELLED", reason="STOP", sent_at=None)
    other = row(alert_id="alert-3", entry_id="", raised_at=at(500), state="UNDELIVERED", reason="no route")
    found = events(
        [(row(), alert()), (sms, alert(alert_id="alert-2")), (other, alert(entry_id="", params={}))],
        [booking("e-0", -60_000)],
    )
    assert [(event.key, event.summary) for event in found] == [
        ("alert-3", "Not told: a message failed"),
        ("e-1", "Told: e-mail"),
        ("e-0", "No alert was raised"),
    ]
    assert found[1].answer == (
        "Yes: by e-mail 81 ms after the alert was raised. By SMS it was withdrawn: STOP."
    )
    assert found[2].answer == "No: no alert was raised for this booking."


def test_an_erased_delivery_says_what_became_of_it_and_nothing_else() -> None:
    erased = row(customer_id=None, address=None, entry_id=None)
    [found] = events([(erased, None)], [])
    assert (found.key, found.booking, found.messages[0].reasons) == ("alert-1", None, ())
    assert found.messages[0].address == "erased"
    assert found.health == "good"
