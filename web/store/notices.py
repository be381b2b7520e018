"""Messages of this application to a customer's address, which the senders take from the bank's database.

A notice is written in the transaction of the change that it tells of: neither is there without the other.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from account_alerts.model.alerts import Channel
from web.store.pools import Connection

_ADD = """
INSERT INTO notices (customer_id, kind, channel, address, language, title, body, expires_at)
VALUES (
    %(customer)s, %(kind)s, %(channel)s, %(address)s, %(language)s, %(title)s, %(body)s,
    now() + %(lives)s * interval '1 ms'
) RETURNING notice_id
"""
_COUNT = """
SELECT count(*) AS count FROM notices
WHERE kind = %(kind)s AND created_at > now() - %(since)s * interval '1 ms'
    AND (customer_id = %(customer)s OR channel = %(channel)s AND address = %(address)s)
"""
_STATE = "SELECT due_at, sent_at, reason FROM notices WHERE customer_id = %s AND notice_id = %s"


class Kind(StrEnum):
    """What a notice is about."""

    CODE = "CODE"
    TEST = "TEST"
    ADDRESS_ADDED = "ADDRESS_ADDED"
    ADDRESS_REMOVED = "ADDRESS_REMOVED"


@dataclass(frozen=True)
class Notice:
    """A message in words."""

    kind: Kind
    channel: Channel
    address: str
    language: str
    """BCP 47."""
    title: str
    body: str
    lives: int
    """Milliseconds after which it is not sent any more."""


async def add(connection: Connection, customer_id: str, notice: Notice) -> int:
    """Have a notice sent once the transaction is committed; return its id."""
    cursor = await connection.execute(
        _ADD,
        {
            "customer": customer_id,
            "kind": notice.kind.value,
            "channel": notice.channel.value,
            "address": notice.address,
            "language": notice.language,
            "title": notice.title,
            "body": notice.body,
            "lives": notice.lives,
        },
    )
    row = await cursor.fetchone()
    assert row is not None  # RETURNING.
    notice_id: int = row["notice_id"]
    return notice_id


async def count_recent(
    connection: Connection, customer_id: str, kind: Kind, channel: str, address: str, since: int
) -> int:
    """Count the notices of a kind, of this customer or to this address, of so many milliseconds."""
    values = {"customer": customer_id, "kind": kind.value, "since": since}
    cursor = await connection.execute(_COUNT, {**values, "channel": channel, "address": address})
    row = await cursor.fetchone()
    return 0 if row is None else int(row["count"])


async def state(connection: Connection, customer_id: str, notice_id: int) -> tuple[str, datetime | None]:
    """Return what became of a notice: `WAITING`, `SENT` and when, `FAILED`, or `UNKNOWN`."""
    row = await (await connection.execute(_STATE, (customer_id, notice_id))).fetchone()
    if row is None:
        return "UNKNOWN", None
    if row["sent_at"] is not None:
        return "SENT", row["sent_at"]
    return ("FAILED" if row["due_at"] is None else "WAITING"), None
