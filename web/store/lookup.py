"""What an operator's look-up reads: deliveries of the ledger, bookings and old settings of the bank."""

from datetime import datetime
from typing import Any

from web.store.pools import Connection, Row

MOST = 200
"""Deliveries, and bookings of each account, that one look-up shows."""

_DELIVERIES = """
SELECT * FROM deliveries
WHERE (customer_id = %(who)s OR account_id = %(who)s OR entry_id = %(who)s OR alert_id = %(who)s)
  AND (%(begin)s::timestamptz IS NULL OR received_at >= %(begin)s AND received_at < %(end)s)
ORDER BY received_at DESC LIMIT %(most)s
"""

_BOOKING = """
entry_id, account_id, currency, amount_minor, credit_debit, balance_minor, entry_type,
(extract(epoch FROM booked_at) * 1000)::bigint AS booked_ms
"""

_BOOKINGS = f"""
SELECT found.* FROM (
  SELECT account_id FROM access_rights WHERE customer_id = %(who)s UNION SELECT %(who)s
) AS own CROSS JOIN LATERAL (
  SELECT {_BOOKING} FROM bookings
  WHERE account_id = own.account_id
    AND (%(begin)s::timestamptz IS NULL OR booked_at >= %(begin)s AND booked_at < %(end)s)
  ORDER BY booked_at DESC LIMIT %(most)s
) AS found
UNION SELECT {_BOOKING} FROM bookings WHERE entry_id = %(who)s
"""

# As the rows were at a moment: of each setting the newest that was noted until then, unless it was deleted.
_SETTINGS_THEN = """
SELECT row FROM (
  SELECT DISTINCT ON (coalesce(new_row, old_row) ->> 'setting_id') new_row AS row
  FROM history
  WHERE table_name = 'preferences' AND coalesce(new_row, old_row) ->> 'customer_id' = %(customer)s
    AND coalesce(new_row, old_row) ->> 'account_id' = %(account)s
    AND changed_at <= to_timestamp(%(at)s / 1000.0)
  ORDER BY coalesce(new_row, old_row) ->> 'setting_id', id DESC
) AS newest WHERE row IS NOT NULL ORDER BY row ->> 'alert_type', row ->> 'setting_id'
"""

_HOLDERS = "SELECT customer_id FROM access_rights WHERE account_id = %s ORDER BY customer_id LIMIT 20"


async def deliveries(
    connection: Connection, who: str, begin: datetime | None, end: datetime | None
) -> list[Row]:
    """Return the newest deliveries of a customer, an account, a booking or an alert, by its id."""
    values = {"who": who, "begin": begin, "end": end, "most": MOST}
    return await (await connection.execute(_DELIVERIES, values)).fetchall()


async def bookings(
    connection: Connection, who: str, begin: datetime | None, end: datetime | None
) -> list[Row]:
    """Return the newest bookings of an account, of a customer's accounts, or the one of that id."""
    values = {"who": who, "begin": begin, "end": end, "most": MOST}
    return await (await connection.execute(_BOOKINGS, values)).fetchall()


async def settings_then(connection: Connection, customer: str, account: str, at: int) -> list[dict[str, Any]]:
    """Return a customer's settings for an account as they were at a time, milliseconds UTC."""
    values = {"customer": customer, "account": account, "at": at}
    rows = await (await connection.execute(_SETTINGS_THEN, values)).fetchall()
    found = [dict(row["row"]) for row in rows]
    for setting in found:
        until = setting.get("snoozed_until")
        setting["snoozed_until"] = (
            None if until is None else round(datetime.fromisoformat(until).timestamp() * 1000)
        )
    return found


async def holders(connection: Connection, account: str) -> list[str]:
    """Return the customers who may see an account now, twenty at most."""
    rows = await (await connection.execute(_HOLDERS, (account,))).fetchall()
    return [row["customer_id"] for row in rows]
