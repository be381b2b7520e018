"""What customers want to hear about: the bank's table `preferences`.

Only settings of accounts that the customer may see at this moment are shown or changed.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from account_alerts.model.errors import InvalidRequestError, NotFoundError
from account_alerts.model.limits import SETTINGS_PER_CUSTOMER
from web.store import accounts
from web.store.pools import Connection, Row
from web.store.statements import assignments
from web.store.versions import check_version, version_of

_COLUMNS = """
setting_id, account_id, currency, alert_type, channels, threshold_minor, count, window_minutes, snoozed_until,
enabled
"""
_MAY_SEE = """
EXISTS (
    SELECT FROM access_rights AS own
    WHERE own.account_id = preferences.account_id AND own.customer_id = preferences.customer_id
)
"""
_UPDATE = "UPDATE preferences SET {} WHERE customer_id = %(customer_id)s AND setting_id = %(setting_id)s"
CHANGEABLE = frozenset(
    {"channels", "threshold_minor", "count", "window_minutes", "currency", "snoozed_until", "enabled"}
)


class TooManySettingsError(InvalidRequestError):
    """The customer has as many settings as one may have."""


@dataclass(frozen=True)
class Setting:
    """One alert that a customer asked for."""

    setting_id: str
    account_id: str
    currency: str
    alert_type: str
    channels: Sequence[str]
    threshold_minor: int | None
    """Minor units of the currency."""
    count: int | None
    window_minutes: int | None
    snoozed_until: datetime | None
    enabled: bool
    """False: switched off, and kept."""
    version: str
    """Of the row."""


async def list_settings(
    connection: Connection,
    customer_id: str,
    *,
    account_id: str | None = None,
    after: str | None = None,
    limit: int = 2 * SETTINGS_PER_CUSTOMER,
) -> Sequence[Setting]:
    """Return a customer's settings in the order of their ids.

    Args:
        connection: To the bank's database.
        customer_id: Whose.
        account_id: Of this account only.
        after: From the one that follows this id.
        limit: So many at most.
    """
    rows = await _read(connection, customer_id, account_id=account_id, after=after, limit=limit)
    return list(map(_setting, rows))


async def find(connection: Connection, customer_id: str, setting_id: str) -> Setting:
    """Return a setting.

    Raises:
        NotFoundError: The customer has none of this id on an account that they may see.
    """
    rows = await _read(connection, customer_id, setting_id=setting_id)
    return _setting(_one(rows))


async def create(connection: Connection, customer_id: str, values: Mapping[str, Any]) -> Setting:
    """Add a setting with a new id.

    Args:
        connection: In a transaction that says who changes something (`Store.write`).
        customer_id: Whose.
        values: By column: `account_id`, `currency`, `alert_type`, `channels` and what the type needs; they
            keep the contract (`account_alerts.records.settings.violation`).

    Raises:
        NotFoundError: The customer may not see the account.
        TooManySettingsError: They have as many as one may have.
    """
    await accounts.check_access(connection, customer_id, values["account_id"])
    # One after the other: else two at once could pass the limit.
    await connection.execute("SELECT FROM customers WHERE customer_id = %s FOR UPDATE", (customer_id,))
    cursor = await connection.execute(
        "SELECT count(*) AS known FROM preferences WHERE customer_id = %s", (customer_id,)
    )
    row = await cursor.fetchone()
    if row is not None and row["known"] >= SETTINGS_PER_CUSTOMER:
        raise TooManySettingsError(f"there are {SETTINGS_PER_CUSTOMER} settings; remove one first")
    setting_id = secrets.token_hex(16)
    names = ["customer_id", "setting_id", *values]
    await connection.execute(
        sql.SQL("INSERT INTO preferences ({}) VALUES ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join(map(sql.Placeholder, names)),
        ),
        {**values, "customer_id": customer_id, "setting_id": setting_id},
    )
    return await find(connection, customer_id, setting_id)


async def change(
    connection: Connection,
    customer_id: str,
    setting_id: str,
    values: Mapping[str, Any],
    expected: str | None = None,
) -> Setting:
    """Change some columns of a setting; return what is there now.

    Args:
        connection: In a transaction that says who changes something (`Store.write`).
        customer_id: Whose.
        setting_id: Which.
        values: By column, of `CHANGEABLE`; with the others of the row they keep the contract.
        expected: The version that the change was made of; None: whatever there is.

    Raises:
        NotFoundError: The customer has none of this id on an account that they may see.
        ChangedMeanwhileError: There is another version.
    """
    assert values.keys() <= CHANGEABLE
    row = _one(await _read(connection, customer_id, setting_id=setting_id, lock=True))
    check_version(row, expected)
    if values:
        await connection.execute(
            sql.SQL(_UPDATE).format(assignments(values)),
            {**values, "customer_id": customer_id, "setting_id": setting_id},
        )
    return await find(connection, customer_id, setting_id)


async def remove(
    connection: Connection, customer_id: str, setting_id: str, expected: str | None = None
) -> None:
    """Remove a setting.

    Raises:
        NotFoundError: The customer has none of this id on an account that they may see.
        ChangedMeanwhileError: There is another version than the one expected.
    """
    row = _one(await _read(connection, customer_id, setting_id=setting_id, lock=True))
    check_version(row, expected)
    await connection.execute(
        "DELETE FROM preferences WHERE customer_id = %s AND setting_id = %s", (customer_id, setting_id)
    )


def _setting(row: Row) -> Setting:
    return Setting(**row, version=version_of(row))


def _one(rows: list[Row]) -> Row:
    if not rows:
        raise NotFoundError("no such setting")
    return rows[0]


async def _read(
    connection: Connection,
    customer_id: str,
    *,
    setting_id: str | None = None,
    account_id: str | None = None,
    after: str | None = None,
    limit: int = 1,
    lock: bool = False,
) -> list[Row]:
    query = f"""
        SELECT {_COLUMNS} FROM preferences
        WHERE customer_id = %(customer)s AND {_MAY_SEE}
            AND (%(setting)s::text IS NULL OR setting_id = %(setting)s)
            AND (%(account)s::text IS NULL OR account_id = %(account)s)
            AND (%(after)s::text IS NULL OR setting_id > %(after)s)
        ORDER BY setting_id LIMIT %(limit)s
    """
    values = {
        "customer": customer_id,
        "setting": setting_id,
        "account": account_id,
        "after": after,
        "limit": limit,
    }
    cursor = await connection.execute((query + (" FOR UPDATE" if lock else "")).encode(), values)
    return await cursor.fetchall()
