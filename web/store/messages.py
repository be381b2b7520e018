"""The customer's inbox: the messages that the delivery ledger holds, and what they have read or deleted.

A message is all deliveries about the same event: a booking raises one alert for each channel and address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from account_alerts.model.analyst_rule_keys import is_of_a_rule
from account_alerts.model.ids import stable_id
from web.store.pools import Connection, Row

_ROWS_OF_A_MESSAGE = 6
"""Deliveries that most messages have at most: a page of messages is read at once."""
_MOST_READS = 20
"""Of a page, where most messages are left out."""
_UNREAD_ROWS = 600
"""Deliveries that are looked at to count the unread messages."""
MOST_UNREAD = 99
"""More unread messages than these are not told apart."""

_COLUMNS = """
  alert_id, channel, state, alert_type, address, account_id, entry_id, setting_id, record, received_at,
  raised_at, written_at, sent_at, delivered_at, due_at, deferred_for, reason, steps
"""
_OWN = "hashtextextended(customer_id, 0) = hashtextextended(%(customer)s, 0) AND customer_id = %(customer)s"
_PAGE = f"""
SELECT {_COLUMNS} FROM deliveries
WHERE {_OWN}
  AND (%(at)s::timestamptz IS NULL OR (received_at, alert_id) < (%(at)s::timestamptz, %(alert_id)s::text))
  AND (%(account)s::text IS NULL OR account_id = %(account)s)
ORDER BY received_at DESC, alert_id DESC LIMIT %(limit)s
"""
_ONE = f"SELECT {_COLUMNS} FROM deliveries WHERE alert_id = %(alert_id)s AND customer_id = %(customer)s"
_SAME_EVENT = f"""
SELECT {_COLUMNS} FROM deliveries
WHERE {_OWN} AND entry_id = %(entry_id)s AND account_id = %(account_id)s
  AND received_at BETWEEN %(at)s::timestamptz - interval '2 days' AND %(at)s::timestamptz + interval '2 days'
ORDER BY received_at DESC, alert_id DESC LIMIT 200
"""
_NEWS = """
SELECT asked.customer_id, news.alert_id, news.received_at
FROM jsonb_to_recordset(%(asked)s::jsonb) AS asked (customer_id text, since timestamptz)
CROSS JOIN LATERAL (
  SELECT alert_id, received_at FROM deliveries
  WHERE hashtextextended(deliveries.customer_id, 0) = hashtextextended(asked.customer_id, 0)
    AND deliveries.customer_id = asked.customer_id AND received_at >= asked.since
  ORDER BY received_at DESC LIMIT 200
) AS news
ORDER BY news.received_at
"""
_SOME = f"SELECT customer_id, {_COLUMNS} FROM deliveries WHERE alert_id = ANY (%(alert_ids)s)"
_MARKS = """
SELECT message_key, mark FROM message_marks WHERE customer_id = %(customer)s AND message_key = ANY (%(keys)s)
"""
_READ_UP_TO = "SELECT read_up_to FROM inboxes WHERE customer_id = %(customer)s"
_MARK = """
INSERT INTO message_marks (customer_id, message_key, mark) VALUES (%(customer)s, %(key)s, %(mark)s)
ON CONFLICT (customer_id, message_key) DO UPDATE SET mark = excluded.mark, marked_at = now()
"""
_MARK_ALL = """
WITH inbox AS (
  INSERT INTO inboxes (customer_id, read_up_to) VALUES (%(customer)s, coalesce(%(at)s::timestamptz, now()))
  ON CONFLICT (customer_id) DO UPDATE SET read_up_to = greatest(inboxes.read_up_to, excluded.read_up_to)
)
DELETE FROM message_marks WHERE customer_id = %(customer)s AND mark = 'UNREAD'
"""


class Mark(StrEnum):
    """What a customer did with a message."""

    READ = "READ"
    UNREAD = "UNREAD"
    DELETED = "DELETED"


@dataclass(frozen=True)
class Position:
    """A place in an inbox: what is older comes next."""

    received_at: datetime
    alert_id: str


@dataclass(frozen=True)
class Message:
    """One event that a customer was told of, by all its deliveries."""

    key: str
    deliveries: Sequence[Row]
    """The newest first; at least one."""
    is_read: bool

    @property
    def alert_id(self) -> str:
        """The id of one of its alerts: by it the message is found."""
        alert_id: str = self.deliveries[0]["alert_id"]
        return alert_id

    @property
    def received_at(self) -> datetime:
        """When a sender had the newest of its alerts."""
        at: datetime = self.deliveries[0]["received_at"]
        return at


@dataclass(frozen=True)
class Page:
    """Some messages of an inbox, the newest first."""

    messages: Sequence[Message]
    following: Position | None
    """Where the next page begins; None: there are no older ones."""


async def read_page(
    connection: Connection,
    customer_id: str,
    *,
    before: Position | None = None,
    account_id: str | None = None,
    unread: bool = False,
    limit: int = 50,
) -> Page:
    """Return a page of a customer's inbox.

    Args:
        connection: To the ledger.
        customer_id: Whose.
        before: Where the page before it ended.
        account_id: Only messages about this account.
        unread: Only messages that are not read.
        limit: Messages at most.
    """
    found: dict[str, Message] = {}
    rows = limit * _ROWS_OF_A_MESSAGE
    for _ in range(_MOST_READS):
        values = {
            "customer": customer_id,
            "at": before and before.received_at,
            "alert_id": before and before.alert_id,
            "account": account_id,
            "limit": rows,
        }
        page = await (await connection.execute(_PAGE, values)).fetchall()
        shown = {message.key: message for message in await _marked(connection, customer_id, group(page))}
        for row in page:
            message = shown.get(key_of(row))
            if message is not None and message.key not in found and not (unread and message.is_read):
                if len(found) == limit:
                    return Page(list(found.values()), before)
                found[message.key] = message
            before = Position(row["received_at"], row["alert_id"])
        if len(page) < rows:
            return Page(list(found.values()), None)
    return Page(list(found.values()), before)


async def find(connection: Connection, customer_id: str, alert_id: str) -> Message | None:
    """Return the message that an alert belongs to; None where it is not this customer's, or deleted."""
    values = {"customer": customer_id, "alert_id": alert_id}
    row = await (await connection.execute(_ONE, values)).fetchone()
    if row is None:
        return None
    rows = [row]
    if row["entry_id"]:
        same = {name: row[name] for name in ("entry_id", "account_id")} | {"at": row["received_at"]}
        rows = await (await connection.execute(_SAME_EVENT, values | same)).fetchall()
    own = group([each for each in rows if key_of(each) == key_of(row)] or [row])
    return next(iter(await _marked(connection, customer_id, own)), None)


async def mark(connection: Connection, customer_id: str, key: str, as_: Mark) -> None:
    """Note that a message is read, unread or deleted; a deleted one is shown no more."""
    await connection.execute(_MARK, {"customer": customer_id, "key": key, "mark": as_.value})


async def mark_all_read(connection: Connection, customer_id: str, up_to: datetime | None = None) -> None:
    """Note that all messages received up to a time are read; None: up to now."""
    await connection.execute(_MARK_ALL, {"customer": customer_id, "at": up_to})


async def count_unread(connection: Connection, customer_id: str) -> int:
    """Count the unread messages; more than MOST_UNREAD are MOST_UNREAD + 1."""
    values = {"customer": customer_id, "at": None, "alert_id": None, "account": None, "limit": _UNREAD_ROWS}
    rows = await (await connection.execute(_PAGE, values)).fetchall()
    messages = await _marked(connection, customer_id, group(rows))
    return min(sum(not message.is_read for message in messages), MOST_UNREAD + 1)


async def read_news(connection: Connection, asked: str) -> list[Row]:
    """Return what came for some customers since some times: `customer_id`, `alert_id`, `received_at`.

    Args:
        connection: To the ledger.
        asked: A JSON array of {"customer_id", "since"}; times in ISO 8601.
    """
    return await (await connection.execute(_NEWS, {"asked": asked})).fetchall()


async def read_deliveries(connection: Connection, alert_ids: Sequence[str]) -> dict[str, Row]:
    """Return deliveries by the ids of their alerts, each with its `customer_id`."""
    cursor = await connection.execute(_SOME, {"alert_ids": list(alert_ids)})
    return {row["alert_id"]: row for row in await cursor.fetchall()}


def key_of(row: Mapping[str, object]) -> str:
    """Return the key of the message that a delivery belongs to; an analyst's rule makes one of its own."""
    setting, entry = str(row["setting_id"]), str(row["entry_id"] or "")
    if not entry:
        return stable_id(b"alert", str(row["alert_id"]).encode())
    own = setting if is_of_a_rule(setting) else ""
    return stable_id(b"booking", str(row["account_id"]).encode(), entry.encode(), own.encode())


def group(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """Gather deliveries by message, in the order of each one's first."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(key_of(row), []).append(row)
    return list(groups.values())


async def _marked(connection: Connection, customer_id: str, groups: list[Sequence[Row]]) -> list[Message]:
    """Make messages of groups, without the deleted ones."""
    keys = [key_of(rows[0]) for rows in groups]
    values = {"customer": customer_id, "keys": keys}
    cursor = await connection.execute(_MARKS, values)
    marks = {row["message_key"]: row["mark"] for row in await cursor.fetchall()}
    inbox = await (await connection.execute(_READ_UP_TO, values)).fetchone()
    messages = []
    for key, rows in zip(keys, groups, strict=True):
        found = marks.get(key)
        up_to = inbox is not None and rows[0]["received_at"] <= inbox["read_up_to"]
        if found != Mark.DELETED:
            messages.append(Message(key, rows, found == Mark.READ or (up_to and found != Mark.UNREAD)))
    return messages
