"""The ledger: PostgreSQL remembers each alert id and what became of it (database/delivery/).

Whoever inserts an alert's row has claimed it; nobody else hands it over unless its lease (`due_at`) passes.

A statement that changes rows names their keys as an array, also where it joins what has them: a join alone
may be planned the other way round, and read the whole table for a few rows, while it is believed to be small.
"""

import base64
import json
import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from psycopg.rows import DictRow

from account_alerts.config.postgres import Database
from delivery.alert import Delivery, Mark, time_or_none
from delivery.gateways.base import Receipt
from delivery.ledger.session import Session

_STANDING = """
  p.time_zone, p.quiet_from, p.quiet_to, p.digest, p.addresses,
  p.settings -> c.setting_id AS setting,
  c.customer_id = ANY (a.customer_ids) AS authorized
"""
_JOINED = """
  LEFT JOIN profiles p ON p.customer_id = c.customer_id
  LEFT JOIN account_access a ON a.account_id = c.account_id
"""

_CLAIM = f"""
WITH c AS (
  INSERT INTO deliveries (
    alert_id, channel, route, state, alert_type, customer_id, address, account_id, entry_id, setting_id,
    record, source_partition, source_offset, raised_at, written_at, received_at, claimed_at, due_at,
    claimed_by, attempts)
  SELECT
    alert_id, %(channel)s, route, 'claimed', alert_type, customer_id, address, account_id, entry_id,
    setting_id, decode(record, 'base64'), partition, "offset", to_timestamp(raised_at / 1000.0),
    to_timestamp(written_at / 1000.0), now(), now(), now() + %(lease)s * interval '1 ms',
    %(process)s, 1
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
    alert_id text, route text, alert_type text, customer_id text, address text, account_id text,
    entry_id text, setting_id text, record text, partition int, "offset" bigint,
    raised_at bigint, written_at bigint)
  ORDER BY alert_id  -- Two processes that claim the same alerts wait for each other, without a deadlock.
  ON CONFLICT DO NOTHING
  RETURNING alert_id, customer_id, account_id, setting_id
)
SELECT c.alert_id, {_STANDING} FROM c {_JOINED}
"""

_TAKE = f"""
WITH due AS (
  SELECT alert_id FROM deliveries
  WHERE channel = %(channel)s AND due_at <= now() AND held_for IS DISTINCT FROM 'digest'
    AND (%(only)s::text[] IS NULL OR route = ANY (%(only)s::text[])) AND route <> ALL (%(without)s::text[])
    AND (state <> 'claimed' OR %(take_over)s::boolean)
  ORDER BY due_at LIMIT %(limit)s
  FOR UPDATE SKIP LOCKED
), c AS (
  UPDATE deliveries d
  SET state = 'claimed', attempts = attempts + 1, claimed_at = now(), claimed_by = %(process)s,
    due_at = now() + %(lease)s * interval '1 ms'
  WHERE alert_id = ANY (ARRAY(SELECT alert_id FROM due))
  RETURNING d.*
)
SELECT c.*, {_STANDING} FROM c {_JOINED}
"""

# A digest is claimed whole: the lock lets one process have it, and after its commit nothing of it is due.
_TAKE_DIGESTS = f"""
WITH leads AS MATERIALIZED (
  SELECT DISTINCT customer_id, address FROM deliveries
  WHERE channel = %(channel)s AND due_at <= now() AND held_for = 'digest'
    AND (%(only)s::text[] IS NULL OR route = ANY (%(only)s::text[])) AND route <> ALL (%(without)s::text[])
    AND (state <> 'claimed' OR %(take_over)s::boolean)
  LIMIT %(limit)s
), own AS MATERIALIZED (
  SELECT * FROM leads WHERE pg_try_advisory_xact_lock(hashtextextended(customer_id || ' ' || address, 0))
), c AS (
  UPDATE deliveries d
  SET state = 'claimed', attempts = attempts + 1, claimed_at = now(), claimed_by = %(process)s,
    due_at = now() + %(lease)s * interval '1 ms', digest_id = COALESCE(d.digest_id, %(token)s)
  FROM own
  WHERE d.customer_id = ANY (ARRAY(SELECT customer_id FROM own))
    AND d.customer_id = own.customer_id AND d.address = own.address AND d.channel = %(channel)s
    AND d.held_for = 'digest' AND d.due_at <= now() AND (d.state <> 'claimed' OR %(take_over)s::boolean)
  RETURNING d.*
)
SELECT c.*, {_STANDING} FROM c {_JOINED}
"""

# What was handed over is so whoever says it; anything else only by the claim that is still the newest.
_MARK = """
UPDATE deliveries d
SET state = r.state,
  due_at = to_timestamp(r.due_at / 1000.0),
  handed_over_at = COALESCE(to_timestamp(r.handed_over_at / 1000.0), d.handed_over_at),
  held_for = COALESCE(r.held_for, d.held_for),
  -- What is held once more was not in that digest: it needs another key, or a gateway takes it for a repeat.
  digest_id = CASE WHEN r.state = 'held' THEN NULL ELSE d.digest_id END,
  reference = COALESCE(r.reference, d.reference),
  reason = r.reason,
  steps = CASE
    WHEN r.step IS NULL OR r.state = 'retry' AND r.reason = d.reason THEN d.steps
    ELSE d.steps || r.step::jsonb
  END
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
  alert_id text, attempt int, state text, handed_over_at bigint, due_at bigint, held_for text, reference text,
  reason text, step text)
WHERE d.alert_id = ANY (%(keys)s) AND d.alert_id = r.alert_id AND d.state IN ('claimed', 'held', 'retry')
  AND (d.attempts = r.attempt OR r.state = 'handed over')
"""

_RECEIPTS = """
UPDATE deliveries d
SET state = CASE WHEN r.delivered THEN 'confirmed' ELSE 'undelivered' END,
  confirmed_at = CASE WHEN r.delivered THEN to_timestamp(r.at / 1000.0) END,
  reason = r.reason,
  steps = CASE WHEN r.delivered THEN d.steps ELSE d.steps
    || jsonb_build_array(jsonb_build_object('at', r.at, 'step', 'undelivered', 'reason', r.reason)) END
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (reference text, delivered boolean, at bigint, reason text)
WHERE d.channel = %(channel)s AND d.reference = ANY (%(keys)s) AND d.reference = r.reference
  AND d.state = 'handed over'
RETURNING d.reference, d.state
"""

_PRUNE = """
WITH old AS (
  SELECT alert_id FROM deliveries
  WHERE received_at < now() - %(keep)s * interval '1 ms' AND due_at IS NULL
  LIMIT 5000 FOR UPDATE SKIP LOCKED
)
DELETE FROM deliveries WHERE alert_id = ANY (ARRAY(SELECT alert_id FROM old)) RETURNING 1
"""

_TAKE_BACK = """
UPDATE deliveries SET due_at = now()
WHERE channel = %(channel)s AND state = 'claimed' AND due_at > now() AND claimed_by = %(process)s
RETURNING 1
"""

_WAITING = """
SELECT state, count(*) AS count, extract(epoch FROM now() - min(written_at))::float AS oldest
FROM deliveries WHERE channel = %(channel)s AND due_at IS NOT NULL GROUP BY state
"""


class Ledger:
    """The ledger as the senders of one channel use it."""

    def __init__(self, database: Database, channel: str, lease: int, instance: str | None = None) -> None:
        """Connect with the first statement.

        Args:
            database: Where the ledger is.
            channel: Whose alerts.
            lease: How many milliseconds an alert is this process's own after a claim.
            instance: A name that no two processes have at a time, and that a process keeps when it is started
                again.
        """
        self._channel, self._lease = channel, lease
        self._process = instance or uuid.uuid4().hex
        names = ("claims", "marks", "due")
        self._claims, self._marks, self._due = (
            Session(database, f"sender-{channel.lower()} {name}") for name in names
        )

    async def claim(self, deliveries: Sequence[Delivery]) -> dict[str, DictRow]:
        """Claim alerts that are new; by id, what is known of their customers. The others were before."""
        rows = [_new_row(delivery) for delivery in deliveries]
        found = await self._claims.run(_CLAIM, self._values(rows=json.dumps(rows)))
        return {row["alert_id"]: row for row in found}

    async def take(
        self, limit: int, *, only: list[str] | None = None, without: Iterable[str] = (), digests: bool = False
    ) -> list[DictRow]:
        """Claim what has become due: held ones, retries, and what a process left that died.

        Args:
            limit: How many alerts, or digests, at most.
            only: Of these routes; None: of any.
            without: But not of these.
            digests: Those of digests, each whole, instead of single ones.
        """
        # After an outage the others first write down what they had handed over already.
        settled = time.monotonic() - self._due.back_since > self._lease / 1000
        values = self._values(
            limit=limit,
            only=only,
            without=list(without),
            take_over=self._due.back_since == 0 or settled,
            token=uuid.uuid4().hex,
        )
        return await self._due.run(_TAKE_DIGESTS if digests else _TAKE, values)

    async def take_back(self) -> int:
        """At the start: what an earlier process of this instance had claimed is due now; how many."""
        return len(await self._due.run(_TAKE_BACK, self._values()))

    async def mark(self, marks: Iterable[Mark]) -> None:
        """Write down what became of alerts."""
        rows = [mark.row() for mark in marks]
        await self._marks.run(_MARK, {"rows": json.dumps(rows), "keys": [row["alert_id"] for row in rows]})

    async def confirm(self, receipts: Iterable[Receipt]) -> dict[str, str]:
        """Write receipts down; the new state by reference. What is not in it is not (yet) known."""
        rows = [
            {
                "reference": receipt.reference[:200].replace("\0", ""),
                "delivered": receipt.delivered,
                "at": time_or_none(receipt.at),
                "reason": (receipt.reason or "").replace("\0", "")[:500] or None,
            }
            for receipt in receipts
        ]
        keys = [row["reference"] for row in rows]
        found = await self._due.run(_RECEIPTS, self._values(rows=json.dumps(rows), keys=keys))
        return {row["reference"]: row["state"] for row in found}

    async def prune(self, keep: int) -> int:
        """Forget some of what was received more than `keep` milliseconds ago; how many."""
        return len(await self._due.run(_PRUNE, {"keep": keep}))

    async def waiting(self) -> list[DictRow]:
        """By state, how many alerts are not done, and the age of the oldest in seconds."""
        return await self._due.run(_WAITING, self._values())

    async def close(self) -> None:
        """Let go of the connections."""
        for session in (self._claims, self._marks, self._due):
            await session.close()

    def _values(self, **values: Any) -> dict[str, Any]:
        own = {"channel": self._channel, "lease": self._lease, "process": self._process}
        return own | values


def _new_row(delivery: Delivery) -> dict[str, Any]:
    alert, source = delivery.alert, delivery.source
    assert source.value is not None
    names = ("alert_id", "alert_type", "customer_id", "address", "account_id", "entry_id", "setting_id")
    return {
        **{name: alert[name] for name in names},
        "route": delivery.route,
        "record": base64.b64encode(source.value).decode("ascii"),
        "partition": source.partition,
        "offset": source.offset,
        "raised_at": time_or_none(alert["raised_at"]),
        "written_at": source.written_at,
    }
