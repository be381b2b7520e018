"""Who gets a reminder of an application, by which channels."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.records.codec import Codec, CodecError
from account_alerts.records.settings import check_settings
from udfs.alerts import alert_id
from udfs.reminders.reminders import (
    DueReminder,
    Reminder,
    build_reminders,
    dump_waiting,
    load_waiting,
    read_consent,
)

DUE = DueReminder(application_id="loan-1", customer_id="c", product="LOAN", begun_ms=5, due_ms=10)


def setting(setting_id: str, *channels: str, alert_type: str = "APPLICATION_REMINDER") -> dict[str, Any]:
    return {
        **{"setting_id": setting_id, "account_id": f"account of {setting_id}", "currency": "EUR"},
        **{"alert_type": alert_type, "channels": list(channels)},
    }


def record(*settings: dict[str, Any], addresses: list[tuple[str, str]]) -> bytes:
    return Codec().encode(
        "AlertSettings",
        {
            "customer_id": "c",
            "language": "nl",
            "addresses": [{"channel": channel, "address": address} for channel, address in addresses],
            "settings": list(settings),
        },
        "t",
    )


def reminders(*settings: dict[str, Any], addresses: list[tuple[str, str]]) -> list[Reminder]:
    return list(build_reminders(DUE, read_consent(Codec(), "c", record(*settings, addresses=addresses))))


def test_a_message_for_each_address_on_a_channel_agreed_to() -> None:
    first, second = reminders(
        setting("s", "EMAIL", "EMAIL"),
        addresses=[("EMAIL", "a"), ("SMS", "1"), ("EMAIL", "b"), ("EMAIL", "a")],
    )
    assert (first.address, second.address) == ("a", "b")
    assert first._asdict() == {
        **{
            "customer_id": "c",
            "application_id": "loan-1",
            "product": "LOAN",
            "begun_ms": 5,
            "language": "nl",
        },
        **{"setting_id": "s", "account_id": "account of s", "currency": "EUR"},
        **{"channel": "EMAIL", "address": "a", "alert_id": alert_id(b"loan-1", b"c", b"s", "EMAIL", "a")},
    }


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
    assert list(build_reminders(DUE, read_consent(Codec(), "c", None))) == []


def test_another_customers_record_is_an_error() -> None:
    with pytest.raises(CodecError):
        read_consent(Codec(), "d", record(addresses=[]))


@given(st.permutations([setting("s2", "EMAIL", "SMS"), setting("s1", "EMAIL"), setting("s3", "SMS")]))
def test_an_address_gets_one_reminder_in_whatever_order_settings_come(settings: list[dict[str, Any]]) -> None:
    made = reminders(*settings, addresses=[("SMS", "1"), ("EMAIL", "a")])
    by_channel = {reminder.channel: reminder.setting_id for reminder in made}
    assert (len(made), by_channel) == (2, {"EMAIL": "s1", "SMS": "s2"})


def test_the_job_alert_rules_passes_over_consent_and_does_not_count_it_as_unknown() -> None:
    checked = check_settings([{**setting("s", "EMAIL"), "threshold_minor": None}])
    assert (checked.usable, checked.invalid, checked.unknown) == ([], [], [])
    assert [each["setting_id"] for each in checked.reminders] == ["s"]


def test_a_waiting_reminder_is_stored_as_savepoints_have_it() -> None:
    assert dump_waiting(DUE) == {
        "rule": "APPLICATION_REMINDER",
        "entry_id": "loan-1",
        "customer_id": "c",
        "product": "LOAN",
        "begun_ms": 5,
        "written_at": 10,
    }
    assert load_waiting(dump_waiting(DUE)) == DUE
