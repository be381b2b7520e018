"""Reads the ledger for people: the audit trail, and the answer to "why did I get this?"."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import dict_row

from account_alerts import postgres
from account_alerts.config import Config
from account_alerts.model.durations import parse_duration
from account_alerts.model.masking import masked
from account_alerts.model.money import format_minor
from account_alerts.postgres import DatabaseError
from account_alerts.records.codec import CodecError, codec

_FIND = """
SELECT alert_id, channel, state, alert_type, customer_id, address, account_id, reason, received_at,
  handed_over_at, confirmed_at, due_at, attempts
FROM deliveries
WHERE (%(customer)s::text IS NULL OR customer_id = %(customer)s)
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(since)s::bigint IS NULL OR received_at >= now() - %(since)s * interval '1 ms')
ORDER BY received_at DESC LIMIT %(limit)s
"""
# A held alert is withdrawn with it; one that is being handed over is finished by its sender.
_ERASE = """
UPDATE deliveries
SET customer_id = NULL, address = NULL, account_id = NULL, entry_id = NULL, setting_id = NULL, record = NULL,
  state = CASE WHEN due_at IS NULL THEN state ELSE 'withdrawn' END,
  reason = CASE WHEN due_at IS NULL THEN reason ELSE 'erased' END,
  due_at = NULL
WHERE customer_id = %(customer)s
"""


class NotKnownError(DatabaseError):
    """The ledger has no such alert."""


@dataclass(frozen=True)
class Found:
    """One delivery, as it is listed."""

    row: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`; times in milliseconds UTC."""
        shown = {
            name: _ms(value) if isinstance(value, datetime) else value for name, value in self.row.items()
        }
        account = self.row["account_id"]
        return shown | {
            "address": _hidden(self.row["address"]),
            "account_id": account and masked(account),
        }


def find(
    config: Config, *, customer: str | None, state: str | None, since: str | None, limit: int
) -> Iterator[Found]:
    """Deliveries, the newest first.

    Raises:
        DatabaseError: The ledger cannot be asked, or `since` is no duration.
    """
    try:
        duration = None if since is None else parse_duration(since)
    except ValueError as error:
        raise DatabaseError(f"--since: {error}") from error
    values = {"customer": customer, "state": state, "since": duration, "limit": limit}
    with postgres.connect(postgres.delivery(config), row_factory=dict_row) as connection:
        for row in connection.execute(_FIND, values):
            yield Found(row)  # type: ignore[arg-type]


def why(config: Config, alert_id: str) -> dict[str, Any]:
    """Booking, setting, balances and steps of an alert; amounts in minor units, times in milliseconds UTC.

    Raises:
        NotKnownError: There is no such alert (any more).
        DatabaseError: The ledger cannot be asked.
    """
    with postgres.connect(postgres.delivery(config), row_factory=dict_row) as connection:
        found: Any = connection.execute("SELECT * FROM deliveries WHERE alert_id = %s", [alert_id]).fetchone()
    if found is None:
        raise NotKnownError(
            f"{alert_id}: the ledger does not know it; it keeps alerts for senders.retention."
        )
    row: dict[str, Any] = found
    told = {
        "alert_id": alert_id,
        "state": row["state"],
        "reason": row["reason"],
        "channel": row["channel"],
        "alert_type": row["alert_type"],
        "attempts": row["attempts"],
        "gateway_reference": row["reference"],
        "source": {"partition": row["source_partition"], "offset": row["source_offset"]},
        "due_at": row["due_at"] and _ms(row["due_at"]),
        "steps": steps_of(row),
    }
    if row["record"] is None:
        return told | {"erased": True}
    try:
        alert = codec(config).decode("OutboundAlert", bytes(row["record"]))
    except CodecError as error:
        raise DatabaseError(f"{alert_id}: its record cannot be read: {error}") from error
    return told | cause_of(alert) | {"address": _hidden(row["address"])}


def cause_of(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Which booking and which setting raised an alert, and what they said. The account's number is masked."""
    params = alert["params"]
    balance, amount = _number(params.get("balance_minor")), _number(params.get("amount_minor"))
    told = {
        **{name: alert[name] for name in ("customer_id", "entry_id", "setting_id", "currency", "booked_at")},
        "account_id": masked(alert["account_id"]) if alert["account_id"] else "",
        "amount_minor": amount,
        "balance_after_minor": balance,
        "balance_before_minor": balance_before(alert["alert_type"], balance, amount),
    }
    limits = {name: _number(params.get(name)) for name in ("threshold_minor", "count", "window_minutes")}
    return told | {name: value for name, value in limits.items() if value is not None}


def balance_before(alert_type: str, balance: int | None, amount: int | None) -> int | None:
    """The balance before the booking; None where the alert does not say whether it was a credit or a debit.

    The direction follows from the type: only a credit lifts a balance, only a debit lowers it.
    """
    if balance is None or amount is None:
        return None
    if alert_type in ("BALANCE_ABOVE", "CREDITED_ABOVE"):
        return balance - amount
    if alert_type in ("BALANCE_BELOW", "DEBITED_ABOVE"):
        return balance + amount
    return None


def steps_of(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What happened to an alert, in order: [{"at": milliseconds UTC, "step": ..., "reason": ...}]."""
    columns = {
        "raised": "raised_at",
        "written to Kafka": "written_at",
        "received": "received_at",
        "handed over": "handed_over_at",
        "confirmed": "confirmed_at",
    }
    steps = [
        {"at": _ms(row[column]), "step": step, "reason": None}
        for step, column in columns.items()
        if row[column]
    ]
    return sorted([*steps, *row["steps"]], key=lambda step: step["at"])


def text(found: Mapping[str, Any]) -> str:
    """The same for reading."""
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
        lines += [
            f"Booking   {found['entry_id']} on account {found['account_id']}, {_text(found['booked_at'])}",
            f"Setting   {found['setting_id']} of customer {found['customer_id']}, to {found['address']}",
            f"Amounts   {shown or 'none'}",
        ]
        if "count" in found:
            lines.append(f"Count     more than {found['count']} in {found.get('window_minutes')} minutes")
    else:
        lines.append("What was personal is erased.")
    if found["gateway_reference"]:
        lines.append(f"Gateway   knows it as {found['gateway_reference']}; attempts: {found['attempts']}")
    lines += [f"{_text(step['at'])}  {step['step']}{_because(step['reason'])}" for step in found["steps"]]
    if found["due_at"]:
        lines.append(f"{_text(found['due_at'])}  looked at again")
    return "\n".join(lines)


def erase(config: Config, customer: str) -> int:
    """Forget who a customer's alerts were for and what they said; how many there were.

    Raises:
        DatabaseError: The ledger cannot be asked.
    """
    with postgres.connect(postgres.delivery(config)) as connection:
        return connection.execute(_ERASE, {"customer": customer}).rowcount


def _hidden(address: str | None) -> str:
    """An address that its owner recognizes, and nobody else can use."""
    if not address:
        return "erased"
    if address.startswith("{"):
        return "a device"
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}" if at else masked(address)


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _because(reason: str | None) -> str:
    return f" ({reason})" if reason else ""


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _text(ms: int) -> str:
    try:
        at = datetime.fromtimestamp(ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{ms} ms"
    return f"{at:%Y-%m-%d %H:%M:%S}.{ms % 1000:03d} UTC"
