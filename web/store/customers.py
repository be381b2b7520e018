"""Customers of the bank's database: how they are spoken to, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from account_alerts.model.errors import NotFoundError
from web.store.pools import Connection
from web.store.statements import assignments
from web.store.versions import check_version, version_of

_COLUMNS = "customer_id, language, time_zone, quiet_from, quiet_to, digest, paused_until"
CHANGEABLE = frozenset({"language", "time_zone", "quiet_from", "quiet_to", "digest", "paused_until"})


@dataclass(frozen=True)
class Profile:
    """How a customer is spoken to, and when."""

    customer_id: str
    language: str
    """BCP 47."""
    time_zone: str
    """IANA."""
    quiet_from: str | None = None
    """`HH:MM`, by their clock; with `quiet_to`."""
    quiet_to: str | None = None
    digest: str | None = None
    """`HOURLY` or `DAILY`; None: one message for each alert."""
    paused_until: datetime | None = None
    """Not a message before, of any setting."""
    version: str = ""


async def find(connection: Connection, customer_id: str) -> Profile | None:
    """Return a customer; None where the bank has no such customer (any more)."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM customers WHERE customer_id = %s".encode(), (customer_id,)
    )
    row = await cursor.fetchone()
    return None if row is None else Profile(**row, version=version_of(row))


async def change(
    connection: Connection, customer_id: str, values: Mapping[str, Any], expected: str | None = None
) -> Profile:
    """Change some columns of a customer; return what is there now.

    Args:
        connection: In a transaction that says who changes something (`Store.write`).
        customer_id: Whose.
        values: By column, of `CHANGEABLE`.
        expected: The version that the change was made of; None: whatever there is.

    Raises:
        NotFoundError: There is no such customer.
        ChangedMeanwhileError: There is another version.
    """
    assert values.keys() <= CHANGEABLE
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM customers WHERE customer_id = %s FOR UPDATE".encode(), (customer_id,)
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("no such customer")
    check_version(row, expected)
    if values:
        await connection.execute(
            sql.SQL("UPDATE customers SET {} WHERE customer_id = %(customer_id)s").format(
                assignments(values)
            ),
            {**values, "customer_id": customer_id},
        )
    found = await find(connection, customer_id)
    assert found is not None  # It is locked.
    return found
