"""The ledger in PostgreSQL: it remembers each alert id and what has become of it (database/delivery/).

Whoever inserts an alert's row has claimed it; nobody else sends it unless its lease (`due_at`) ends.
"""

import base64
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import DictRow

from account_alerts.config.postgres import Database
from account_alerts.model.alerts import DeliveryState
from account_alerts.records.codec import Record
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from delivery.alert import (
    Delivery,
    DeliveryUpdate,
    LastRetry,
    calendar_ms,
    clean_reason,
    clean_reference,
)
from delivery.gateways.base import Receipt
from delivery.ledger import statements
from delivery.ledger.port import DueAlert, Pending, RejectedByLedgerError
from delivery.ledger.session import Session
from delivery.policy import UNKNOWN_RECIPIENT, DeferralReason, RecipientState
from delivery.reasons import list_reasons

_PROBES = 200
"""Of so many alerts the one that was tried least is a probe: one that is refused for itself says nothing."""
_COPIED = ("alert_id", "alert_type", "customer_id", "address", "account_id", "entry_id", "setting_id")


class LedgerStore:
    """The ledger as the senders of one channel use it."""

    def __init__(
        self,
        database: Database,
        channel: str,
        lease: int,
        instance: str | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Connect with the first statement.

        Args:
            database: Where the ledger is.
            channel: Whose alerts.
            lease: How many milliseconds an alert is this process's own after a claim.
            instance: A name that no two processes have at a time, and that a process keeps when it is started
                again.
            clock: Tells the time.
        """
        self._channel, self._lease, self._clock = channel, lease, clock
        self._process = instance or uuid.uuid4().hex
        names = ("claims", "updates", "due")
        self._claims, self._updates, self._due = (
            Session(database, f"sender-{channel.lower()} {name}", clock) for name in names
        )

    async def claim(self, deliveries: Sequence[Delivery]) -> dict[str, RecipientState]:
        """Claim new alerts, as `Ledger.claim`."""
        rows = json.dumps([new_row(delivery) for delivery in deliveries])
        try:
            found = await self._claims.run(statements.CLAIM, self._values(rows=rows))
        except psycopg.errors.CheckViolation:
            raise  # No alert's fault: the tables are of another version.
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded) as error:
            raise RejectedByLedgerError(f"the ledger cannot hold it: {type(error).__name__}") from error
        return {row["alert_id"]: recipient_state(row, self._channel) for row in found}

    async def claim_due(
        self, limit: int, *, only: Sequence[str] | None = None, without: Sequence[str] = ()
    ) -> list[DueAlert]:
        """Claim due alerts, as `Ledger.claim_due`."""
        return await self._claim_due(statements.CLAIM_DUE, limit, only, without)

    async def claim_due_digests(
        self, limit: int, *, only: Sequence[str] | None = None, without: Sequence[str] = ()
    ) -> list[DueAlert]:
        """Claim due digests, as `Ledger.claim_due_digests`."""
        return await self._claim_due(statements.CLAIM_DUE_DIGESTS, limit, only, without)

    async def reclaim_own(self) -> int:
        """Make due what an earlier process of this instance had claimed; returns how many."""
        return len(await self._due.run(statements.RECLAIM_OWN, self._values()))

    async def update(self, updates: Sequence[DeliveryUpdate]) -> None:
        """Write what has become of alerts."""
        rows = [update.row() for update in updates]
        keys = [row["alert_id"] for row in rows]
        await self._updates.run(statements.UPDATE, {"rows": json.dumps(rows), "keys": keys})

    async def apply_receipts(self, receipts: Iterable[Receipt]) -> dict[str, DeliveryState]:
        """Write receipts, as `Ledger.apply_receipts`."""
        rows = [
            {
                "reference": clean_reference(receipt.reference),
                "delivered": receipt.delivered,
                "at": calendar_ms(receipt.at),
                "reason": clean_reason(receipt.reason),
            }
            for receipt in receipts
        ]
        keys = [row["reference"] for row in rows]
        values = self._values(rows=json.dumps(rows), keys=keys)
        found = await self._due.run(statements.APPLY_RECEIPTS, values)
        return {row["reference"]: DeliveryState(row["state"]) for row in found}

    async def prune(self, retention: int) -> int:
        """Delete some of what was received more than `retention` milliseconds ago; returns how many."""
        return len(await self._due.run(statements.PRUNE, {"retention": retention}))

    async def count_pending(self) -> list[Pending]:
        """Count the alerts that are not done, by state and route."""
        rows = await self._due.run(statements.COUNT_PENDING, self._values())
        return [
            Pending(DeliveryState(row["state"]), row["route"], row["count"], row["overdue"]) for row in rows
        ]

    async def close(self) -> None:
        """Close the connections."""
        for session in (self._claims, self._updates, self._due):
            await session.close()

    async def _claim_due(
        self, statement: str, limit: int, only: Sequence[str] | None, without: Sequence[str]
    ) -> list[DueAlert]:
        back_since = self._due.back_since
        # After an outage the others first write down what they have sent already.
        settled = back_since is None or self._clock.monotonic() - back_since > self._lease / 1000
        values = self._values(
            limit=limit,
            candidates=limit if only is None else max(limit, _PROBES),
            only=None if only is None else list(only),
            without=list(without),
            take_over=settled,
            token=uuid.uuid4().hex,
        )
        return [due_alert(row, self._channel) for row in await self._due.run(statement, values)]

    def _values(self, **values: Any) -> dict[str, Any]:
        own = {"channel": self._channel, "lease": self._lease, "process": self._process}
        return own | values


def new_row(delivery: Delivery) -> dict[str, Any]:
    """Return a new alert as SQL reads it."""
    alert, source = delivery.alert, delivery.source
    assert source.value is not None
    return {
        **{name: alert[name] for name in _COPIED},
        "other_setting_ids": _other_settings(alert),
        "route": delivery.route,
        "record": base64.b64encode(source.value).decode("ascii"),
        "partition": source.partition,
        "offset": source.offset,
        "raised_at": calendar_ms(alert["raised_at"]),
        "written_at": source.written_at,
    }


def _other_settings(alert: Record) -> list[str] | None:
    """Return the settings of all reasons but the first; their row says whether they still stand."""
    ids = [reason["setting_id"] for reason in list_reasons(alert)]
    return [each for each in dict.fromkeys(ids) if each != alert["setting_id"]] or None


def recipient_state(row: Mapping[str, Any], channel: str) -> RecipientState:
    """Return what a row of the ledger, joined with the profiles, says of its customer."""
    if row["time_zone"] is None:
        return UNKNOWN_RECIPIENT
    return RecipientState(
        known=True,
        time_zone=row["time_zone"],
        quiet_from=row["quiet_from"],
        quiet_to=row["quiet_to"],
        digest=row["digest"],
        addresses=row["addresses"].get(channel, ()),
        settings=row["settings"] or {},
        authorized=bool(row["authorized"]),
    )


def due_alert(row: DictRow, channel: str) -> DueAlert:
    """Return a row that was claimed because it is due."""
    return DueAlert(
        record=row["record"],
        partition=row["source_partition"],
        offset=row["source_offset"],
        written_at=_ms(row["written_at"]),
        route=row["route"],
        attempt=row["attempts"],
        recipient=recipient_state(row, channel),
        deferred_for=row["deferred_for"] and DeferralReason(row["deferred_for"]),
        digest_id=row["digest_id"],
        last_retry=last_retry(row),
    )


def last_retry(row: DictRow) -> LastRetry | None:
    """Return why a row waits that was tried before; the ledger has one step for repeats of a reason."""
    step: dict[str, Any] = row["steps"][-1] if row["steps"] else {}
    if step.get("step") != DeliveryState.RETRYING or not row["reason"] or step["reason"] != row["reason"]:
        return None
    return LastRetry(row["reason"], step["at"])


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
