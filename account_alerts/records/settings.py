"""Which of a customer's settings can be used. The rule is the data contract's ("What bad input gets")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from account_alerts.model.alerts import AMOUNT_TYPES, AlertType, Channel

ALL_CHANNELS = frozenset(Channel)


@dataclass
class CheckedSettings:
    """The settings of one record, told apart."""

    usable: list[Mapping[str, Any]] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    """Ids of settings that are skipped; the record goes to the dead letters."""
    unknown: list[str] = field(default_factory=list)
    """Alert types that this version does not know; a newer one may. Ignored and counted."""


def check_settings(settings: list[Mapping[str, Any]]) -> CheckedSettings:
    """Tell usable settings from invalid and unknown ones.

    ``settings`` are those of an AlertSettings record. Consent to reminders is known, and no rule about
    bookings: it is passed over (the job reminders reads it).
    """
    checked = CheckedSettings()
    for setting in settings:
        alert_type = setting["alert_type"]
        if alert_type == AlertType.APPLICATION_REMINDER:
            continue
        if alert_type not in AMOUNT_TYPES and alert_type != AlertType.TRANSACTION_COUNT:
            checked.unknown.append(alert_type)
        elif _is_valid(setting):
            checked.usable.append(setting)
        else:
            checked.invalid.append(setting["setting_id"])
    return checked


def _is_valid(setting: Mapping[str, Any]) -> bool:
    if not (setting["setting_id"] and setting["account_id"] and ALL_CHANNELS.issuperset(setting["channels"])):
        return False
    if setting["alert_type"] == AlertType.TRANSACTION_COUNT:
        return setting["count"] is not None and setting["window_minutes"] is not None
    return setting["threshold_minor"] is not None
