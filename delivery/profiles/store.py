"""The profiles in PostgreSQL (database/delivery/).

How far a partition is read is written in the same transaction as what was read, so nothing is applied twice
or in the wrong order, whichever of several processes has a partition.
"""

import json
import logging
import threading
from collections.abc import Callable
from typing import TypeVar

import psycopg

from account_alerts import postgres
from account_alerts.config.postgres import Database
from delivery.profiles.records import Batch, Table

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
_Result = TypeVar("_Result")

_LOCK = """
SELECT next_offset FROM profile_progress WHERE topic = %(topic)s AND partition = %(partition)s FOR UPDATE
"""
_ADVANCE = """
INSERT INTO profile_progress VALUES (%(topic)s, %(partition)s, %(next)s)
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
"""
_PROGRESS = "SELECT topic, partition, next_offset FROM profile_progress"
_PUT: dict[Table, str] = {
    "profiles": """
INSERT INTO profiles (
  customer_id, language, time_zone, quiet_from, quiet_to, digest, addresses, settings, sms_number)
SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
  customer_id text, language text, time_zone text, quiet_from text, quiet_to text, digest text,
  addresses jsonb, settings jsonb, sms_number text)
ON CONFLICT (customer_id) DO UPDATE SET
  time_zone = EXCLUDED.time_zone, quiet_from = EXCLUDED.quiet_from, quiet_to = EXCLUDED.quiet_to,
  digest = EXCLUDED.digest, addresses = EXCLUDED.addresses, settings = EXCLUDED.settings,
  language = EXCLUDED.language, sms_number = EXCLUDED.sms_number
""",
    "account_access": """
INSERT INTO account_access (account_id, customer_ids)
SELECT account_id, ARRAY(SELECT jsonb_array_elements_text(customer_ids))
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (account_id text, customer_ids jsonb)
ON CONFLICT (account_id) DO UPDATE SET customer_ids = EXCLUDED.customer_ids
""",
    # What was received by SMS counts until it comes back from the bank's database, or something later does.
    "sms_opt_outs": """
INSERT INTO sms_opt_outs AS known (number, stopped, changed_at, pending, recorded_at)
SELECT number, stopped, to_timestamp(changed_at / 1000.0), false, now()
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (number text, stopped boolean, changed_at bigint)
ON CONFLICT (number) DO UPDATE SET
  stopped = EXCLUDED.stopped, changed_at = EXCLUDED.changed_at, pending = false, recorded_at = now()
WHERE NOT known.pending OR EXCLUDED.changed_at >= known.changed_at
""",
}
_DELETE: dict[Table, str] = {
    "profiles": "DELETE FROM profiles WHERE customer_id = ANY (%(ids)s)",
    "account_access": "DELETE FROM account_access WHERE account_id = ANY (%(ids)s)",
    "sms_opt_outs": "DELETE FROM sms_opt_outs WHERE number = ANY (%(ids)s) AND NOT pending",
}


class ProfileStore:
    """The tables of profiles; every method waits while the database is away, until `stop` is set."""

    def __init__(self, database: Database, stop: threading.Event) -> None:
        """Connect with the first statement."""
        self._database, self._stop = database, stop
        self._connection: psycopg.Connection | None = None

    def progress(self) -> dict[tuple[str, int], int]:
        """Return the offset of the next record, by topic and partition; empty where `stop` is set."""

        def ask(connection: psycopg.Connection) -> dict[tuple[str, int], int]:
            return {(topic, number): offset for topic, number, offset in connection.execute(_PROGRESS)}

        return self._retry(ask) or {}

    def restart(self, topic: str, partition: int) -> None:
        """Read a partition from its beginning again."""
        self._retry(
            lambda connection: connection.execute(
                _ADVANCE, {"topic": topic, "partition": partition, "next": 0}
            )
        )

    def apply(self, table: Table, topic: str, partition: int, batch: Batch) -> bool:
        """Write a batch, and up to where the partition is read, at once; returns whether it is written."""

        def write(connection: psycopg.Connection) -> bool:
            with connection.transaction():
                _apply(connection, table, {"topic": topic, "partition": partition}, batch)
            return True

        return self._retry(write) or False

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _retry(self, work: Callable[[psycopg.Connection], _Result]) -> _Result | None:
        while not self._stop.is_set():
            try:
                return work(self._connected())
            except psycopg.OperationalError as error:
                _log.warning("the database is away: %s", str(error).partition("\n")[0])
                self.close()
                self._stop.wait(_RETRY_SECONDS)
        return None

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            own = postgres.parameters(self._database)
            self._connection = psycopg.connect(**own, application_name="profiles", autocommit=True)
        return self._connection


def _apply(
    connection: psycopg.Connection, table: Table, position: dict[str, str | int], batch: Batch
) -> None:
    found = connection.execute(_LOCK, position).fetchone()
    known = found[0] if found else 0
    if found is not None and batch.next_offset <= known:
        return
    news = batch.since(known)
    rows = [each.row for each in news if each.row is not None]
    gone = [each.key for each in news if each.row is None]
    if rows:
        connection.execute(_PUT[table], {"rows": json.dumps(rows)})
    if gone:
        connection.execute(_DELETE[table], {"ids": gone})
    connection.execute(_ADVANCE, {**position, "next": max(batch.next_offset, 0)})
