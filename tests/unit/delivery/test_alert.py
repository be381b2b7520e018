"""What a record holds, which route it takes, and what outcomes mean."""

import json

import pytest

from account_alerts.model.alerts import DeliveryState
from delivery.alert import InvalidAlertError, SourceRecord, parse_alert, route, update_for
from delivery.gateways.base import Outcome, Result
from tests.unit.delivery.alerts import ALERT, CODEC, delivery, record


def test_an_alert_is_read() -> None:
    assert parse_alert(record(), "EMAIL", CODEC) == ALERT


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (SourceRecord("t", 0, 0, 0, None, None), "null"),
        (SourceRecord("t", 0, 0, 0, b"k", b""), "Error: "),
        (SourceRecord("t", 0, 0, 0, b"k", b"garbage"), "Error: "),
        (record(channel="SMS"), "for SMS among those for EMAIL"),
        (record(alert_id=""), "alert_id is empty"),
        (record(address=""), "address is empty"),
        (record(alert_id="x" * 501), "longer than"),
        (record(setting_id="a\0b"), "NUL"),
        (record(reasons=[{**ALERT["reasons"][0], "setting_id": "a\0b"}]), "NUL"),
    ],
)
def test_what_is_no_alert_says_why(source: SourceRecord, reason: str) -> None:
    with pytest.raises(InvalidAlertError, match=reason):
        parse_alert(source, "EMAIL", CODEC)


@pytest.mark.parametrize(
    ("kind", "to", "expected"),
    [
        ("FCM", "token", "FCM"),
        ("APNS", "token", "APNS"),
        ("WEB_PUSH", {"endpoint": "https://push.example.com/1"}, "WEB_PUSH:push.example.com"),
        ("WEB_PUSH", json.dumps({"endpoint": "https://push.example.com/2"}), "WEB_PUSH:push.example.com"),
        ("WEB_PUSH", "no subscription", "PUSH"),
    ],
)
def test_each_push_service_may_be_down_by_itself(kind: str, to: object, expected: str) -> None:
    address = json.dumps({"device": "d1", "kind": kind, "to": to})
    assert route({"channel": "PUSH", "address": address}) == expected


def test_mails_and_sms_have_one_route() -> None:
    assert [route(ALERT | {"channel": channel}) for channel in ("EMAIL", "SMS")] == ["EMAIL", "SMS"]


def test_what_outcomes_mean() -> None:
    own = delivery(attempt=3)
    taken = update_for(own, Outcome(Result.SENT, reference="r"), 1000, 50)
    assert (taken.state, taken.reference, taken.due_at) == (DeliveryState.SENT, "r", None)
    later = update_for(own, Outcome(Result.RETRY, reason="busy", retry_after=2.0), 1000, 50)
    assert (later.state, later.due_at, later.attempt) == (DeliveryState.RETRYING, 3000, 3)
    never = update_for(own, Outcome(Result.REJECTED, reason="no such address"), 1000, 50)
    assert (never.state, never.due_at) == (DeliveryState.REJECTED, None)


def test_an_update_fits_into_the_ledger() -> None:
    outcome = Outcome(Result.RETRY, reference="r\0" * 400, reason="a\0b" * 400)
    row = update_for(delivery(), outcome, 1, 1).row()
    assert "\0" not in json.dumps(row)
    assert len(row["reason"]) <= 500
