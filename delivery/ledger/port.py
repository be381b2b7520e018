"""What a sender asks of the ledger; PostgreSQL answers in `store`, tests in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from account_alerts.model.alerts import DeliveryState
from account_alerts.model.errors import InvalidRecordError
from delivery.alert import Delivery, DeliveryUpdate, LastRetry
from delivery.gateways.base import Receipt
from delivery.policy import DeferralReason, RecipientState


@dataclass(frozen=True)
class DueAlert:
    """A row of the ledger that has become due, and was claimed for this process."""

    record: bytes
    """The OutboundAlert, as it stood on Kafka."""
    partition: int
    offset: int
    written_at: int
    """Milliseconds UTC."""
    route: str
    attempt: int
    recipient: RecipientState
    deferred_for: DeferralReason | None
    digest_id: str | None
    last_retry: LastRetry | None = None


@dataclass(frozen=True)
class Pending:
    """How many alerts of a route are in a state and not done."""

    state: DeliveryState
    route: str
    count: int
    overdue: float
    """Since when the one that is longest due could have been sent, in seconds; 0: none is due."""


class RejectedByLedgerError(InvalidRecordError):
    """An alert that the ledger cannot hold; it is one of those that were to be claimed."""


class Ledger(Protocol):
    """The ledger as the senders of one channel use it.

    Each method waits while the database is away, and may be said again when its answer was lost.
    """

    async def claim(self, deliveries: Sequence[Delivery]) -> Mapping[str, RecipientState]:
        """Claim new alerts; returns, by id, what is known of their customers. The others are known already.

        Raises:
            RejectedByLedgerError: One of them cannot be held; none was claimed.
        """

    async def claim_due(
        self, limit: int, *, only: Sequence[str] | None = None, without: Sequence[str] = ()
    ) -> Sequence[DueAlert]:
        """Claim due alerts: deferred ones, retries, and those whose lease has ended.

        Args:
            limit: How many at most.
            only: Of these routes, as probes: those that were tried least; None: of any, the oldest.
            without: But not of these.
        """

    async def claim_due_digests(
        self, limit: int, *, only: Sequence[str] | None = None, without: Sequence[str] = ()
    ) -> Sequence[DueAlert]:
        """Claim due digests, each whole, at most `limit` of them; the rest as in `claim_due`."""

    async def reclaim_own(self) -> int:
        """Make due what an earlier process of this instance had claimed; returns how many."""

    async def update(self, updates: Sequence[DeliveryUpdate]) -> None:
        """Write what has become of alerts."""

    async def apply_receipts(self, receipts: Sequence[Receipt]) -> Mapping[str, DeliveryState]:
        """Write receipts; returns the new states by reference. What is missing there is not (yet) known."""

    async def prune(self, retention: int) -> int:
        """Delete some of what was received more than `retention` milliseconds ago; returns how many."""

    async def count_pending(self) -> Sequence[Pending]:
        """Count the alerts that are not done, by state and route."""
