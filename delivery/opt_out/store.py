"""The opt-outs in PostgreSQL (database/delivery/0003_opt_outs.sql)."""

from collections.abc import Collection
from typing import Any

from account_alerts.config.postgres import Database
from delivery.alert import clean_reason
from delivery.gateways.sms.incoming import IncomingSms, Part
from delivery.ledger.session import Session
from delivery.opt_out import statements
from delivery.opt_out.keywords import Keyword
from delivery.opt_out.port import Change, Reply

_PART_WAIT_MS = 3_600_000
"""How long a part waits for the others of its SMS."""


class PostgresOptOuts:
    """The opt-outs in the ledger's database, as `OptOutStore`."""

    def __init__(self, database: Database, lease: int) -> None:
        """Connect with the first statement; `lease`: milliseconds for which a claimed reply is one's own."""
        self._lease = lease
        names = ("opt-outs", "opt-out changes", "opt-out replies")
        # What a message waits for has a connection of its own.
        self._checks, self._changes, self._replies = (
            Session(database, f"sender-sms {name}") for name in names
        )

    async def stopped(self, numbers: Collection[str]) -> frozenset[str]:
        """Return which of the numbers have opted out."""
        rows = await self._checks.run(statements.STOPPED, {"numbers": list(numbers)})
        return frozenset(row["number"] for row in rows)

    async def record(self, number: str, keyword: Keyword, language: str | None, fallback: str) -> bool:
        """Record a keyword, as `OptOutStore.record`."""
        values = {
            "number": number,
            "keyword": keyword.value,
            "language": language,
            "fallback": fallback,
        }
        return bool(await self._changes.run(statements.RECORD, values))

    async def add_part(self, sms: IncomingSms) -> list[IncomingSms]:
        """Keep a part of a long SMS, as `OptOutStore.add_part`."""
        key = _key(sms)
        assert sms.part is not None
        values = {**key, "part": sms.part.number, "coding": sms.coding, "body": sms.body}
        await self._changes.run(statements.ADD_PART, values)
        rows = await self._changes.run(statements.PARTS, key | {"wait": _PART_WAIT_MS})
        if len(rows) < sms.part.total:
            return []
        return [
            IncomingSms(
                sms.number,
                sms.recipient,
                row["coding"],
                bytes(row["body"]),
                Part(sms.part.reference, sms.part.total, row["part"]),
            )
            for row in rows
        ]

    async def delete_parts(self, sms: IncomingSms) -> None:
        """Forget the parts of the SMS that a part belongs to."""
        await self._changes.run(statements.DELETE_PARTS, _key(sms))

    async def claim_replies(self, limit: int) -> list[Reply]:
        """Claim answers that are due."""
        values = {"limit": limit, "lease": self._lease}
        rows = await self._replies.run(statements.CLAIM_REPLIES, values)
        return [Reply(**(row | {"keyword": Keyword(row["keyword"])})) for row in rows]

    async def finish_reply(
        self, reply_id: int, *, sent: bool = False, again: int | None = None, reason: str | None = None
    ) -> None:
        """Note what became of an answer, as `OptOutStore.finish_reply`."""
        values = {"reply_id": reply_id, "sent": sent, "again": again, "reason": clean_reason(reason)}
        await self._replies.run(statements.FINISH_REPLY, values)

    async def unrecorded(self, limit: int) -> list[Change]:
        """Return changes that the bank's database does not have yet, the oldest first."""
        rows = await self._replies.run(statements.UNRECORDED, {"limit": limit})
        return [Change(**row) for row in rows]

    async def mark_recorded(self, change: Change) -> None:
        """Note that the bank's database has a change."""
        values = {"number": change.number, "changed_at": change.changed_at}
        await self._replies.run(statements.RECORDED, values)

    async def oldest_unrecorded(self) -> float:
        """Return the age in seconds of the oldest change that the bank's database does not have."""
        [row] = await self._replies.run(statements.OLDEST_UNRECORDED)
        return float(row["age"])

    async def prune(self, retention: int) -> None:
        """Delete old answers, and parts whose others never came."""
        await self._replies.run(statements.PRUNE_PARTS, {"wait": _PART_WAIT_MS})
        await self._replies.run(statements.PRUNE_REPLIES, {"retention": retention})

    async def close(self) -> None:
        """Close the connections."""
        for session in (self._checks, self._changes, self._replies):
            await session.close()


def _key(sms: IncomingSms) -> dict[str, Any]:
    assert sms.part is not None
    return {
        "number": sms.number,
        "recipient": sms.recipient,
        "reference": sms.part.reference,
        "total": sms.part.total,
    }
