from dataclasses import replace
from typing import Any

import pytest

from web.operator.why import Booking, booking_of_alert, judge, sentence

OUT = Booking("e1", "a1", "EUR", 31_240, False, 8_416, 1_000, "CARD")
IN = Booking("e2", "a1", "EUR", 120_000, True, 128_416, 1_000, "TRANSFER")


def setting(kind: str, limit: int | None = None, **values: Any) -> dict[str, Any]:
    return {
        "alert_type": kind,
        "currency": "EUR",
        "channels": ["PUSH", "EMAIL"],
        "threshold_minor": limit,
        **values,
    }


@pytest.mark.parametrize(
    ("found", "booking", "raised", "because"),
    [
        (setting("CREDITED_ABOVE", 100_000), IN, True, "€1,200.00 is more than €1,000.00"),
        (setting("CREDITED_ABOVE", 120_000), IN, False, "€1,200.00 is not more than €1,200.00"),
        (setting("CREDITED_ABOVE", 100_000), OUT, False, "the money went out"),
        (setting("DEBITED_ABOVE", 25_000), OUT, True, "€312.40 is more than €250.00"),
        (setting("DEBITED_ABOVE", 25_000), IN, False, "the money came in"),
        (setting("BALANCE_ABOVE", 100_000), IN, True, "from €84.16 to €1,284.16"),
        (setting("BALANCE_ABOVE", 8_416), IN, True, "from €84.16 to €1,284.16"),
        (setting("BALANCE_ABOVE", 8_415), IN, False, "from €84.16 to €1,284.16: it was above before"),
        (setting("BALANCE_ABOVE", 128_416), IN, False, "from €84.16 to €1,284.16: it is not above"),
        (setting("BALANCE_BELOW", 10_000), OUT, True, "from €396.56 to €84.16"),
        (setting("BALANCE_BELOW", 39_656), OUT, True, "from €396.56 to €84.16"),
        (setting("BALANCE_BELOW", 39_657), OUT, False, "from €396.56 to €84.16: it was below before"),
        (setting("BALANCE_BELOW", 10_000), IN, False, "from €84.16 to €1,284.16: it is not below"),
        (setting("BALANCE_BELOW", 1), replace(OUT, balance=None), False, "the bank did not say the balance"),
        (setting("TRANSACTION_COUNT", count=5, window_minutes=60), IN, False, "this is no card payment"),
        (
            setting("TRANSACTION_COUNT", count=5, window_minutes=60),
            OUT,
            None,
            "it counts payments: one booking alone does not tell",
        ),
        (setting("DEBITED_ABOVE", 1, currency="CZK"), OUT, False, "it is for CZK, and the booking is in EUR"),
        (setting("DEBITED_ABOVE", 1, enabled=False), OUT, False, "it was switched off"),
        (setting("APPLICATION_REMINDER"), OUT, None, "it is not about amounts"),
        (
            setting("DEBITED_ABOVE", 1, snoozed_until=2_000),
            OUT,
            True,
            "€312.40 is more than €0.01. It was snoozed then: its messages wait",
        ),
    ],
)
def test_what_a_setting_makes_of_a_booking(
    found: dict[str, Any], booking: Booking, raised: bool | None, because: str
) -> None:
    verdict = judge(found, booking)
    assert (verdict.raised, verdict.because) == (raised, because)


def test_settings_as_sentences() -> None:
    assert sentence(setting("BALANCE_BELOW", 10_000)) == "The balance falls below €100.00, by push and e-mail"
    count = setting("TRANSACTION_COUNT", count=5, window_minutes=60, channels=["SMS"])
    assert sentence(count) == "More than 5 card payments in 60 minutes, by SMS"
    assert sentence({"alert_type": "salary", "currency": "EUR"}) == "The rule salary"


def test_the_booking_of_an_alert() -> None:
    alert = {
        "entry_id": "e2",
        "account_id": "a1",
        "currency": "EUR",
        "alert_type": "BALANCE_ABOVE",
        "booked_at": 1_000,
        "params": {"amount_minor": "120000", "balance_minor": "128416", "entry_type": "TRANSFER"},
    }
    assert booking_of_alert(alert) == IN
    assert booking_of_alert({**alert, "params": {}}) is None
    counted = booking_of_alert({**alert, "alert_type": "TRANSACTION_COUNT"})
    assert counted is not None
    assert counted.credit is None
    assert counted.before is None
