"""Who gets a reminder of an application, by which channels."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.records.settings import check_settings
from udfs.alerts import alert_id
from udfs.reminders import Reminder, make_reminders


def setting(setting_id: str, *channels: str, alert_type: str = "APPLICATION_REMINDER") -> dict[str, Any]:
    return {
        **{"setting_id": setting_id, "account_id": f"account of {setting_id}", "currency": "EUR"},
        **{"alert_type": alert_type, "channels": list(channels)},
        **dict.fromkeys(("threshold_minor", "count", "window_minutes", "snoozed_until")),
    }


def as_json(addresses: list[tuple[str, str]]) -> str:
    return json.dumps([{"channel": channel, "address": address} for channel, address in addresses])


def reminders(*settings: dict[str, Any], addresses: list[tuple[str, str]]) -> list[Reminder]:
    return list(make_reminders(b"loan-1", b"c", as_json(addresses), json.dumps(settings)))


def test_a_message_for_each_address_on_a_channel_agreed_to() -> None:
    first, second = reminders(
        setting("s", "EMAIL", "EMAIL"),
        addresses=[("EMAIL", "a"), ("SMS", "1"), ("EMAIL", "b"), ("EMAIL", "a")],
    )
    assert (first[2], second[2]) == ("a", "b")
    made = alert_id((b"loan-1", b"c", b"s"), "EMAIL", "a")
    assert first == (made, "EMAIL", "a", "s", "account of s", "EUR")


@pytest.mark.parametrize(
    "settings",
    [
        [],
        [setting("s", "EMAIL", alert_type="BALANCE_BELOW")],
        [setting("s", "SMS")],
        [setting("s")],
        [setting("", "EMAIL")],
        [setting("s", "EMAIL", "FAX")],
    ],
)
def test_a_customer_who_did_not_agree_gets_no_reminder(settings: list[dict[str, Any]]) -> None:
    assert reminders(*settings, addresses=[("EMAIL", "a")]) == []


def test_a_customer_who_left_gets_no_reminder() -> None:
    assert list(make_reminders(b"loan-1", b"c", None, None)) == []


@given(st.permutations([setting("s2", "EMAIL", "SMS"), setting("s1", "EMAIL"), setting("s3", "SMS")]))
def test_an_address_gets_one_reminder_in_whatever_order_settings_come(settings: list[dict[str, Any]]) -> None:
    made = reminders(*settings, addresses=[("SMS", "1"), ("EMAIL", "a")])
    by_channel = {channel: setting_id for _, channel, _, setting_id, *_ in made}
    assert (len(made), by_channel) == (2, {"EMAIL": "s1", "SMS": "s2"})


def test_consent_is_neither_a_rule_nor_an_unknown_type() -> None:
    checked = check_settings([{**setting("s", "EMAIL"), "threshold_minor": None}])
    assert (checked.usable, checked.invalid, checked.unknown) == ([], [], [])
    assert [each["setting_id"] for each in checked.reminders] == ["s"]
