"""Customers of the bank's database."""

from dataclasses import dataclass

from web.store.pools import Connection


@dataclass(frozen=True)
class Profile:
    """How a customer is spoken to."""

    customer_id: str
    language: str
    """BCP 47."""
    time_zone: str
    """IANA."""


async def find(connection: Connection, customer_id: str) -> Profile | None:
    """Return a customer; None where the bank has no such customer (any more)."""
    cursor = await connection.execute(
        "SELECT customer_id, language, time_zone FROM customers WHERE customer_id = %s", (customer_id,)
    )
    row = await cursor.fetchone()
    return None if row is None else Profile(**row)
