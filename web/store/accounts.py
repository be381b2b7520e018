"""The accounts that a customer may see, with the names they gave them."""

from collections.abc import Sequence
from dataclasses import dataclass

from account_alerts.model.errors import NotFoundError
from web.store.pools import Connection

_LIST = """
SELECT account_id, name, currency, balance_minor
FROM access_rights
LEFT JOIN account_names USING (account_id, customer_id)
LEFT JOIN LATERAL (
    SELECT currency, balance_minor FROM bookings
    WHERE bookings.account_id = access_rights.account_id
    ORDER BY booked_at DESC LIMIT 1
) AS newest ON true
WHERE customer_id = %(customer)s
    AND (%(account)s::text IS NULL OR account_id = %(account)s)
    AND (%(after)s::text IS NULL OR account_id > %(after)s)
ORDER BY account_id LIMIT %(limit)s
"""
_MAY_SEE = "SELECT FROM access_rights WHERE customer_id = %(customer)s AND account_id = %(account)s FOR SHARE"
_NAME = """
INSERT INTO account_names (customer_id, account_id, name) VALUES (%(customer)s, %(account)s, %(name)s)
ON CONFLICT (customer_id, account_id) DO UPDATE SET name = excluded.name
WHERE account_names.name <> excluded.name
"""
_FORGET_NAME = "DELETE FROM account_names WHERE customer_id = %(customer)s AND account_id = %(account)s"
MOST = 10_000
"""Accounts of one customer in an answer."""


@dataclass(frozen=True)
class Account:
    """An account that the customer may see."""

    account_id: str
    name: str | None
    """The customer's own; None: they gave it none."""
    currency: str | None
    """The newest booking's; None where there is no booking in the bank's tables."""
    balance_minor: int | None
    """After the newest booking; None where the bank does not say."""


async def list_accounts(
    connection: Connection, customer_id: str, *, after: str | None = None, limit: int = MOST
) -> Sequence[Account]:
    """Return a customer's accounts in the order of their ids, from the one that follows `after`."""
    return await _read(connection, customer_id, None, after, limit)


async def find(connection: Connection, customer_id: str, account_id: str) -> Account:
    """Return an account.

    Raises:
        NotFoundError: There is none that this customer may see.
    """
    found = await _read(connection, customer_id, account_id, None, 1)
    if not found:
        raise NotFoundError("no such account")
    return found[0]


async def check_access(connection: Connection, customer_id: str, account_id: str) -> None:
    """Raise a `NotFoundError` unless a customer may see an account; until the commit they may."""
    cursor = await connection.execute(_MAY_SEE, {"customer": customer_id, "account": account_id})
    if cursor.rowcount == 0:
        raise NotFoundError("no such account")


async def rename(connection: Connection, customer_id: str, account_id: str, name: str | None) -> None:
    """Give an account the customer's own name; None: take it away.

    Raises:
        NotFoundError: There is no account that this customer may see.
    """
    await check_access(connection, customer_id, account_id)
    values = {"customer": customer_id, "account": account_id, "name": name}
    await connection.execute(_FORGET_NAME if name is None else _NAME, values)


async def _read(
    connection: Connection, customer_id: str, account_id: str | None, after: str | None, limit: int
) -> Sequence[Account]:
    values = {"customer": customer_id, "account": account_id, "after": after, "limit": limit}
    cursor = await connection.execute(_LIST, values)
    return [Account(**row) for row in await cursor.fetchall()]
