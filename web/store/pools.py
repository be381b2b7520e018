"""Connections to the two databases: few, shared by all requests of a process, and back after an outage."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from account_alerts.config.postgres import Database
from account_alerts.postgres import DatabaseError, address, parameters

Row = dict[str, Any]
Connection = psycopg.AsyncConnection[Row]
UNAVAILABLE = (psycopg.OperationalError, PoolTimeout)
"""What is raised where a database is away."""
_CONNECT_SECONDS = 2.0
"""How long a request waits for a connection."""
_SESSION = "-c statement_timeout=10000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=15000"


class Store:
    """One database, by its pool."""

    def __init__(self, database: Database, connections: int) -> None:
        """Connect to nothing yet.

        Args:
            database: Which.
            connections: At most so many at once.
        """
        self._address = address(database)
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            kwargs={
                **parameters(database),
                "application_name": "alerts web",
                "row_factory": dict_row,
                "connect_timeout": 5,
                "options": _SESSION,
                "tcp_user_timeout": 10_000,
            },
            min_size=1,
            max_size=connections,
            timeout=_CONNECT_SECONDS,
            max_idle=300.0,
            # One that the server has closed is noticed before a request has it.
            check=AsyncConnectionPool.check_connection,
            # Between attempts to connect while the database is away.
            reconnect_timeout=5.0,
            open=False,
        )

    async def open(self) -> None:
        """Begin to connect; a database that is away is waited for by the requests that need it."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """Lend a connection, in one transaction.

        Raises:
            DatabaseError: The database is away.
        """
        try:
            async with self._pool.connection() as connection:
                yield connection
        except UNAVAILABLE as error:
            raise DatabaseError(f"{self._address}: {type(error).__name__}") from error

    @asynccontextmanager
    async def write(self, changed_by: str) -> AsyncIterator[Connection]:
        """Lend a connection in one transaction, which is committed at the end.

        Args:
            changed_by: Who changes something, for the history.

        Raises:
            DatabaseError: The database is away. Where it went away at the very end, nobody knows whether the
                change was made.
        """
        async with self.read() as connection:
            await connection.execute("SELECT set_config('alerts.changed_by', %s, true)", (changed_by,))
            yield connection
