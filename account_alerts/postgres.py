"""Connections to PostgreSQL, as the configuration describes it."""

from typing import Any

import psycopg

from account_alerts.config.postgres import Database
from account_alerts.model.errors import UnreachableError


class DatabaseError(UnreachableError):
    """A database cannot be reached, or cannot be used; the message says which, why and what to do."""


def parameters(database: Database) -> dict[str, Any]:
    """Return what libpq is told: also a password, so keep it out of logs."""
    password = database.password.get_secret_value() if database.password else None
    return {
        "host": database.host,
        "port": database.port,
        "dbname": database.name,
        "user": database.user,
        "sslmode": database.ssl_mode,
        "connect_timeout": 10,
        **({"sslrootcert": str(database.ca_file)} if database.ssl_mode.startswith("verify") else {}),
        **({"password": password} if password else {}),
    }


def connect(database: Database, *, application: str = "alerts", **options: Any) -> psycopg.Connection:
    """Connect; as a context manager a connection commits at the end, or rolls back on an exception.

    Args:
        database: Which.
        application: What PostgreSQL lists the connection under.
        options: Further ones of `psycopg.connect`.

    Raises:
        DatabaseError: Nobody answers, or the user is refused.
    """
    try:
        return psycopg.connect(**parameters(database), application_name=application, **options)
    except psycopg.OperationalError as error:
        raise DatabaseError(f"{address(database)}: {str(error).strip()}") from error


def address(database: Database) -> str:
    """Return where it is, as `psql` takes it, without a password."""
    return f"postgresql://{database.user}@{database.host}:{database.port}/{database.name}"


def reachable(database: Database) -> bool:
    """Tell whether it answers."""
    try:
        with connect(database):
            return True
    except DatabaseError:
        return False
