"""Connections to PostgreSQL that come back."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from account_alerts.config.postgres import Database
from account_alerts.postgres import parameters

_log = logging.getLogger(__name__)
_LONGEST_WAIT = 2.0
_SETTINGS = (
    "SET TIME ZONE 'UTC'",
    # A batch is a few rows, each found by its key. PostgreSQL takes any JSON for a hundred, and its tables
    # for as small as they were when it looked last: then it reads a whole table for one alert.
    *(f"SET enable_{way} = off" for way in ("seqscan", "hashjoin", "mergejoin")),
    "SET jit = off",
)


class Session:
    """One connection for one task at a time; every statement is a transaction of its own.

    While the database is away, a statement waits for it. A statement whose answer was lost is said again:
    each of the ledger's may be.
    """

    def __init__(self, database: Database, name: str) -> None:
        """Connect with the first statement; `name` is what PostgreSQL lists the connection under."""
        self._database, self._name = database, name
        self._connection: psycopg.AsyncConnection[DictRow] | None = None
        self._lock = asyncio.Lock()
        self.back_since = 0.0
        """When (monotonic seconds) the connection came back last; 0: it was never lost."""

    async def run(self, sql: str, values: Mapping[str, Any] | None = None) -> list[DictRow]:
        """Run a statement; its rows.

        Raises:
            psycopg.Error: The statement or its values are at fault, and not the connection.
        """
        async with self._lock:
            wait, lost = 0.05, False
            while True:
                try:
                    connection = await self._connected()
                    cursor = await connection.execute(sql, values)
                    rows = await cursor.fetchall() if cursor.description else []
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    if not _passes(error):
                        raise
                    _log.warning("%s: the database is away: %s", self._name, str(error).partition("\n")[0])
                    lost = True
                    await self._drop()
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, _LONGEST_WAIT)
                else:
                    if lost:
                        self.back_since = time.monotonic()
                    return rows

    async def close(self) -> None:
        """Let go of the connection."""
        await self._drop()

    async def _connected(self) -> psycopg.AsyncConnection[DictRow]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                **parameters(self._database),
                application_name=self._name,
                autocommit=True,
                row_factory=dict_row,
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
                tcp_user_timeout=10_000,
            )
            for setting in _SETTINGS:
                await self._connection.execute(setting)
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _passes(error: psycopg.Error) -> bool:
    """Whether saying it again may help: the connection, a restart, a deadlock; no limit and no right."""
    state = error.sqlstate
    return state is None or state[:2] in ("08", "40", "53", "55", "57", "58") or state == "25006"
