"""A connection that comes back: statements wait for the database, and faults of their own are raised."""

from typing import Any

import psycopg
import pytest
from psycopg import errors

from account_alerts.config.postgres import Database
from delivery.ledger.session import Session, is_transient
from tests.clock import FakeClock
from tests.unit.delivery.fakes import run

DATABASE = Database(host="h", port=5432, name="n", user="u")


class FakeCursor:
    """A result."""

    def __init__(self, rows: list[dict[str, Any]] | None) -> None:
        self.description = None if rows is None else [object()]
        self._rows = rows

    async def fetchall(self) -> list[dict[str, Any]]:
        return self._rows or []


class FakeServer:
    """A database: each connection answers by the script, until an error."""

    def __init__(self, *script: Any) -> None:
        self.script, self.opened, self.closed_connections = list(script), 0, 0
        self.statements: list[str] = []
        self.pauses: list[float] = []
        self.clock = FakeClock()

    async def connect(self, database: Database, name: str) -> Any:
        assert (database, name) == (DATABASE, "test")
        self.opened += 1
        if self.script and isinstance(self.script[0], ConnectionRefusedError):
            self.script.pop(0)
            raise psycopg.OperationalError("connection refused")
        return FakeConnection(self)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)

    def session(self) -> Session:
        return Session(DATABASE, "test", self.clock, self.connect, self.pause)


class FakeConnection:
    """A connection to it."""

    def __init__(self, server: FakeServer) -> None:
        self.server, self.closed = server, False

    async def execute(self, sql: str, _: object) -> FakeCursor:
        self.server.statements.append(sql)
        answer = self.server.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return FakeCursor(answer)

    async def close(self) -> None:
        self.closed = True
        self.server.closed_connections += 1


def test_one_connection_serves_all_statements() -> None:
    async def use() -> None:
        server = FakeServer([{"n": 1}], None)
        session = server.session()
        assert await session.run("SELECT 1") == [{"n": 1}]
        assert await session.run("UPDATE x") == []
        await session.close()
        assert (server.opened, server.closed_connections, session.back_since) == (1, 1, None)

    run(use)


def test_a_statement_waits_for_the_database_and_is_said_again() -> None:
    async def use() -> None:
        away = ConnectionRefusedError()
        server = FakeServer(psycopg.OperationalError("server closed the connection"), away, away, [{"n": 1}])
        session = server.session()
        assert await session.run("SELECT 1") == [{"n": 1}]
        assert server.statements == ["SELECT 1", "SELECT 1"]
        assert (server.opened, server.closed_connections) == (4, 1)
        assert len(server.pauses) == 3
        assert session.back_since == server.clock.monotonic()

    run(use)


def test_pauses_grow_up_to_two_seconds() -> None:
    async def use() -> None:
        server = FakeServer(*[ConnectionRefusedError()] * 12, [])
        await server.session().run("SELECT 1")
        assert all(1 <= pause <= 2 for pause in server.pauses[6:])
        assert server.pauses[0] <= 0.1

    run(use)


@pytest.mark.parametrize("error", [errors.UniqueViolation("twice"), errors.InsufficientPrivilege("no right")])
def test_a_fault_of_the_statement_is_raised_and_the_connection_stays(error: psycopg.Error) -> None:
    async def use() -> None:
        server = FakeServer(error, [])
        session = server.session()
        with pytest.raises(type(error)):
            await session.run("INSERT")
        await session.run("SELECT 1")
        assert (server.opened, server.pauses, session.back_since) == (1, [], None)

    run(use)


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (psycopg.OperationalError("no route to host"), True),
        (errors.DeadlockDetected(""), True),
        (errors.AdminShutdown(""), True),
        (errors.ReadOnlySqlTransaction(""), True),
        (errors.DiskFull(""), True),
        (errors.UndefinedColumn(""), False),
        (errors.ProgramLimitExceeded(""), False),
    ],
)
def test_what_passes(error: psycopg.Error, transient: bool) -> None:
    assert is_transient(error) == transient
