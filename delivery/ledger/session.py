"""Connections to PostgreSQL that come back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from account_alerts.config.postgres import Database
from account_alerts.postgres import parameters
from account_alerts.service.backoff import Backoff
from account_alerts.service.clock import SYSTEM_CLOCK, Clock

_log = logging.getLogger(__name__)
_FIRST_RETRY, _LONGEST_RETRY = 0.1, 2.0
_SETTINGS = (
    "SET TIME ZONE 'UTC'",
    # A batch is a few rows, each found by its key. PostgreSQL takes any JSON for a hundred, and its tables
    # for as small as they were when it looked last: then it reads a whole table for one alert.
    *(f"SET enable_{way} = off" for way in ("seqscan", "hashjoin", "mergejoin")),
    "SET jit = off",
)

Connection = psycopg.AsyncConnection[DictRow]
Connect = Callable[[Database, str], Awaitable[Connection]]
Pause = Callable[[float], Awaitable[None]]


class Session:
    """One connection for one task at a time; every statement is a transaction of its own.

    While the database is away, a statement waits for it. A statement whose answer was lost is run again: each
    of the ledger's may be.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        clock: Clock = SYSTEM_CLOCK,
        connect: Connect | None = None,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """Connect with the first statement.

        Args:
            database: Where to connect.
            name: What PostgreSQL lists the connection under.
            clock: Tells the time.
            connect: Opens a connection.
            pause: Waits for seconds before the next attempt.
        """
        self._database, self._name, self._clock = database, name, clock
        self._open, self._pause = connect or open_connection, pause
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        self.back_since: float | None = None
        """When (monotonic seconds) the connection came back last; None: it was never lost."""

    async def run(self, sql: str, values: Mapping[str, Any] | None = None) -> list[DictRow]:
        """Run a statement; returns its rows.

        Raises:
            psycopg.Error: The statement or its values are at fault, and not the connection.
        """
        async with self._lock:
            backoff = Backoff(_FIRST_RETRY, _LONGEST_RETRY)
            while True:
                try:
                    rows = await self._execute(sql, values)
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    if not is_transient(error):
                        raise
                    _log.warning("%s: the database is away: %s", self._name, str(error).partition("\n")[0])
                    await self._drop()
                    await self._pause(backoff.next())
                else:
                    if backoff.failures:
                        self.back_since = self._clock.monotonic()
                    return rows

    async def close(self) -> None:
        """Close the connection."""
        await self._drop()

    async def _execute(self, sql: str, values: Mapping[str, Any] | None) -> list[DictRow]:
        if self._connection is None or self._connection.closed:
            self._connection = await self._open(self._database, self._name)
        cursor = await self._connection.execute(sql, values)
        return await cursor.fetchall() if cursor.description else []

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


async def open_connection(database: Database, name: str) -> Connection:
    """Connect to a database, and prepare the connection for the ledger's statements."""
    connection = await psycopg.AsyncConnection.connect(
        **parameters(database),
        application_name=name,
        autocommit=True,
        row_factory=dict_row,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=10_000,
    )
    try:
        for setting in _SETTINGS:
            await connection.execute(setting)
    except BaseException:
        await connection.close()
        raise
    return connection


def is_transient(error: psycopg.Error) -> bool:
    """Tell whether running it again may help: a lost connection, a restart, a deadlock; no limit or right."""
    state = error.sqlstate
    return state is None or state[:2] in ("08", "40", "53", "55", "57", "58") or state == "25006"
