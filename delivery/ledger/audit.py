"""Reads the ledger for people: the audit trail, and the answer to "why did I get this?"."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import dict_row

from account_alerts import postgres
from account_alerts.config import Config
from account_alerts.model.alerts import AlertType, DeliveryState
from account_alerts.model.durations import parse_duration
from account_alerts.model.errors import InvalidRequestError, NotFoundError
from account_alerts.model.masking import masked
from account_alerts.model.money import format_minor
from account_alerts.postgres import DatabaseError
from account_alerts.records.codec import CodecError, codec
from delivery.ledger import statements
from delivery.reasons import LIMITS, integer_param, list_reasons

_RISES = (AlertType.BALANCE_ABOVE, AlertType.CREDITED_ABOVE)
_FALLS = (AlertType.BALANCE_BELOW, AlertType.DEBITED_ABOVE)
_STEP_COLUMNS = {
    "raised": "raised_at",
    "written to Kafka": "written_at",
    "received": "received_at",
    DeliveryState.SENT.value: "sent_at",
    DeliveryState.DELIVERED.value: "delivered_at",
}


@dataclass(frozen=True)
class ListedDelivery:
    """One delivery, as it is listed."""

    row: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the delivery for `--json`; times in milliseconds UTC."""
        shown = {
            name: _ms(value) if isinstance(value, datetime) else value for name, value in self.row.items()
        }
        account = self.row["account_id"]
        return shown | {
            "address": mask_address(self.row["address"]),
            "account_id": account and masked(account),
        }


def find(
    config: Config, *, customer: str | None, state: str | None, since: str | None, limit: int
) -> Iterator[ListedDelivery]:
    """Find deliveries, the newest first.

    Raises:
        DatabaseError: The ledger cannot be asked.
        InvalidRequestError: `since` is no duration, or `state` is no state.
    """
    try:
        duration = None if since is None else parse_duration(since)
    except ValueError as error:
        raise InvalidRequestError(f"--since: {error}") from error
    if state is not None and state.upper() not in DeliveryState.__members__:
        raise InvalidRequestError(f"--state: {state} is none of {', '.join(DeliveryState)}")
    values = {"customer": customer, "state": state and state.upper(), "since": duration, "limit": limit}
    with postgres.connect(config.require("delivery"), row_factory=dict_row) as connection:
        for row in connection.execute(statements.FIND, values):
            yield ListedDelivery(row)  # type: ignore[arg-type]


def explain(config: Config, alert_id: str) -> dict[str, Any]:
    """Return booking, setting, balances and steps of an alert; minor units, and milliseconds UTC.

    Raises:
        NotFoundError: There is no such alert (any more).
        DatabaseError: The ledger cannot be asked.
    """
    with postgres.connect(config.require("delivery"), row_factory=dict_row) as connection:
        found: Any = connection.execute(statements.FIND_ONE, [alert_id]).fetchone()
    if found is None:
        raise NotFoundError(
            f"{alert_id}: the ledger does not know it; it keeps alerts for senders.retention."
        )
    row: dict[str, Any] = found
    known = {
        "alert_id": alert_id,
        "state": row["state"],
        "reason": row["reason"],
        "channel": row["channel"],
        "alert_type": row["alert_type"],
        "attempts": row["attempts"],
        "gateway_reference": row["reference"],
        "source": {"partition": row["source_partition"], "offset": row["source_offset"]},
        "due_at": row["due_at"] and _ms(row["due_at"]),
        "steps": list_steps(row),
    }
    if row["record"] is None:
        return known | {"erased": True}
    try:
        alert = codec(config).decode("OutboundAlert", bytes(row["record"]))
    except CodecError as error:
        raise DatabaseError(f"{alert_id}: its record cannot be read: {error}") from error
    return known | describe_cause(alert) | {"address": mask_address(row["address"])}


def describe_cause(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return the booking and the setting that raised an alert, with the account's number masked."""
    params = alert["params"]
    balance, amount = (integer_param(params, name) for name in ("balance_minor", "amount_minor"))
    cause = {
        **{name: alert[name] for name in ("customer_id", "entry_id", "setting_id", "currency", "booked_at")},
        "account_id": masked(alert["account_id"]) if alert["account_id"] else "",
        "amount_minor": amount,
        "balance_after_minor": balance,
        "balance_before_minor": balance_before(alert["alert_type"], balance, amount),
    }
    limits = {name: integer_param(params, name) for name in LIMITS}
    reasons = [
        {name: value for name, value in reason.items() if value is not None} for reason in list_reasons(alert)
    ]
    return cause | {name: value for name, value in limits.items() if value is not None} | {"reasons": reasons}


def balance_before(alert_type: str, balance: int | None, amount: int | None) -> int | None:
    """Return the balance before the booking; None where the alert does not say if it was credit or debit.

    The direction follows from the type: only a credit lifts a balance, only a debit lowers it.
    """
    if balance is None or amount is None:
        return None
    if alert_type in _RISES:
        return balance - amount
    if alert_type in _FALLS:
        return balance + amount
    return None


def list_steps(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List what happened to an alert, in order: [{"at": milliseconds UTC, "step": ..., "reason": ...}]."""
    steps = [
        {"at": _ms(row[column]), "step": step, "reason": None}
        for step, column in _STEP_COLUMNS.items()
        if row[column]
    ]
    return sorted([*steps, *row["steps"]], key=lambda step: step["at"])


def format_explanation(found: Mapping[str, Any]) -> str:
    """Write the same for people to read."""
    lines = [f"Alert {found['alert_id']}: {found['alert_type']} by {found['channel']}, {found['state']}"]
    if found.get("reason"):
        lines[0] += f" ({found['reason']})"
    if "entry_id" in found:
        money = {
            name: found[f"{name}_minor"]
            for name in ("amount", "threshold", "balance_before", "balance_after")
            if found.get(f"{name}_minor") is not None
        }
        shown = ", ".join(
            f"{name.replace('_', ' ')} {format_minor(value, found['currency'], 'en')}"
            for name, value in money.items()
        )
        booked = _format_time(found["booked_at"])
        lines += [
            f"Booking   {found['entry_id']} on account {found['account_id']}, {booked}",
            f"Customer  {found['customer_id']}, at {found['address']}",
            *(f"Setting   {reason['setting_id']}: {reason['alert_type']}" for reason in found["reasons"]),
            f"Amounts   {shown or 'none'}",
        ]
        if "count" in found:
            lines.append(f"Count     more than {found['count']} in {found.get('window_minutes')} minutes")
    else:
        lines.append("Personal data is erased.")
    if found["gateway_reference"]:
        lines.append(f"Gateway   knows it as {found['gateway_reference']}; attempts: {found['attempts']}")
    lines += [
        f"{_format_time(step['at'])}  {step['step']}{_because(step['reason'])}" for step in found["steps"]
    ]
    if found["due_at"]:
        lines.append(f"{_format_time(found['due_at'])}  due again")
    return "\n".join(lines)


def erase(config: Config, customer: str) -> int:
    """Erase who a customer's alerts were for and what they said; returns how many there were.

    Raises:
        DatabaseError: The ledger cannot be asked.
    """
    with postgres.connect(config.require("delivery")) as connection:
        return connection.execute(statements.ERASE, {"customer": customer}).rowcount


def mask_address(address: str | None) -> str:
    """Return an address that its owner recognizes, and nobody else can use."""
    if not address:
        return "erased"
    if address.startswith("{"):
        return "a device"
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}" if at else masked(address)


def _because(reason: str | None) -> str:
    return f" ({reason})" if reason else ""


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _format_time(ms: int) -> str:
    try:
        at = datetime.fromtimestamp(ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{ms} ms"
    return f"{at:%Y-%m-%d %H:%M:%S}.{ms % 1000:03d} UTC"
