"""Which of a customer's settings are valid; the rule is the data contract's ("What bad input gets").

The CHECKs of the bank's table `preferences` demand the same, and more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from account_alerts.model.alerts import AMOUNT_TYPES, AlertType, Channel
from account_alerts.model.limits import CHANNELS_PER_SETTING

LOCAL_TIMES = frozenset(f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60))
"""`HH:MM`, as customers' clocks show it."""
FIELDS: Mapping[str, frozenset[str]] = {
    "time_zone": frozenset(available_timezones()),
    "quiet_from": LOCAL_TIMES,
    "quiet_to": LOCAL_TIMES,
    "digest": frozenset({"HOURLY", "DAILY"}),
}
"""What a customer's own fields of a record may hold, besides null where the schema allows it."""
_CHANNELS = frozenset(Channel)
_TYPES = frozenset(AlertType)


@dataclass
class CheckedSettings:
    """The settings of one record, told apart."""

    usable: list[Mapping[str, Any]] = field(default_factory=list)
    """Rules about bookings."""
    reminders: list[Mapping[str, Any]] = field(default_factory=list)
    """Agreements to be reminded; an invalid one is neither here nor among `invalid`: it agrees to nothing."""
    invalid: list[str] = field(default_factory=list)
    """Ids of settings that are skipped; the record goes to the dead letters."""
    unknown: list[str] = field(default_factory=list)
    """Alert types that this version does not know; a newer one may. Ignored and counted."""


def check_settings(settings: list[Mapping[str, Any]]) -> CheckedSettings:
    """Tell the settings of an AlertSettings record apart, by what they can be used for."""
    checked = CheckedSettings()
    for setting in settings:
        if setting["alert_type"] not in _TYPES:
            checked.unknown.append(setting["alert_type"])
        elif setting["alert_type"] == AlertType.APPLICATION_REMINDER:
            if violation(setting) is None:
                checked.reminders.append(setting)
        elif violation(setting) is None:
            checked.usable.append(setting)
        else:
            checked.invalid.append(setting["setting_id"])
    return checked


def invalid_fields(record: Mapping[str, Any]) -> list[str]:
    """Name the fields of an AlertSettings record that hold what none may hold.

    They are skipped like an invalid setting: no quiet hours, no digest, UTC.
    """
    return [name for name, valid in FIELDS.items() if record[name] is not None and record[name] not in valid]


def violation(setting: Mapping[str, Any]) -> str | None:
    """Say why a setting of a known type breaks the contract; None if it does not.

    A reminder is about no account: it may name none.
    """
    kind = setting["alert_type"]
    if not setting["setting_id"]:
        return "setting_id is empty"
    if not setting["account_id"] and kind != AlertType.APPLICATION_REMINDER:
        return "account_id is empty"
    if not _CHANNELS.issuperset(setting["channels"]):
        return "channels are not of " + ", ".join(Channel)
    if len(setting["channels"]) > CHANNELS_PER_SETTING:
        return f"more than {CHANNELS_PER_SETTING} channels"
    if kind in AMOUNT_TYPES and setting["threshold_minor"] is None:
        return "threshold_minor is missing"
    if kind == AlertType.TRANSACTION_COUNT and (
        setting["count"] is None or setting["window_minutes"] is None
    ):
        return "count or window_minutes is missing"
    return None
