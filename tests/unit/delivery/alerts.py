"""Alerts, records and deliveries for the unit tests of delivery."""

from typing import Any

from account_alerts.records.codec import Codec
from delivery.alert import Delivery, SourceRecord
from tests import builders

ALERT: dict[str, Any] = {
    "alert_id": "0123",
    "customer_id": "c1",
    "channel": "EMAIL",
    "address": "c1@example.com",
    "alert_type": "BALANCE_BELOW",
    "account_id": "NL01BANK0123456789",
    "currency": "EUR",
    "entry_id": "e1",
    "setting_id": "s1",
    "booked_at": builders.NOON,
    "raised_at": builders.NOON,
    "language": "en",
    "params": {"threshold_minor": "10000", "amount_minor": "1000", "balance_minor": "9500"},
    "reasons": [
        {
            "setting_id": "s1",
            "alert_type": "BALANCE_BELOW",
            "threshold_minor": 10000,
            "count": None,
            "window_minutes": None,
        }
    ],
}
TOPIC = "outbound-email"
CODEC = Codec()


def record(*, offset: int = 7, **fields: Any) -> SourceRecord:
    """Make the record of an alert."""
    value = CODEC.encode("OutboundAlert", ALERT | fields, TOPIC)
    return SourceRecord(TOPIC, 0, offset, builders.NOON, b"c1", value)


def delivery(**fields: Any) -> Delivery:
    """Make the delivery of an alert."""
    values: dict[str, Any] = {
        "alert": ALERT,
        "source": record(),
        "route": "EMAIL",
        "attempt": 1,
        "lease_ends": 1.0,
    }
    return Delivery(**(values | fields))
