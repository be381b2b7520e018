"""The product's check of a setting and the reference model's agree, setting by setting.

They ask the same but for one thing: the product also rejects a setting without an id or an account, which
nobody could name or have.
"""

import itertools
from collections.abc import Mapping
from typing import Any

from account_alerts.model.alerts import AlertType
from account_alerts.records.settings import check_settings
from tests.builders import setting
from tests.reference.model import valid

VALUES: dict[str, list[Any]] = {
    "alert_type": [*map(str, AlertType)],
    "channels": [
        [],
        ["EMAIL"],
        ["EMAIL", "SMS", "PUSH"],
        ["EMAIL", "EMAIL"],
        ["FAX"],
        ["email"],
        ["SMS", ""],
    ],
    "threshold_minor": [None, 0, -1, 2**63 - 1],
    "count": [None, 0, -1, 3],
    "window_minutes": [None, 0, -1, 60],
}


def every_setting() -> list[Mapping[str, Any]]:
    """Every combination of the values."""
    return [
        setting(**dict(zip(VALUES, values, strict=True))) for values in itertools.product(*VALUES.values())
    ]


def accepted(each: Mapping[str, Any]) -> bool:
    checked = check_settings([each])
    return not checked.invalid and not checked.unknown


def test_every_combination_is_accepted_by_both_or_by_none() -> None:
    for each in every_setting():
        if each["alert_type"] != AlertType.APPLICATION_REMINDER:
            assert accepted(each) == valid(each), each


def test_consent_to_reminders_is_passed_over() -> None:
    reminders = [each for each in every_setting() if each["alert_type"] == AlertType.APPLICATION_REMINDER]
    checked = check_settings(list(reminders))
    assert (checked.usable, checked.invalid, checked.unknown) == ([], [], [])


def test_a_setting_that_nobody_could_name_is_invalid() -> None:
    assert check_settings([setting("")]).invalid == [""]
    assert check_settings([setting("s", "")]).invalid == ["s"]
