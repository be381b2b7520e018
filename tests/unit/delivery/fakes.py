"""The outside of a worker in memory: a ledger, a gateway, Kafka."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from prometheus_client import CollectorRegistry

from account_alerts.model.alerts import DeliveryState
from account_alerts.service.clock import Clock
from delivery.alert import DeadLetter, Delivery, DeliveryUpdate, LastRetry, SourceRecord
from delivery.gateways.base import WITHDRAWN, Gateway, Message, Outcome, Receipt, Result
from delivery.ledger.port import DueAlert, Pending, RejectedByLedgerError
from delivery.metrics import SenderMetrics
from delivery.policy import UNKNOWN_RECIPIENT, DeferralReason, RecipientState
from delivery.worker.ports import Ports
from tests import builders
from tests.clock import FakeClock
from tests.unit.delivery.alerts import CODEC

LEASE = 150_000
SENT = Outcome(Result.SENT, reference="r1")
_OPEN = (DeliveryState.CLAIMED, DeliveryState.DEFERRED, DeliveryState.RETRYING)


def new_clock() -> FakeClock:
    """Return a clock that stands at the time at which the alerts were written."""
    return FakeClock(builders.NOON)


@dataclass
class Row:
    """A row of the ledger."""

    delivery: Delivery
    state: DeliveryState
    owner: str
    due_at: int | None
    attempts: int = 1
    deferred_for: DeferralReason | None = None
    digest_id: str | None = None
    reference: str | None = None
    reason: str | None = None
    last_retry: LastRetry | None = None


@dataclass
class Rows:
    """The ledger's table, which several processes share."""

    clock: Clock
    rows: dict[str, Row] = field(default_factory=dict)
    recipients: dict[str, RecipientState] = field(default_factory=dict)
    """By customer."""

    def states(self) -> dict[str, DeliveryState]:
        """Return the states by alert."""
        return {alert: row.state for alert, row in self.rows.items()}


class MemoryLedger:
    """The ledger as one process uses it, by the rules of `delivery.ledger.statements`."""

    def __init__(self, table: Rows, process: str = "p1") -> None:
        self.table, self.process = table, process
        self.unclaimable: set[str] = set()
        self.failure: Exception | None = None
        """Raised by `update`, in place of writing."""
        self.updates = 0
        self.pruned: list[int] = []
        self._tokens = itertools.count(1)

    async def claim(self, deliveries: Sequence[Delivery]) -> Mapping[str, RecipientState]:
        if any(delivery.alert_id in self.unclaimable for delivery in deliveries):
            raise RejectedByLedgerError("the ledger cannot hold it: DataError")
        new = [delivery for delivery in deliveries if delivery.alert_id not in self.table.rows]
        for delivery in new:
            due_at = self.table.clock.now_ms() + LEASE
            self.table.rows[delivery.alert_id] = Row(delivery, DeliveryState.CLAIMED, self.process, due_at)
        return {delivery.alert_id: self._recipient(delivery) for delivery in new}

    async def claim_due(
        self, limit: int, *, only: Sequence[str] | None = None, without: Sequence[str] = ()
    ) -> Sequence[DueAlert]:
        rows = self._due(only, without, digests=False)
        if only is not None:
            rows.sort(key=lambda row: row.attempts)
        return [self._take(row, None) for row in rows[:limit]]

    async def claim_due_digests(
        self, limit: int, *, only: Sequence[str] | None = None, without: Sequence[str] = ()
    ) -> Sequence[DueAlert]:
        rows = self._due(only, without, digests=True)
        leads = list(dict.fromkeys(map(_digest, rows)))[:limit]
        token = f"{self.process}-{next(self._tokens)}"
        return [self._take(row, token) for row in rows if _digest(row) in leads]

    async def reclaim_own(self) -> int:
        own = [row for row in self.table.rows.values() if (row.state, row.owner) == (_OPEN[0], self.process)]
        for row in own:
            row.due_at = self.table.clock.now_ms()
        return len(own)

    async def update(self, updates: Sequence[DeliveryUpdate]) -> None:
        if self.failure is not None:
            raise self.failure
        self.updates += 1
        for update in updates:
            row = self.table.rows[update.alert_id]
            sent = update.state is DeliveryState.SENT
            if row.state in _OPEN and (sent or row.attempts == update.attempt):
                if update.reason != row.reason:
                    row.last_retry = LastRetry(update.reason, update.at) if update.reason else None
                row.state, row.due_at, row.reason = update.state, update.due_at, update.reason
                row.deferred_for = update.deferred_for or row.deferred_for
                row.reference = update.reference or row.reference
                if update.state is DeliveryState.DEFERRED:
                    row.digest_id = None

    async def apply_receipts(self, receipts: Sequence[Receipt]) -> Mapping[str, DeliveryState]:
        found = {}
        for receipt in receipts:
            for row in self.table.rows.values():
                if (row.state, row.reference) == (DeliveryState.SENT, receipt.reference):
                    delivered = receipt.delivered
                    row.state = DeliveryState.DELIVERED if delivered else DeliveryState.UNDELIVERED
                    found[receipt.reference] = row.state
        return found

    async def prune(self, retention: int) -> int:
        self.pruned.append(retention)
        return 0

    async def count_pending(self) -> Sequence[Pending]:
        now = self.table.clock.now_ms()
        return [
            Pending(row.state, row.delivery.route, 1, max(0, now - row.due_at) / 1000)
            for row in self.table.rows.values()
            if row.due_at is not None
        ]

    def _recipient(self, delivery: Delivery) -> RecipientState:
        return self.table.recipients.get(delivery.alert["customer_id"], UNKNOWN_RECIPIENT)

    def _due(self, only: Sequence[str] | None, without: Sequence[str], *, digests: bool) -> list[Row]:
        now = self.table.clock.now_ms()
        return [
            row
            for row in self.table.rows.values()
            if row.due_at is not None
            and row.due_at <= now
            and (row.deferred_for is DeferralReason.DIGEST) == digests
            and (only is None or row.delivery.route in only)
            and row.delivery.route not in without
        ]

    def _take(self, row: Row, token: str | None) -> DueAlert:
        row.state, row.owner = DeliveryState.CLAIMED, self.process
        row.attempts += 1
        row.due_at = self.table.clock.now_ms() + LEASE
        row.digest_id = row.digest_id or token
        source = row.delivery.source
        assert source.value is not None
        return DueAlert(
            record=source.value,
            partition=source.partition,
            offset=source.offset,
            written_at=source.written_at,
            route=row.delivery.route,
            attempt=row.attempts,
            recipient=self._recipient(row.delivery),
            deferred_for=row.deferred_for,
            digest_id=row.digest_id,
            last_retry=row.last_retry,
        )


def _digest(row: Row) -> tuple[str, str]:
    return row.delivery.alert["customer_id"], row.delivery.alert["address"]


class FakeGateway(Gateway):
    """A gateway that does as it is told; `answers` are used up first, then `answer` is given."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.answers: list[Outcome | Exception] = []
        self.answer = SENT
        self.full: asyncio.Event | None = None
        """Nothing goes out before it is set."""
        self.hold: asyncio.Event | None = None
        """Nothing is answered before it is set."""
        self.queue: asyncio.Queue[Receipt] = asyncio.Queue()

    async def send(self, message: Message) -> Outcome:
        if self.full is not None:
            await self.full.wait()
        if message.is_wanted is not None and not await message.is_wanted():
            return WITHDRAWN
        self.sent.append(message)
        if self.hold is not None:
            await self.hold.wait()
        answer = self.answers.pop(0) if self.answers else self.answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def receipts(self) -> Any:
        while True:
            yield await self.queue.get()


class FakeAlerts:
    """Records of a topic."""

    def __init__(self) -> None:
        self.lag = 0
        self.records: list[SourceRecord] = []
        self.committed: list[int] = []
        """Offsets."""
        self._arrived, self._stopped = asyncio.Event(), asyncio.Event()

    def add(self, *records: SourceRecord) -> None:
        """Let records arrive."""
        self.records += records
        self._arrived.set()

    async def run(self) -> None:
        await self._stopped.wait()

    def stop(self) -> None:
        self._stopped.set()

    async def wait(self) -> int:
        while not self.records:
            self._arrived.clear()
            await self._arrived.wait()
        return len(self.records)

    def take(self, count: int) -> list[SourceRecord]:
        taken, self.records = self.records[:count], self.records[count:]
        return taken

    def commit(self, records: Iterable[SourceRecord]) -> None:
        self.committed += [record.offset for record in records]


class FakeDeadLetters:
    """Dead letters in memory."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        self.letters += letters


@dataclass
class World:
    """All fakes of one process, and what it reports."""

    clock: FakeClock = field(default_factory=new_clock)
    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    dead_letters: FakeDeadLetters = field(default_factory=FakeDeadLetters)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    table: Rows = field(init=False)
    ledger: MemoryLedger = field(init=False)
    metrics: SenderMetrics = field(init=False)
    ports: Ports = field(init=False)

    def __post_init__(self) -> None:
        self.table = Rows(self.clock)
        self.ledger = MemoryLedger(self.table)
        self.metrics = SenderMetrics("EMAIL", self.registry)
        self.ports = Ports(self.alerts, self.ledger, self.dead_letters, self.gateway, CODEC, clock=self.clock)

    def other_process(self) -> "World":
        """Return another process with the same ledger and clock."""
        other = World(clock=self.clock)
        other.table = self.table
        other.ledger = MemoryLedger(self.table, "p2")
        other.ports = replace(other.ports, ledger=other.ledger)
        return other

    def count(self, name: str, **labels: str) -> float:
        """Return a metric of the sender."""
        found = self.registry.get_sample_value(
            f"account_alerts_sender_{name}", {"channel": "EMAIL", **labels}
        )
        assert found is not None, f"no metric {name} {labels}"
        return found


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test in asyncio; what hangs fails."""
    asyncio.run(asyncio.wait_for(work(), 30))


async def settle() -> None:
    """Let tasks do what they can do now."""
    for _ in range(20):
        await asyncio.sleep(0)
