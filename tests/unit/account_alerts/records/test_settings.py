"""Which settings can be used."""

from typing import Any

import pytest

from account_alerts.model.limits import CHANNELS_PER_SETTING
from account_alerts.records.settings import check_settings, violation


def setting(**changes: Any) -> dict[str, Any]:
    return {
        "setting_id": "s1",
        "account_id": "a",
        "currency": "EUR",
        "alert_type": "BALANCE_BELOW",
        "channels": ["EMAIL"],
        "threshold_minor": 0,
        "count": None,
        "window_minutes": None,
        "snoozed_until": None,
    } | changes


COUNT = {"alert_type": "TRANSACTION_COUNT", "threshold_minor": None, "count": 5, "window_minutes": 60}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"threshold_minor": -(2**63)},
        COUNT,
        COUNT | {"count": 0},
        COUNT | {"window_minutes": 0},
        COUNT | {"window_minutes": 10080},
        {"channels": []},
        {"channels": ["SMS", "PUSH"]},
        {"channels": ["SMS"] * CHANNELS_PER_SETTING},
    ],
)
def test_usable(changes: dict[str, Any]) -> None:
    checked = check_settings([setting(**changes)])
    assert [usable["setting_id"] for usable in checked.usable] == ["s1"]
    assert not checked.invalid
    assert not checked.unknown


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold_minor": None},
        {"channels": ["EMAIL", "FAX"]},
        {"channels": ["SMS"] * (CHANNELS_PER_SETTING + 1)},
        COUNT | {"count": None},
        COUNT | {"window_minutes": None},
        {"account_id": ""},
    ],
)
def test_invalid_is_skipped_and_named_and_the_others_stay(changes: dict[str, Any]) -> None:
    checked = check_settings([setting(**changes), setting(setting_id="s2")])
    assert checked.invalid == ["s1"]
    assert [usable["setting_id"] for usable in checked.usable] == ["s2"]


def test_an_unknown_type_is_ignored_and_counted() -> None:
    checked = check_settings([setting(alert_type="MOON_PHASE", threshold_minor=None)])
    assert checked.unknown == ["MOON_PHASE"]
    assert not checked.invalid
    assert not checked.usable


REMINDER = {"alert_type": "APPLICATION_REMINDER", "threshold_minor": None}


def test_a_reminder_is_known_and_no_rule_about_bookings() -> None:
    checked = check_settings([setting(**REMINDER), setting(**REMINDER, setting_id="s2", account_id="")])
    assert [each["setting_id"] for each in checked.reminders] == ["s1", "s2"]
    assert [*checked.usable, *checked.invalid, *checked.unknown] == []


@pytest.mark.parametrize("changes", [{"setting_id": ""}, {"channels": ["FAX"]}])
def test_an_invalid_reminder_agrees_to_nothing(changes: dict[str, Any]) -> None:
    checked = check_settings([setting(**REMINDER | changes)])
    assert [*checked.reminders, *checked.usable, *checked.invalid, *checked.unknown] == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"setting_id": ""}, "setting_id is empty"),
        ({"account_id": ""}, "account_id is empty"),
        ({"channels": ["EMAIL", "FAX"]}, "channels are not of EMAIL, SMS, PUSH"),
        ({"threshold_minor": None}, "threshold_minor is missing"),
        (COUNT | {"window_minutes": None}, "count or window_minutes is missing"),
        (REMINDER | {"account_id": ""}, None),
    ],
)
def test_the_violation_is_named(changes: dict[str, Any], reason: str | None) -> None:
    assert violation(setting(**changes)) == reason
