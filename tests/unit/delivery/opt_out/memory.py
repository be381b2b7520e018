"""Opt-outs in memory, by the rules of `delivery.opt_out.statements`."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from delivery.gateways.sms.incoming import IncomingSms
from delivery.opt_out.keywords import Keyword
from delivery.opt_out.port import Change, Reply
from tests.clock import FakeClock

LEASE = 150_000


@dataclass
class OwnReply:
    """A row of sms_replies."""

    number: str
    keyword: Keyword
    language: str
    created_at: int
    due_at: int | None
    sent: bool = False
    reason: str | None = None


@dataclass
class MemoryOptOuts:
    """What several processes share."""

    clock: FakeClock
    stops: dict[str, bool] = field(default_factory=dict)
    replies: list[OwnReply] = field(default_factory=list)
    parts: dict[tuple[str, str, int, int], dict[int, IncomingSms]] = field(default_factory=dict)
    pending: dict[str, Change] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    """Of customers, by their number."""
    asked: list[frozenset[str]] = field(default_factory=list)
    failure: Exception | None = None
    away: asyncio.Event | None = None
    """Nothing is recorded before it is set."""

    async def stopped(self, numbers: Collection[str]) -> frozenset[str]:
        self.asked.append(frozenset(numbers))
        return frozenset(number for number in numbers if self.stops.get(number))

    async def record(self, number: str, keyword: Keyword, language: str | None, fallback: str) -> bool:
        if self.away is not None:
            await self.away.wait()
        if self.failure is not None:
            raise self.failure
        now = self.clock.now_ms()
        if keyword is Keyword.HELP:
            helped = (reply.created_at for reply in self.replies if reply.keyword is keyword)
            answered = all(at <= now - 60_000 for at in helped)
        else:
            stop = keyword is Keyword.STOP
            answered = stop != self.stops.get(number, False)
            if answered:
                self.stops[number] = stop
                self.pending[number] = Change(number, stop, datetime.fromtimestamp(now / 1000, UTC))
        if answered:
            chosen = self.languages.get(number) or language or fallback
            self.replies.append(OwnReply(number, keyword, chosen, now, now))
        return answered

    async def add_part(self, sms: IncomingSms) -> Sequence[IncomingSms]:
        assert sms.part is not None
        parts = self.parts.setdefault(_key(sms), {})
        parts[sms.part.number] = sms
        return [parts[at] for at in sorted(parts)] if len(parts) == sms.part.total else []

    async def delete_parts(self, sms: IncomingSms) -> None:
        self.parts.pop(_key(sms), None)

    async def claim_replies(self, limit: int) -> Sequence[Reply]:
        now = self.clock.now_ms()
        due = [
            at for at, reply in enumerate(self.replies) if reply.due_at is not None and reply.due_at <= now
        ]
        for at in due[:limit]:
            self.replies[at].due_at = now + LEASE
        return [
            Reply(
                at,
                reply.number,
                reply.keyword,
                reply.language,
                datetime.fromtimestamp(reply.created_at / 1000, UTC),
                (now - reply.created_at) / 1000,
            )
            for at, reply in ((at, self.replies[at]) for at in due[:limit])
        ]

    async def finish_reply(
        self, reply_id: int, *, sent: bool = False, again: int | None = None, reason: str | None = None
    ) -> None:
        row = self.replies[reply_id]
        row.sent, row.reason = sent, reason
        row.due_at = None if again is None else self.clock.now_ms() + again

    async def unrecorded(self, limit: int) -> Sequence[Change]:
        return list(self.pending.values())[:limit]

    async def mark_recorded(self, change: Change) -> None:
        if self.pending.get(change.number) == change:
            del self.pending[change.number]

    async def oldest_unrecorded(self) -> float:
        return 0.0

    async def prune(self, retention: int) -> None:
        return None


def _key(sms: IncomingSms) -> tuple[str, str, int, int]:
    assert sms.part is not None
    return sms.number, sms.recipient, sms.part.reference, sms.part.total
