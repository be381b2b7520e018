"""What customers agreed to, or refused: per purpose and channel, with source, time and wording."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from account_alerts.model.alerts import Channel
from web.store.pools import Connection

_LIST = """
SELECT purpose, channel, given, changed_at, source, wording FROM consents
WHERE customer_id = %s ORDER BY purpose, channel
"""
_PUT = """
INSERT INTO consents (customer_id, purpose, channel, given, source, wording)
VALUES (%(customer)s, %(purpose)s, %(channel)s, %(given)s, %(source)s, %(wording)s)
ON CONFLICT (customer_id, purpose, channel) DO UPDATE SET
    given = excluded.given, source = excluded.source, wording = excluded.wording, changed_at = now()
"""


class Purpose(StrEnum):
    """What is consented to; the table's CHECK has the same."""

    APPLICATION_REMINDERS = "APPLICATION_REMINDERS"


@dataclass(frozen=True)
class Consent:
    """One answer of a customer."""

    purpose: str
    channel: str
    given: bool
    changed_at: datetime
    source: str
    """Where they said so, such as `APP`."""
    wording: str
    """Which version of the text they were shown."""


async def list_consents(connection: Connection, customer_id: str) -> Sequence[Consent]:
    """Return a customer's answers; where there is none, they were not asked."""
    return [Consent(**row) for row in await (await connection.execute(_LIST, (customer_id,))).fetchall()]


async def put(
    connection: Connection,
    customer_id: str,
    purpose: Purpose,
    channel: Channel,
    *,
    given: bool,
    source: str,
    wording: str,
) -> None:
    """Note an answer in place of an earlier one, which the history keeps."""
    values = {"purpose": purpose.value, "channel": channel.value, "given": given}
    await connection.execute(_PUT, {"customer": customer_id, **values, "source": source, "wording": wording})
