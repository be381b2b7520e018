"""Brings a database's tables up to date: numbered SQL files, applied in order, each once (by Alembic).

A folder below `database/` holds the files of one database: `0001_customers.sql`, `0002_bookings.sql`, ...
A file that was applied anywhere is never changed; what is to be different comes in the next one. All new ones
are applied in one transaction.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import psycopg
import sqlalchemy
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionMap
from sqlalchemy.exc import OperationalError

from account_alerts.config import PROJECT
from account_alerts.config.postgres import Database
from account_alerts.model.errors import OperationError
from account_alerts.postgres import DatabaseError, address, parameters

FOLDER = PROJECT / "database"
_FILE = re.compile(r"(\d{4})_\w+\.sql")
_LOCK = 0x6163636F756E74  # Any number that is only this project's.


class MigrationError(OperationError):
    """The tables cannot be brought up to date; the message says why."""


def migrate(database: Database, folder: Path) -> list[str]:
    """Apply the files of a folder that the database does not have yet; returns their names.

    Two processes may do so at once: one waits for the other.

    Raises:
        DatabaseError: Nobody answers.
        MigrationError: The files are not numbered 1, 2, 3, ..., the database is newer than they are, or one
            cannot be applied; then none was.
    """
    files = numbered(folder)
    applied: list[str] = []
    try:
        with _engine(database).begin() as connection:
            script = ScriptDirectory(str(folder))
            script.revision_map = RevisionMap(lambda: _scripts(files, connection, applied))

            def steps(current: tuple[str, ...], _: MigrationContext) -> list[MigrationStep]:
                if unknown := set(current) - {_number(file) for file in files}:
                    raise MigrationError(
                        f"{database.name}: is at version {max(unknown)}, {folder.name}/ ends at "
                        f"{_number(files[-1])}: take the newer version of the project."
                    )
                return list(script._upgrade_revs("head", current))  # type: ignore[arg-type]

            connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            MigrationContext.configure(connection, opts={"fn": steps}).run_migrations()
    except OperationalError as error:
        raise DatabaseError(f"{address(database)}: {error.orig}") from error
    return applied


def numbered(folder: Path) -> list[Path]:
    """The folder's files in their order.

    Raises:
        MigrationError: There is none, or they are not numbered 1, 2, 3, ...
    """
    files = sorted(folder.glob("*.sql"))
    if not files:
        raise MigrationError(f"{folder}: holds no SQL files.")
    for number, file in enumerate(files, start=1):
        match = _FILE.fullmatch(file.name)
        if match is None or int(match[1]) != number:
            raise MigrationError(f"{file}: is to be named {number:04}_<what it brings>.sql")
    return files


def _number(file: Path) -> str:
    return file.name[:4]


def _scripts(files: list[Path], connection: sqlalchemy.Connection, applied: list[str]) -> Iterator[Script]:
    """What Alembic knows a file by: a module with its number, the one before, and what it does."""
    previous = None
    for file in files:

        def upgrade(file: Path = file) -> None:
            # Straight to the driver: a file has many statements, and its % signs are its own.
            driver = connection.connection.driver_connection
            assert driver is not None
            try:
                driver.execute(file.read_text(encoding="utf-8"))
            except psycopg.Error as error:
                raise MigrationError(f"{file.name}: {error}") from error
            applied.append(file.name)

        module = ModuleType(file.stem)
        module.__dict__.update(revision=_number(file), down_revision=previous, upgrade=upgrade)
        yield Script(module, _number(file), file)
        previous = _number(file)


def _engine(database: Database) -> sqlalchemy.Engine:
    own = parameters(database)
    url = sqlalchemy.URL.create(
        "postgresql+psycopg",
        username=own.pop("user"),
        password=own.pop("password", None),
        host=own.pop("host"),
        port=own.pop("port"),
        database=own.pop("dbname"),
        query={name: str(value) for name, value in own.items()},
    )
    return sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
