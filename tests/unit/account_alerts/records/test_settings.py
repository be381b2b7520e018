"""Which settings can be used."""

import re
from typing import Any

import pytest

from account_alerts.config import PROJECT
from account_alerts.model.limits import CHANNELS_PER_SETTING
from account_alerts.records.settings import LOCAL_TIMES, check_settings, invalid_fields, violation
from tests.builders import settings


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


@pytest.mark.parametrize(
    ("name", "value", "valid"),
    [
        ("quiet_from", "22:00", True),
        ("quiet_from", None, True),
        ("quiet_to", "00:00", True),
        ("quiet_to", "24:00", False),
        ("quiet_to", "22.00", False),
        ("quiet_to", "7:00", False),
        ("quiet_to", "07:00\n", False),
        ("quiet_to", "\u0660\u0667:\u0660\u0660", False),
        ("quiet_to", "", False),
        ("digest", "DAILY", True),
        ("digest", "WEEKLY", False),
        ("time_zone", "America/Vancouver", True),
        ("time_zone", "Europe/Nowhere", False),
    ],
)
def test_customers_own_fields(name: str, value: str | None, valid: bool) -> None:
    assert invalid_fields(settings("c1", **{name: value})) == ([] if valid else [name])


def test_the_banks_database_takes_the_same_local_times() -> None:
    sql = (PROJECT / "database/bank/0002_customers.sql").read_text()
    patterns = re.findall(r"quiet_(?:from|to) ~ '(.+?)'", sql)
    tried = [f"{hour:02}:{minute:02}" for hour in range(30) for minute in range(70)]
    for pattern in patterns:
        assert {each for each in tried if re.search(pattern, each)} == LOCAL_TIMES
    assert len(patterns) == 2
