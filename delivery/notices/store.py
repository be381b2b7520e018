"""The notices in the bank's database (database/bank/0012_by_customers.sql)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from account_alerts.model.alerts import Channel
from delivery.alert import clean_reason
from delivery.ledger.session import Session

_KEPT = "30 days"
# A number that sent STOP gets no notice either: none is what the law wants sent.
_CLAIM = """
WITH due AS (
  SELECT notice_id FROM notices WHERE channel = %(channel)s AND due_at <= now()
  ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE notices SET attempts = attempts + 1, due_at = now() + %(lease)s * interval '1 ms'
WHERE notice_id = ANY (ARRAY(SELECT notice_id FROM due))
RETURNING notice_id, customer_id, kind, address, language, title, body, created_at, attempts,
  expires_at <= now() AS is_expired,
  channel = 'SMS' AND EXISTS (
    SELECT FROM sms_opt_outs WHERE stopped AND number = regexp_replace(notices.address, '[^0-9]', '', 'g')
  ) AS is_stopped
"""
_AGAIN = """
UPDATE notices SET due_at = now() + %(wait)s * interval '1 ms', reason = %(reason)s
WHERE notice_id = %(notice_id)s AND due_at IS NOT NULL
"""
_FINISH = """
UPDATE notices SET due_at = NULL, body = NULL, reason = %(reason)s,
  sent_at = CASE WHEN %(sent)s::boolean THEN now() END
WHERE notice_id = %(notice_id)s AND due_at IS NOT NULL
"""
_PRUNE = f"DELETE FROM notices WHERE created_at < now() - interval '{_KEPT}' AND due_at IS NULL"


@dataclass(frozen=True)
class Notice:
    """A notice that this process has claimed."""

    notice_id: int
    customer_id: str
    kind: str
    address: str
    language: str
    title: str
    body: str
    created_at: datetime
    attempts: int
    is_expired: bool
    is_stopped: bool
    """The number has sent STOP."""


class NoticeStore(Protocol):
    """Where notices are claimed."""

    async def claim(self, limit: int) -> Sequence[Notice]:
        """Claim notices that are due, for a lease."""

    async def try_again(self, notice_id: int, wait: int, reason: str | None) -> None:
        """Have a notice claimed again after so many milliseconds."""

    async def finish(self, notice_id: int, *, sent: bool, reason: str | None) -> None:
        """Note that a notice is done, and forget what it said."""

    async def prune(self) -> None:
        """Delete those that are old and done."""


class PostgresNotices:
    """The notices of a channel, as `NoticeStore`."""

    def __init__(self, session: Session, channel: Channel, lease: int) -> None:
        """Take a connection to the bank's database; `lease`: milliseconds."""
        self._session, self._channel, self._lease = session, channel, lease

    async def claim(self, limit: int) -> Sequence[Notice]:
        """Claim notices that are due, for a lease."""
        values = {"channel": self._channel.value, "limit": limit, "lease": self._lease}
        return [Notice(**_filled(row)) for row in await self._session.run(_CLAIM, values)]

    async def try_again(self, notice_id: int, wait: int, reason: str | None) -> None:
        """Have a notice claimed again after so many milliseconds."""
        values = {"notice_id": notice_id, "wait": wait, "reason": clean_reason(reason)}
        await self._session.run(_AGAIN, values)

    async def finish(self, notice_id: int, *, sent: bool, reason: str | None) -> None:
        """Note that a notice is done, and forget what it said."""
        values = {"notice_id": notice_id, "sent": sent, "reason": clean_reason(reason)}
        await self._session.run(_FINISH, values)

    async def prune(self) -> None:
        """Delete those that are old and done."""
        await self._session.run(_PRUNE)


def _filled(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "body": row["body"] or ""}
