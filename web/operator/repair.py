"""A dead letter as it is shown and repaired: what is personal is masked, and stays as it is unless replaced.

Pure functions. Only fields that say nothing about anybody are shown; a field that is new is masked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from account_alerts.model.alerts import CreditDebit, EntryType
from account_alerts.model.masking import masked
from account_alerts.records import bookings
from account_alerts.records.codec import Record

_SHOWN = frozenset(
    {
        *("entry_id", "currency", "credit_debit", "entry_type", "booked_at", "merchant_category", "country"),
        *("original_currency", "reversal", "language", "time_zone", "quiet_from", "quiet_to", "digest"),
        *("alert_id", "alert_type", "channel", "setting_id", "raised_at", "event", "event_id", "stopped"),
        *("changed_at", "occurred_at", "threshold_minor", "count", "window_minutes", "snoozed_until"),
    }
)
_MASK = "••••"
_CHOICES = {"credit_debit": tuple(CreditDebit), "entry_type": tuple(EntryType)}


@dataclass(frozen=True)
class Field:
    """One field of the record, as the form has it."""

    name: str
    value: str
    """What stands in its input; empty where it is masked: then it stays as it is."""
    mask: str = ""
    """What is shown of a masked one."""
    editable: bool = True
    choices: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class Repair:
    """The record that a form asks for, and what is wrong with it."""

    record: Record
    faults: Mapping[str, str] = field(default_factory=dict)
    """By the name of the field; of the whole under an empty name."""


def fields(
    record: Record, form: Mapping[str, str] | None = None, repair: Repair | None = None
) -> list[Field]:
    """Return a record's fields for a form.

    Args:
        record: The record as it came.
        form: What was typed, which is kept.
        repair: What came of it.
    """
    found = []
    for name, value in record.items():
        fault = repair.faults.get(name, "") if repair else ""
        if isinstance(value, list | dict):
            found.append(Field(name, "", json.dumps(mask(value)), editable=False, fault=fault))
            continue
        hidden = name not in _SHOWN and value is not None
        typed = (form or {}).get(name)
        shown = typed if typed is not None else "" if hidden else text(value)
        choices = tuple(dict.fromkeys((*_CHOICES[name], shown))) if name in _CHOICES else ()
        found.append(Field(name, shown, _masked(name, value) if hidden else "", True, choices, fault))
    return found


def apply(record: Record, form: Mapping[str, str]) -> Repair:
    """Return the record with what was typed, checked as the chain checks it.

    An empty field that is masked stays as it was; any other empty one becomes null.
    """
    changed, faults = dict(record), {}
    for name, value in record.items():
        typed = form.get(name)
        if typed is None or isinstance(value, list | dict):
            continue
        typed = typed.strip()
        hidden = name not in _SHOWN and value is not None
        if hidden and not typed:
            continue
        try:
            changed[name] = _parse(name, typed, value)
        except ValueError as error:
            faults[name] = str(error)
    if (
        not faults
        and record.keys() >= {"entry_id", "amount_minor", "credit_debit"}
        and "params" not in record
    ):
        violation = bookings.violation(changed)
        if violation is not None:
            first = violation.split(" ", 1)[0]
            faults[first if first in record else ""] = violation
    return Repair(changed, faults)


def mask(value: Any, name: str = "") -> Any:
    """Return a value with all that may be personal masked, whatever it is made of."""
    if isinstance(value, dict):
        return {key: mask(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [mask(item, name) for item in value]
    return value if value is None or name in _SHOWN else _masked(name, value)


def text(value: Any) -> str:
    """Return a value as it stands in an input."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _masked(name: str, value: Any) -> str:
    return (
        _MASK + masked(value).removeprefix("…") if name == "account_id" and isinstance(value, str) else _MASK
    )


def _parse(name: str, typed: str, before: Any) -> Any:
    numbers = name.endswith(("_minor", "_at", "_until")) or (isinstance(before, int) and before is not True)
    if isinstance(before, bool):
        if typed not in ("true", "false"):
            raise ValueError(f"{name} is true or false")
        return typed == "true"
    if not typed:
        return None
    if not numbers:
        return typed
    try:
        return int(typed)
    except ValueError:
        raise ValueError(f"{name} is a whole number, such as 1250") from None
