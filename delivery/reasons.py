"""Why an alert was raised: the settings of one customer that one booking met. Pure functions."""

from collections.abc import Mapping, Sequence
from typing import Any

from account_alerts.records.codec import Record

Reason = Mapping[str, Any]
"""As in OutboundAlert: `setting_id`, `alert_type`, `threshold_minor`, `count`, `window_minutes`."""
LIMITS = ("threshold_minor", "count", "window_minutes")
"""What a setting asks for; also the names of the first reason's in an alert's params."""
_LONG = 2**63


def list_reasons(alert: Mapping[str, Any]) -> Sequence[Reason]:
    """Return an alert's reasons, the most important first: at least one.

    An alert that lists none was written by a version that had one setting for each alert: its own fields say
    which.
    """
    if reasons := alert.get("reasons"):
        return list(reasons)
    limits = {name: integer_param(alert["params"], name) for name in LIMITS}
    return [{"setting_id": alert["setting_id"], "alert_type": alert["alert_type"], **limits}]


def keep_reasons(alert: Record, kept: Sequence[Reason]) -> Record:
    """Return an alert as it would be if only these of its reasons had raised it; at least one."""
    if len(kept) == len(list_reasons(alert)):
        return alert
    first = kept[0]
    params = {name: value for name, value in alert["params"].items() if name not in LIMITS}
    params |= {name: str(first[name]) for name in LIMITS if first[name] is not None}
    own = {"setting_id": first["setting_id"], "alert_type": first["alert_type"]}
    return alert | own | {"params": params, "reasons": list(kept)}


def integer_param(params: Mapping[str, str], name: str) -> int | None:
    """Return a parameter of an alert as a number; None where it is missing or is no 64-bit integer."""
    try:
        value = int(params.get(name, ""))
    except ValueError:
        return None
    return value if -_LONG <= value < _LONG else None
