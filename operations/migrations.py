"""Brings a database's tables up to date: numbered SQL files, applied in order, each once.

A folder below `database/` holds the files of one database: `0001_customers.sql`, `0002_bookings.sql`, ...
A file that was applied anywhere is never changed; what is to be different comes in the next one. All new ones
are applied in one transaction. Which were applied stands in the table `schema_migrations`.
"""

import re
from pathlib import Path

import psycopg

from account_alerts.config import PROJECT
from account_alerts.config.postgres import Database
from account_alerts.model.errors import OperationError
from account_alerts.postgres import DatabaseError, address, connect

FOLDER = PROJECT / "database"
_FILE = re.compile(r"(\d{4})_\w+\.sql")
_LOCK = 0x6163636F756E74  # Any number that is only this project's.
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
  number     text PRIMARY KEY,
  applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationError(OperationError):
    """The tables cannot be brought up to date; the message says why."""


def migrate(database: Database, folder: Path) -> list[str]:
    """Apply the files of a folder that the database does not have yet; return their names.

    Two processes may do so at once: one waits for the other.

    Raises:
        DatabaseError: Nobody answers.
        MigrationError: The files are not numbered 1, 2, 3, ..., the database is newer than they are, or one
            cannot be applied; then none was.
    """
    files = numbered(folder)
    try:
        with connect(database) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            applied = _applied(connection)
            if applied and (newest := max(applied)) > _number(files[-1]):
                raise MigrationError(
                    f"{database.name}: is at version {newest}, {folder.name}/ ends at "
                    f"{_number(files[-1])}: take the newer version of the project."
                )
            new = [file for file in files if _number(file) not in applied]
            for file in new:
                _apply(connection, file)
            return [file.name for file in new]
    except psycopg.OperationalError as error:
        raise DatabaseError(f"{address(database)}: {str(error).strip()}") from error


def numbered(folder: Path) -> list[Path]:
    """Return the folder's files in their order.

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


def _applied(connection: psycopg.Connection) -> set[str]:
    """Return the numbers of the files that the database has."""
    connection.execute(_TABLE)
    applied = {number for (number,) in connection.execute("SELECT number FROM schema_migrations")}
    if not applied and _has_alembic(connection):
        # Earlier releases noted only the newest file, by Alembic.
        for (newest,) in connection.execute("SELECT version_num FROM alembic_version").fetchall():
            applied |= {f"{number:04}" for number in range(1, int(newest) + 1)}
        for number in sorted(applied):
            _note(connection, number)
    return applied


def _apply(connection: psycopg.Connection, file: Path) -> None:
    try:
        # Without parameters: a file has many statements, and its % signs are its own.
        connection.execute(file.read_bytes())
    except psycopg.Error as error:
        raise MigrationError(f"{file.name}: {error}") from error
    _note(connection, _number(file))


def _note(connection: psycopg.Connection, number: str) -> None:
    connection.execute("INSERT INTO schema_migrations (number) VALUES (%s)", [number])
    if _has_alembic(connection):
        # An earlier release compares this with its own files, and refuses a newer database.
        connection.execute("UPDATE alembic_version SET version_num = greatest(version_num, %s)", [number])


def _has_alembic(connection: psycopg.Connection) -> bool:
    return connection.execute("SELECT to_regclass('alembic_version')").fetchone() != (None,)


def _number(file: Path) -> str:
    return file.name[:4]
