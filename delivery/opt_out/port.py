"""What opt-outs need from the ledger; PostgreSQL answers in `store`, tests in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from delivery.gateways.sms.incoming import IncomingSms
from delivery.opt_out.keywords import Keyword


@dataclass(frozen=True)
class Reply:
    """An answer that this process has claimed, to be sent now."""

    reply_id: int
    number: str
    keyword: Keyword
    language: str
    created_at: datetime
    """With the id its key: a ledger that was made anew counts ids from one again."""
    age: float
    """Seconds since the customer's SMS."""


@dataclass(frozen=True)
class Change:
    """The newest STOP or START of a number."""

    number: str
    stopped: bool
    changed_at: datetime


class OptOutStore(Protocol):
    """The opt-outs in the ledger.

    Each method waits while the database is away, and may be said again when its answer was lost.
    """

    async def stopped(self, numbers: Collection[str]) -> frozenset[str]:
        """Return which of the numbers have opted out."""

    async def record(self, number: str, keyword: Keyword, language: str | None, fallback: str) -> bool:
        """Record a keyword; returns whether it is answered: a repeated one is not.

        Args:
            number: Whose.
            keyword: What they want.
            language: Of the answer where the number is no customer's; None: the keyword's is not known.
            fallback: Of the answer where neither is known.
        """

    async def add_part(self, sms: IncomingSms) -> Sequence[IncomingSms]:
        """Keep a part of a long SMS; returns all parts in their order once they are there, else none."""

    async def delete_parts(self, sms: IncomingSms) -> None:
        """Forget the parts of the SMS that a part belongs to."""

    async def claim_replies(self, limit: int) -> Sequence[Reply]:
        """Claim answers that are due."""

    async def finish_reply(
        self, reply_id: int, *, sent: bool = False, again: int | None = None, reason: str | None = None
    ) -> None:
        """Note what became of an answer; `again`: milliseconds until the next attempt, None: it is done."""

    async def unrecorded(self, limit: int) -> Sequence[Change]:
        """Return changes that the bank's database does not have yet, the oldest first."""

    async def mark_recorded(self, change: Change) -> None:
        """Note that the bank's database has a change."""

    async def oldest_unrecorded(self) -> float:
        """Return the age in seconds of the oldest change that the bank's database does not have, else 0."""

    async def prune(self, retention: int) -> None:
        """Delete answers that are older than `retention` milliseconds, and parts whose others never came."""
