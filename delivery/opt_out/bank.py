"""Writes STOP and START into the bank's database, which is the source of truth (database/bank/)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import psycopg

from delivery.ledger.session import Session
from delivery.opt_out.port import Change, OptOutStore

_log = logging.getLogger(__name__)
_POLL_SECONDS, _PAUSE_SECONDS = 1.0, 10.0
_BATCH = 500

Record = Callable[[Change], Awaitable[None]]
"""Writes a change into the bank's database; may be said again."""

_UPSERT = """
INSERT INTO sms_opt_outs AS known (number, stopped, changed_at, source)
VALUES (%(number)s, %(stopped)s, %(changed_at)s, 'SMS')
ON CONFLICT (number) DO UPDATE SET
  stopped = EXCLUDED.stopped, changed_at = EXCLUDED.changed_at, source = EXCLUDED.source
-- What somebody of the bank has changed later stays.
WHERE known.changed_at < EXCLUDED.changed_at
"""


def record_in(session: Session) -> Record:
    """Return what writes a change into a database."""

    async def record(change: Change) -> None:
        values = {"number": change.number, "stopped": change.stopped, "changed_at": change.changed_at}
        await session.run(_UPSERT, values)

    return record


class BankRecorder:
    """Brings the ledger's changes to the bank's database; several may do so at once."""

    def __init__(self, store: OptOutStore, record: Record) -> None:
        """Write nothing yet."""
        self._store, self._record = store, record

    async def run(self) -> None:
        """Write changes as they come, without end; where the bank refuses, try again and say so."""
        while True:
            try:
                written = await self.record_new()
                pause = 0.0 if written == _BATCH else _POLL_SECONDS
            except psycopg.Error as error:
                _log.error("opt-outs are not written into the bank's database: %s", type(error).__name__)
                pause = _PAUSE_SECONDS
            await asyncio.sleep(pause)

    async def record_new(self) -> int:
        """Write what the bank does not have; returns how many changes.

        Raises:
            psycopg.Error: The bank's database refuses.
        """
        changes = await self._store.unrecorded(_BATCH)
        for change in changes:
            await self._record(change)
            await self._store.mark_recorded(change)
        return len(changes)
